"""The program polls the public MESH sandbox; what it finds there reaches whom it should.

The sandbox stands in for the national service: the prison puts a notice into it with the public
client, `sallyport serve` takes it from there, and the police collect at the program's own host.
"""

import json
import unittest
from pathlib import Path

import yaml
from mesh_client import MeshClient

from expected import CHANGE
from program import (
    NOTICE,
    SALLYPORT,
    Daemon,
    Event,
    Inbox,
    Story,
    event,
    run,
    until,
)
from sandbox import PASSWORD, SHARED_SECRET, Sandbox

PRISON, POLICE = "prison:durham", "police:durham"
SENDER, POLLED = "X26ABC1", "X26ABC2"


def with_sandbox(story: Story, url: str) -> Path:
    """The kept configuration with one more inbox: Sallyport's mailbox at the sandbox."""
    folder = story.configuration.parent
    secrets = {"password": PASSWORD, "shared_secret": SHARED_SECRET}
    for name, value in secrets.items():
        (folder / f"sandbox-{name}").write_text(value)
        (folder / f"sandbox-{name}").chmod(0o600)
    ours = story.identity(SALLYPORT, "tls")
    inbox = {
        "name": "sandbox",
        "party": PRISON,
        "url": url,
        "mailbox": POLLED,
        **{name: str(folder / f"sandbox-{name}") for name in secrets},
        "certificate": str(ours.certificate),
        "key": str(ours.key),
        "authority": str(story.root),
        "poll_interval": "200ms",
    }
    document = yaml.safe_load(story.configuration.read_text(encoding="utf-8"))
    document["inboxes"] = [*(document.get("inboxes") or []), inbox]
    path = folder / "with-sandbox.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


class TheSandboxAsUpstream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared().copied()
        cls.addClassCleanup(cls.story.remove)
        cls.sandbox = cls.enterClassContext(
            Sandbox(cls.story.host(), cls.story.root, cls.story.directory / "sandbox")
        )
        configuration = with_sandbox(cls.story, cls.sandbox.url)
        cls.daemon = cls.enterClassContext(Daemon(cls.story, configuration))

    def last_change(self) -> Event:
        changes = [c for c in self.story.copies() if c.exchange["type"] == "release-date.changed"]
        last = [copy for copy in changes if copy.party == POLICE][-1]
        return self.story.open(POLICE, last.path.read_bytes())

    def at_sandbox(self) -> MeshClient:
        client = MeshClient(
            self.sandbox.url,
            SENDER,
            PASSWORD,
            shared_key=SHARED_SECRET.encode(),
            cert=tuple(map(str, self.story.identity(PRISON, "tls"))),
            verify=str(self.story.root),
            max_retries=0,
        )
        self.addCleanup(client.close)
        return client

    def put(self, *messages: bytes) -> list[str]:
        sender = self.at_sandbox()
        return [sender.send_message(POLLED, sealed, workflow_id=NOTICE) for sealed in messages]

    def changed_date(self, date: str) -> bytes:
        before = self.last_change()["data"]
        change = {"previousReleaseDate": before["releaseDate"], "releaseDate": date}
        return self.story.seal(event("release-date.changed", PRISON, before | change))

    def assert_acknowledged_at_the_sandbox(self, sent: list[str]) -> None:
        sender = self.at_sandbox()
        until(lambda: {sender.track_message(m)["status"] for m in sent} == {"acknowledged"})

    def police_receive(self, date: str) -> None:
        client = self.story.client(POLICE)
        self.addCleanup(client.close)
        police = Inbox(self.story, POLICE, client)
        arrival = police.wait(lambda a: a.data.get("releaseDate") == date)
        self.assertEqual((arrival.event["source"], arrival.event["audience"]), (PRISON, POLICE))
        self.assertEqual(set(arrival.event["data"]), CHANGE)
        client.acknowledge_message(arrival.message.id())
        self.assertNotIn(arrival.message.id(), client.list_messages())
        self.assertEqual(self.state_of(arrival.event), "collected")

    def state_of(self, told: Event) -> str:
        """What the program says of the copy's delivery."""
        shown = run("show", told["decision"], "--json", "--config", self.story.configuration)
        recipients = json.loads(shown.stdout)["recipients"]
        return next(r["state"] for r in recipients if r["delivery"] == told["id"])

    def test_a_notice_put_into_the_sandbox_is_polled_delivered_and_acknowledged_there(self):
        sent = self.put(self.changed_date("2027-04-01"))
        self.police_receive("2027-04-01")
        self.assert_acknowledged_at_the_sandbox(sent)

    def test_what_cannot_be_opened_holds_up_nothing(self):
        """It is kept aside, acknowledged like the rest, and the next notice passes."""
        sent = self.put(b"not a sealed message", self.changed_date("2027-04-02"))
        self.police_receive("2027-04-02")
        self.assert_acknowledged_at_the_sandbox(sent)


if __name__ == "__main__":
    unittest.main()
