"""What senders are told of their own messages: posted by the public client, opened by OpenSSL, proved
by code of this folder against the ledger's public key alone."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import schemas
from expected import (
    IMMIGRATION,
    J,
    JOBCENTRE,
    OFFENCE,
    PERSONAL,
    PERSONS,
    POLICE,
    PRISON,
    PROBATION,
    SENDERS_REFERENCE,
)
from ledger_verify import Refused, parse_key
from program import (
    NOTICE,
    SALLYPORT,
    SALLYPORT_MAILBOX,
    Arrival,
    Daemon,
    Event,
    Inbox,
    Story,
    event,
    run,
    until,
)
from tlog_proof import prove

ACKNOWLEDGEMENT = "SALLYPORT_NOTICE_ACK"
EVERYBODY = [PRISON, POLICE, PROBATION, JOBCENTRE, IMMIGRATION]
ATTRIBUTES = {"specversion", "id", "source", "type", "time", "subject", "audience", "data"}
ATTRIBUTES |= {"datacontenttype"}
DATA = {"outcome", "reasons", "decision", "receivedAt", "entry", "proof"}


class Receipts(unittest.TestCase):
    story: Story
    restriction_data: dict[str, Any]

    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared().copied()
        cls.addClassCleanup(cls.story.remove)
        copy = next(
            c for c in cls.story.copies() if c.exchange["type"] == "mappa-j.issued.release"
        )
        cls.restriction_data = cls.story.open(copy.party, copy.path.read_bytes())["data"]
        cls.enterClassContext(Daemon(cls.story))
        cls.key = parse_key(cls.story.text("ledger/vkey"))

    def setUp(self):
        self.inboxes = {}
        for party in EVERYBODY:
            client = self.story.client(party)
            self.addCleanup(client.close)
            self.inboxes[party] = Inbox(self.story, party, client)

    def post(self, by: str, sealed: bytes) -> str:
        client = self.inboxes[by].client
        return client.send_message(SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE)

    def receipt_of(self, notice: Event, party: str | None = None, number: int = 1) -> Arrival:
        """The nth receipt of a notice, at its source or another, checked in all that is the same."""
        inbox = self.inboxes[party or notice["source"]]

        def found() -> list[Arrival]:
            return [
                a for a in inbox.arrived.values()
                if a.event.get("type") == "receipt.issued"
                and a.event.get("correlationid") == notice["id"]
            ]

        inbox.wait(lambda _: len(found()) >= number)
        receipt = found()[number - 1]
        self.check(receipt, inbox.party)
        return receipt

    def check(self, receipt: Arrival, party: str) -> None:
        got = receipt.event
        self.assertEqual(set(got) - {"correlationid"}, ATTRIBUTES)
        self.assertEqual((got["source"], got["audience"]), (SALLYPORT, party))
        self.assertEqual(set(got["data"]) - {"firstOutcome"}, DATA)
        self.assertEqual(receipt.message.workflow_id, ACKNOWLEDGEMENT)
        self.assertEqual(receipt.message.id(), got["id"].replace("-", "").upper())
        entry = json.loads(got["data"]["entry"])
        if "firstOutcome" not in got["data"]:
            self.assertEqual(entry["exchange"], got["data"]["decision"])
        proved = prove(got["data"]["entry"].encode(), got["data"]["proof"], self.key)
        self.assertLess(proved.index, proved.size)
        said = json.dumps(got) + "".join(v for _, v in receipt.message.mex_headers())
        for value in PERSONAL | {SENDERS_REFERENCE}:
            self.assertNotIn(value, said)

    def nobody_else(self, notice: Event, party: str) -> None:
        self.settled()
        for other in set(EVERYBODY) - {party}:
            self.inboxes[other].look()
            told = [a.event.get("correlationid") for a in self.receipts(other)]
            self.assertNotIn(notice["id"], told, other)

    def receipts(self, party: str) -> list[Arrival]:
        arrived = self.inboxes[party].arrived.values()
        return [a for a in arrived if a.event.get("type") == "receipt.issued"]

    def settled(self) -> None:
        self.story.settle()
        until(lambda: self.story.status()["receiptDueSince"] is None)

    def restriction(self, reference: str, **more: Any) -> Event:
        own = PERSONS[1] | {"offenderAware": True, "reference": reference, "offence": OFFENCE}
        data = {f: self.restriction_data[f] for f in J} | own | more
        return event("mappa-j.issued.release", PROBATION, data)

    def test_what_is_shared_is_receipted_as_accepted(self):
        notice = self.restriction("MJ-R001")
        self.post(PROBATION, self.story.seal(notice))
        data = self.receipt_of(notice).data
        self.assertEqual((data["outcome"], data["reasons"]), ("accepted", []))
        shown = json.loads(
            run("show", data["decision"], "--json", "--config", self.story.configuration).stdout
        )
        self.assertEqual((shown["type"], shown["outcome"]), (notice["type"], "shared"))
        # Nothing of whom it reached.
        told = json.dumps(data)
        for recipient in shown["recipients"]:
            self.assertNotIn(recipient["party"], told)
            self.assertNotIn(recipient["delivery"], told)
        self.nobody_else(notice, PROBATION)

    def test_a_refusal_is_told_by_its_rule(self):
        notice = self.restriction("MJ-R002", endDate="2020-01-01")
        self.post(PROBATION, self.story.seal(notice))
        data = self.receipt_of(notice).data
        self.assertEqual((data["outcome"], data["reasons"]), ("refused", ["RET-02"]))

    def test_a_hold_is_told_and_what_a_person_may_settle(self):
        notice = self.restriction("MJ-R003", note="Served a sentence for robbery; see file.")
        self.post(PROBATION, self.story.seal(notice))
        data = self.receipt_of(notice).data
        self.assertEqual((data["outcome"], data["reasons"]), ("held", ["FREE-01"]))
        exchange = data["decision"]
        released = run(
            "release", exchange, "--reason", "read with the sender",
            "--config", self.story.configuration,
        )
        self.assertEqual(released.returncode, 0, released.stderr)
        data = self.receipt_of(notice, number=2).data
        self.assertEqual((data["outcome"], data["decision"]), ("accepted", exchange))

    def test_a_repeat_is_receipted_again_with_the_first_decision(self):
        notice = self.restriction("MJ-R004")
        self.post(PROBATION, self.story.seal(notice))
        first = self.receipt_of(notice).data
        self.post(PROBATION, self.story.seal(notice))
        again = self.receipt_of(notice, number=2).data
        self.assertEqual(again["outcome"], "duplicate")
        self.assertEqual(again["firstOutcome"], "accepted")
        self.assertEqual(again["decision"], first["decision"])
        self.assertNotEqual(again["entry"], first["entry"])

    def test_other_content_under_a_used_id_is_told(self):
        notice = self.restriction("MJ-R005")
        self.post(PROBATION, self.story.seal(notice))
        self.receipt_of(notice)
        other = notice | {"data": notice["data"] | {"staffRisk": True}}
        self.post(PROBATION, self.story.seal(other))
        data = self.receipt_of(notice, number=2).data
        self.assertEqual((data["outcome"], data["reasons"]), ("set-aside", ["INTK-001"]))

    def test_what_does_not_open_has_one_code_for_whoever_handed_it_in(self):
        sealed = bytearray(self.story.seal(self.restriction("MJ-R006")))
        sealed[len(sealed) // 2] ^= 1
        self.settled()
        self.inboxes[POLICE].look()
        before = {a.event["id"] for a in self.receipts(POLICE)}
        for message in (bytes(sealed), b"nothing of ours", bytes(sealed[:100])):
            self.post(POLICE, message)
        self.settled()
        self.inboxes[POLICE].look()
        new = [a for a in self.receipts(POLICE) if a.event["id"] not in before]
        anonymous = [a for a in new if "correlationid" not in a.event]
        self.assertEqual(len(anonymous), 3)
        for receipt in anonymous:
            self.check(receipt, POLICE)
            self.assertEqual(receipt.data["outcome"], "set-aside")
            self.assertEqual(receipt.data["reasons"], ["SEAL-000"])

    def test_a_notice_signed_for_another_is_told_to_its_signer_alone(self):
        """Police sign what says that it is probation's, and probation's mailbox posts it."""
        forged = self.restriction("MJ-R007")
        self.post(PROBATION, self.story.seal(forged, signed_by=POLICE))
        self.settled()
        inbox = self.inboxes[POLICE]
        inbox.look()
        told = [a.data["reasons"] for a in self.receipts(POLICE)]
        self.assertIn(["SEAL-031"], told)
        self.inboxes[PROBATION].look()
        self.assertNotIn(["SEAL-031"], [a.data["reasons"] for a in self.receipts(PROBATION)])

    def test_what_calls_itself_a_receipt_gets_none(self):
        claimed = event("receipt.issued", POLICE, {"outcome": "accepted"})
        self.post(POLICE, self.story.seal(claimed))
        self.nobody_else(claimed, "")

    def test_no_jobcentre_learns_whether_somebody_is_known(self):
        """An answer that rests on what is on record is refused without a word on the record."""
        answer = event(
            "mappa-j.acknowledged",
            JOBCENTRE,
            {"receivedOn": "2026-01-05", "adviserContact": "Desk", "jReference": "MJ-NONE"},
        )
        self.post(JOBCENTRE, self.story.seal(answer))
        data = self.receipt_of(answer).data
        self.assertEqual((data["outcome"], data["reasons"]), ("refused", ["ANS-01"]))
        person = PERSONS[5] | {"releasedOn": "2026-01-05", "place": "Invented"}
        data = event("fno.released", JOBCENTRE, person)
        self.post(JOBCENTRE, self.story.seal(data))
        told = self.receipt_of(data).data
        self.assertEqual(told["outcome"], "refused")
        self.assertEqual(told["reasons"], ["SND-02"])

    def test_the_proof_fails_for_anything_else(self):
        notice = self.restriction("MJ-R008")
        self.post(PROBATION, self.story.seal(notice))
        data = self.receipt_of(notice).data
        entry, proof = data["entry"].encode(), data["proof"]
        for wrong in (entry + b" ", entry.replace(b"message", b"service")):
            with self.assertRaises(Refused):
                prove(wrong, proof, self.key)
        index = proof.splitlines()[1]
        with self.assertRaises(Refused):
            prove(entry, proof.replace(index, "index 0"), self.key)
        other = "relay.example.org/audit+d3284c32+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
        with self.assertRaises(Refused):
            prove(entry, proof, parse_key(other))

    def test_the_stand_alone_verifier_says_so_too(self):
        notice = self.restriction("MJ-R009")
        self.post(PROBATION, self.story.seal(notice))
        receipt = self.receipt_of(notice)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(receipt.event, file)
            file.flush()
            vkey = self.story.directory / "ledger/vkey"
            done = subprocess.run(
                [sys.executable, Path(__file__).with_name("tlog_proof.py"),
                 "--key", f"@{vkey}", file.name],
                capture_output=True, text=True,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, r"^proved [0-9]+ of [0-9]+\n$")
            ours = run("audit", "receipt", "--key", f"@{vkey}", file.name, "--json")
            self.assertEqual(ours.returncode, 0, ours.stdout + ours.stderr)
            self.assertTrue(json.loads(ours.stdout)["proved"])
            self.assertEqual(schemas.errors("audit-receipt", ours.stdout), [])
            receipt.event["data"]["entry"] += " "
            file.seek(0)
            json.dump(receipt.event, file)
            file.flush()
            ours = run("audit", "receipt", "--key", f"@{vkey}", file.name)
            self.assertEqual(ours.returncode, 1, ours.stdout)
            self.assertIn("LEDG-051", ours.stdout)

    def test_explain_says_what_its_sender_is_told(self):
        notice = self.restriction("MJ-R010", endDate="2020-01-02")
        self.post(PROBATION, self.story.seal(notice))
        decision = self.receipt_of(notice).data["decision"]
        done = run("explain", decision, "--config", self.story.configuration)
        self.assertIn(f"Receipt: {PROBATION} is told refused.", done.stdout)
        self.assertIn("Receipt: it is told RET-02.", done.stdout)
        self.assertIn("RCPT-05", done.stdout)


if __name__ == "__main__":
    unittest.main()
