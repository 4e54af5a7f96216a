"""A daemon for the tests of one class, and what its parties do with its mailbox host."""

import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import yaml
from mesh_client import MeshClient

from expected import (
    COORDINATOR,
    IMMIGRATION,
    JOBCENTRE,
    PERSONS,
    POLICE,
    PRISON,
    PROBATION,
    RECEIVING,
)
from mesh import ACCEPT, Answer, Caller
from program import NOTICE, Daemon, Event, Story, event, until

POLICE_ELSEWHERE = "police:northumbria"
PARTIES = (
    *(PRISON, POLICE, PROBATION, JOBCENTRE, COORDINATOR, IMMIGRATION, RECEIVING),
    POLICE_ELSEWHERE,
)

# What is listed of an inbox: the notices alone, the receipts alone.
NOTICES = f"?max_results=5000&workflow_filter={NOTICE}"
RECEIPTS = f"{NOTICES}_ACK"


def changed_date(date: str) -> Event:
    """A new release date for the adult of the story: goes to probation and police."""
    data = {name: PERSONS[1][name] for name in ("prisonNumber", "pncId")}
    data |= {"establishment": "Prison of invented Durham", "changeReason": "remand-time"}
    data |= {"releaseDate": date, "previousReleaseDate": "2027-08-22"}
    data |= {"releaseArea": "durham", "releaseType": "licence"}
    return event("release-date.changed", PRISON, data)


def configured(story: Story, name: str, **changes: dict[str, Any]) -> Path:
    """The story's configuration with no inboxes to poll and the sections changed."""
    document = yaml.safe_load(story.configuration.read_text(encoding="utf-8"))
    document["inboxes"] = []
    for section, values in changes.items():
        document[section] = (document.get(section) or {}) | values
    path = story.configuration.parent / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


class Hosted(unittest.TestCase):
    """Tests against one daemon on a copy of the story, with a connection for each party."""

    story: ClassVar[Story]
    daemon: ClassVar[Daemon]
    callers: ClassVar[dict[str, Caller]]
    changes: ClassVar[dict[str, dict[str, Any]]] = {}

    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared().copied()
        cls.addClassCleanup(cls.story.remove)
        cls.configuration = configured(cls.story, "hosted", **cls.changes)
        cls.daemon = cls.enterClassContext(Daemon(cls.story, cls.configuration))
        cls.callers = {party: Caller(cls.story, party) for party in PARTIES}
        for caller in cls.callers.values():
            cls.addClassCleanup(caller.close)

    @classmethod
    def caller(cls, party: str) -> Caller:
        return cls.callers[party]

    @classmethod
    def restart(cls) -> None:
        """Stops the daemon and starts it anew on the same folder."""
        cls.daemon.stop()
        for caller in cls.callers.values():
            caller.close()
        cls.daemon = cls.enterClassContext(Daemon(cls.story, cls.configuration))

    @classmethod
    def fill(cls, count: int, month: str = "2027-06") -> list[str]:
        """So many copies of changed dates in the inboxes of police and probation; the police's.

        When it returns, the prison has its receipts too, and nothing more is on its way."""
        police, prison = cls.caller(POLICE), cls.caller(PRISON)
        before, receipts = len(police.listed(NOTICES)), len(prison.listed(RECEIPTS))
        for day in range(1, count + 1):
            prison.post(changed_date(f"{month}-{day:02}"))
        until(lambda: len(police.listed(NOTICES)) >= before + count)
        until(lambda: len(prison.listed(RECEIPTS)) >= receipts + count)
        return police.listed(NOTICES)[before:]

    def client(self, party: str, **other: Any) -> MeshClient:
        """The public client, closed when the test ends."""
        client = self.story.client(party, **other)
        self.addCleanup(client.close)
        return client

    def assert_refused(
        self, call: Callable[..., Answer], status: int, event: str, code: str, text: str
    ) -> None:
        """The refusal in the forms of both versions. `call` takes the version."""
        for version in (1, 2):
            answer = call(version=version)
            with self.subTest(version=version, body=answer.body[:300]):
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.error, (event, code, text))
                if version == 1:
                    self.assertEqual(answer.kind, "application/json")
                    self.assertNotIn("detail", answer.json)
                else:
                    self.assertEqual(answer.kind, ACCEPT[2])
                    self.assertIsInstance(answer.json["detail"], list)

    def assert_invalid(self, answer: Answer, *places: list[str]) -> None:
        """The validation form, the same in both versions: each `loc` that is wrong."""
        self.assertEqual((answer.status, answer.kind), (400, "application/json"), answer.body)
        found = answer.json["detail"]
        named = [[part.lower() for part in problem["loc"]] for problem in found]
        self.assertEqual(named, [list(place) for place in places])
        for problem in found:
            self.assertTrue(problem["type"] and problem["msg"], problem)
