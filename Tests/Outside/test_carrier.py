"""A recipient whose mailbox is at the public MESH sandbox gets its copies there.

The police's mailbox is the sandbox's X26ABC3. The prison posts to Sallyport's own host; Sallyport
sends the police's copy on by its own mailbox at the sandbox, asks where it stands, and sends it
again when the sandbox reports that it was not collected.
"""

import json
import unittest
from pathlib import Path
from typing import Any

import requests
import yaml
from mesh_client import MeshClient

import schemas
from expected import CHANGE
from program import (
    NOTICE,
    SALLYPORT,
    SALLYPORT_MAILBOX,
    Daemon,
    Event,
    Inbox,
    Story,
    event,
    run,
    until,
)
from sandbox import PASSWORD, SHARED_SECRET, Sandbox
from test_sandbox import with_sandbox

PRISON, POLICE = "prison:durham", "police:durham"
OURS, POLICE_MAILBOX = "X26ABC2", "X26ABC3"


def with_carrier(story: Story, url: str) -> Path:
    """The kept configuration with the sandbox as inbox and as the police's carrier."""
    path = with_sandbox(story, url)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    carrier = {"inbox": "sandbox", "parties": [POLICE], "track_interval": "1s", "part": "1KiB"}
    document["carriers"] = [carrier]
    agreement = path.parent / document["agreement"]
    own = story.mailbox(POLICE)[0]
    elsewhere = agreement.read_text(encoding="utf-8").replace(own, POLICE_MAILBOX)
    (path.parent / "agreement-with-carrier.yaml").write_text(elsewhere, encoding="utf-8")
    document["agreement"] = "agreement-with-carrier.yaml"
    carried = path.parent / "with-carrier.yaml"
    carried.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return carried


class ACarrierForThePolice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared().copied()
        cls.addClassCleanup(cls.story.remove)
        cls.sandbox = cls.enterClassContext(
            Sandbox(cls.story.host(), cls.story.root, cls.story.directory / "sandbox")
        )
        cls.configuration = with_carrier(cls.story, cls.sandbox.url)
        cls.daemon = cls.enterClassContext(Daemon(cls.story, cls.configuration))

    def at_sandbox(self, mailbox: str) -> MeshClient:
        client = MeshClient(
            self.sandbox.url,
            mailbox,
            PASSWORD,
            shared_key=SHARED_SECRET.encode(),
            cert=tuple(map(str, self.story.identity(POLICE, "tls"))),
            verify=str(self.story.root),
            max_retries=0,
        )
        self.addCleanup(client.close)
        return client

    def post_change(self, date: str) -> None:
        """The prison's notice, put into Sallyport's mailbox at its own host."""
        changes = [c for c in self.story.copies() if c.exchange["type"] == "release-date.changed"]
        last = [copy for copy in changes if copy.party == POLICE][-1]
        before = self.story.open(POLICE, last.path.read_bytes())["data"]
        change = {"previousReleaseDate": before["releaseDate"], "releaseDate": date}
        sealed = self.story.seal(event("release-date.changed", PRISON, before | change))
        client = self.story.client(PRISON)
        self.addCleanup(client.close)
        client.send_message(SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE)

    def arrival(self, inbox: Inbox, date: str, after: int = 0) -> Any:
        """The copy with this date; the one after so many others of it."""
        until(lambda: inbox.look() or len(self.with_date(inbox, date)) > after)
        return self.with_date(inbox, date)[after]

    @staticmethod
    def with_date(inbox: Inbox, date: str) -> list[Any]:
        return [a for a in inbox.arrived.values() if a.data.get("releaseDate") == date]

    def police(self) -> Inbox:
        return Inbox(self.story, POLICE, self.at_sandbox(POLICE_MAILBOX))

    def recipient(self, told: Event) -> dict[str, Any]:
        """What the program says of the copy's delivery."""
        shown = run("show", told["decision"], "--json", "--config", self.configuration)
        recipients = json.loads(shown.stdout)["recipients"]
        return next(r for r in recipients if r["delivery"] == told["id"])

    def test_the_copy_arrives_in_parts_under_its_delivery_id_and_is_known_to_be_collected(self):
        self.post_change("2027-05-01")
        arrival = self.arrival(self.police(), "2027-05-01")
        self.assertEqual(set(arrival.data), CHANGE)
        self.assertEqual(arrival.message.sender, OURS)
        self.assertEqual(arrival.message.local_id, arrival.event["id"])
        self.assertGreater(len(arrival.sealed), 1024)
        self.assertEqual(self.recipient(arrival.event)["state"], "pending")
        arrival.message.acknowledge()
        until(lambda: self.recipient(arrival.event)["state"] == "collected")

    def test_what_the_carrier_reports_uncollected_is_sent_again_under_the_same_id(self):
        self.post_change("2027-05-02")
        inbox = self.police()
        first = self.arrival(inbox, "2027-05-02")
        until(lambda: self.recipient(first.event)["carriage"]["state"] == "sent")
        report = {
            "mailbox_id": OURS,
            "code": "14",
            "description": "Message not collected by recipient after 5 days",
            "workflow_id": NOTICE,
            "local_id": first.event["id"],
            "status": "undeliverable",
            "linked_message_id": first.message.id(),
        }
        tls = tuple(map(str, self.story.identity(SALLYPORT, "tls")))
        answer = requests.post(
            f"{self.sandbox.url}/messageexchange/admin/report",
            json=report,
            cert=tls,
            verify=str(self.story.root),
            timeout=30,
        )
        answer.raise_for_status()
        second = self.arrival(inbox, "2027-05-02", after=1)
        self.assertEqual(second.event["id"], first.event["id"])
        self.assertEqual(second.sealed, first.sealed)
        self.assertEqual(self.recipient(first.event)["carriage"]["returns"], 1)
        second.message.acknowledge()
        until(lambda: self.recipient(first.event)["state"] == "collected")

    def test_the_police_have_no_mailbox_on_our_host_any_more(self):
        client = self.story.client(POLICE)
        self.addCleanup(client.close)
        with self.assertRaises(requests.HTTPError) as refused:
            client.list_messages()
        self.assertEqual(refused.exception.response.status_code, 403)

    def test_an_inbox_is_polled_when_somebody_asks(self):
        done = run("inbox", "poll", "sandbox", "--json", "--config", self.configuration)
        self.assertEqual(done.returncode, 0, done.stderr)
        polled = json.loads(done.stdout)
        self.assertEqual((polled["done"], polled["code"]), (True, None))
        self.assertEqual(schemas.errors("inbox-poll", done.stdout), [])
        unknown = run("inbox", "poll", "elsewhere", "--config", self.configuration)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("CTRL-020", unknown.stderr)

    def test_check_names_a_party_that_no_agreement_has(self):
        document = yaml.safe_load(self.configuration.read_text(encoding="utf-8"))
        document["carriers"][0]["parties"] = [POLICE, "police:nowhere"]
        wrong = self.configuration.with_name("wrong-carrier.yaml")
        wrong.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        checked = run("check", "--config", wrong)
        self.assertEqual(checked.returncode, 78)
        self.assertIn("CONF-013", checked.stdout)


if __name__ == "__main__":
    unittest.main()
