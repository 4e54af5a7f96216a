"""The demo story, checked from outside: every sealed copy is opened with OpenSSL and compared.

What each recipient should have been told comes from `expected`, which is written by hand.
"""

import datetime
import hashlib
import json
import subprocess
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import cms
from expected import (
    DOCUMENT,
    GETS_THE_DOCUMENT,
    JOBCENTRE,
    NEVER_IN_A_J,
    NEVER_SAID_IN_A_J,
    PERSONAL,
    PERSONS,
    PROBATION,
    PURPOSES,
    Receipted,
    SENDERS_REFERENCE,
    STORY,
    Step,
    Told,
)
from ledger_verify import parse_key
from pki import Identity
from program import SALLYPORT, Copy, Event, Story
from tlog_proof import prove

ATTRIBUTES = {
    *("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"),
    *("audience", "owner", "purpose", "basis", "decision", "policydigest"),
}


class Opened(NamedTuple):
    step: Step
    told: Told
    copy: Copy
    event: Event


class TheDemoStory(unittest.TestCase):
    story: Story
    opened: list[Opened]

    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared()
        steps = {e["id"]: step for e, step in zip(cls.story.exchanges, STORY)}
        cls.opened = []
        for copy in cls.story.copies():
            step = steps[copy.exchange["id"]]
            told = step.told.get(copy.party, Told(frozenset(), "", ""))
            event = cls.story.open(copy.party, copy.path.read_bytes())
            cls.opened.append(Opened(step, told, copy, event))

    def each(self, *kinds: str) -> Iterator[Opened]:
        chosen = [o for o in self.opened if not kinds or o.step.kind in kinds]
        self.assertTrue(chosen)
        yield from chosen

    def where(self, opened: Opened):
        return self.subTest(type=opened.step.kind, recipient=opened.copy.party)

    def test_every_step_ends_as_it_should(self):
        steps = [(s.kind, s.sender, s.outcome, s.code) for s in STORY]
        ended = [(e["type"], e["sender"], e["outcome"], e["code"]) for e in self.story.exchanges]
        self.assertEqual(ended, steps)

    def test_every_step_reaches_exactly_those_that_it_should(self):
        for exchange, step in zip(self.story.exchanges, STORY, strict=True):
            with self.subTest(type=step.kind):
                parties = [recipient["party"] for recipient in exchange["recipients"]]
                self.assertEqual(sorted(parties), sorted(step.told))

    def test_every_sender_is_told_exactly_what_it_may_know(self):
        """Opened by OpenSSL with the sender's key, and proved by the ledger's key alone."""
        key = parse_key(self.story.text("ledger/vkey"))
        kept = set()
        for exchange, step in zip(self.story.exchanges, STORY, strict=True):
            with self.subTest(type=step.kind, outcome=step.outcome):
                told = []
                for receipt in exchange["receipts"]:
                    folder = self.story.directory / "receipts" / Story.folder(receipt["party"])
                    path = folder / f"{receipt['delivery']}.p7m"
                    kept.add(path)
                    event = self.story.open(receipt["party"], path.read_bytes())
                    data = event["data"]
                    self.assertEqual(event["type"], "receipt.issued")
                    self.assertEqual(event["audience"], receipt["party"])
                    prove(data["entry"].encode(), data["proof"], key)
                    self.assertEqual(data["reasons"], receipt["told"])
                    reasons = tuple(data["reasons"])
                    first = data.get("firstOutcome")
                    told.append(Receipted(receipt["party"], data["outcome"], reasons, first))
                self.assertEqual(told, step.receipts)
        self.assertEqual(set((self.story.directory / "receipts").glob("*/*")), kept)

    def test_every_copy_holds_exactly_the_fields_that_its_recipient_is_to_know(self):
        for opened in self.each():
            with self.where(opened):
                self.assertEqual(set(opened.event["data"]), opened.told.fields)

    def test_what_is_reported_is_what_was_sent_and_what_was_withheld(self):
        for opened in self.each():
            with self.where(opened):
                recipient = opened.copy.recipient
                self.assertEqual(sorted(recipient["shared"]), sorted(opened.told.fields))
                withheld = [entry["field"] for entry in recipient["withheld"]]
                self.assertEqual(sorted(withheld), sorted(opened.step.sent - opened.told.fields))
                for entry in recipient["withheld"]:
                    self.assertRegex(
                        entry["reason"], r"^(no-rule|forbidden): [A-Z]+-[0-9]+, .+ [0-9.]+"
                    )

    def test_every_copy_speaks_of_the_right_person(self):
        for opened in self.each():
            with self.where(opened):
                for field, value in PERSONS[opened.step.person].items():
                    self.assertEqual(opened.event["data"].get(field, value), value, field)

    def test_a_document_arrives_whole_where_it_should_and_nowhere_else(self):
        named = {
            "mediatype": "application/pdf",
            "length": len(DOCUMENT),
            "sha256": hashlib.sha256(DOCUMENT).hexdigest(),
        }
        for opened in self.each():
            with self.where(opened):
                party = opened.copy.party
                sealed = opened.copy.path.read_bytes()
                gets = (opened.step.kind, party) in GETS_THE_DOCUMENT
                self.assertEqual(
                    self.story.open_whole(party, sealed)[1], [DOCUMENT] if gets else []
                )
                self.assertEqual(opened.event["data"].get("minutes"), named if gets else None)

    def test_the_dates_that_arrive_are_those_of_the_story(self):
        today = datetime.datetime.now(ZoneInfo("Europe/London")).date()
        dates = {}
        for opened in self.each("release-date.confirmed", "release-date.changed"):
            data = opened.event["data"]
            self.assertGreater(data["releaseDate"], today.isoformat())
            dates.setdefault(opened.copy.party, []).append(
                (data.get("previousReleaseDate"), data["releaseDate"])
            )
        for (_, first), (replaced, second) in dates.values():
            moved = datetime.date.fromisoformat(first) - datetime.date.fromisoformat(second)
            self.assertEqual((replaced, moved.days), (first, 21))

    def test_whatever_was_collected_opens_with_its_recipients_key_and_no_other(self):
        """Every private key of every party is tried on every file."""
        files = sorted((self.story.directory / "collected").glob("*/*.p7m"))
        self.assertEqual(files, sorted(o.copy.path for o in self.opened))
        keys = {
            path.relative_to(self.story.directory / "pki"): Identity(path.with_suffix(".pem"), path)
            for path in (self.story.directory / "pki").glob("*/*.key")
        }
        self.assertEqual(len(keys), 9 * 3)

        def tried(pair: tuple[Path, Path]) -> bool:
            for_reading = pair[1].name == "encryption.key"
            return cms.can_open(pair[0].read_bytes(), *keys[pair[1]], named=for_reading)

        pairs = list(product(files, keys))
        with ThreadPoolExecutor(4) as pool:
            able = {pair for pair, opens in zip(pairs, pool.map(tried, pairs)) if opens}
        self.assertEqual(able, {(f, Path(f.parent.name, "encryption.key")) for f in files})

    def test_every_copy_is_signed_by_sallyport_and_by_nobody_else(self):
        signers = {p.parent.name: p for p in (self.story.directory / "pki").glob("*/signing.pem")}
        ours = Story.folder(SALLYPORT)
        for opened in self.each():
            reader = self.story.identity(opened.copy.party, "encryption")
            signed = cms.decrypt(opened.copy.path.read_bytes(), *reader)
            cms.verify(signed, signers[ours], self.story.root)
            for name, certificate in signers.items():
                if name != ours:
                    with self.subTest(signer=name), self.assertRaises(
                        subprocess.CalledProcessError
                    ):
                        cms.verify(signed, certificate, self.story.root)

    def test_every_copy_is_sealed_with_the_agreed_algorithms(self):
        for opened in self.each():
            sealed = opened.copy.path.read_bytes()
            outer = cms.structure(sealed)
            self.assertIn("id-smime-ct-authEnvelopedData", outer)
            self.assertIn("aes-256-gcm", outer)
            self.assertRegex(outer, "stdDH-sha256kdf-scheme|rsaesOaep")
            reader = self.story.identity(opened.copy.party, "encryption")
            inner = cms.structure(cms.decrypt(sealed, *reader))
            self.assertRegex(inner, r"certificates:\s+<ABSENT>")
            self.assertIn("sha256", inner)

    def test_every_envelope_names_originator_recipient_and_delivery_and_no_more(self):
        deliveries = set()
        for opened in self.each():
            step, told, copy, event = opened
            with self.where(opened):
                more = {"ackby"} if step.kind == "mappa-j.issued.release" else set()
                more |= {"correlationid"} if step.kind == "mappa-j.acknowledged" else set()
                # Nobody registered this person, which the police must know (G 15.7, 10.21).
                more |= {"flags"} if step.kind == "release.unexpected" else set()
                self.assertEqual(set(event), ATTRIBUTES | more)
                self.assertEqual(event.get("flags", "person-not-known"), "person-not-known")
                self.assertEqual(event["specversion"], "1.0")
                self.assertEqual(event["id"], copy.recipient["delivery"])
                self.assertEqual(event["type"], step.kind)
                self.assertEqual((event["source"], event["owner"]), (step.sender, step.sender))
                self.assertEqual(event["audience"], copy.party)
                self.assertEqual(event["basis"], told.basis)
                self.assertEqual(event["purpose"], PURPOSES[told.basis])
                self.assertEqual(event["decision"], copy.exchange["id"])
                self.assertEqual(event.get("ackby"), copy.recipient.get("ackBy"))
                deliveries.add(event["id"])
        self.assertEqual(len(deliveries), len(self.opened))

    def test_every_recipient_knows_each_person_by_a_reference_of_its_own(self):
        references: dict[tuple[str, int], set[str]] = {}
        for opened in self.each():
            one = references.setdefault((opened.copy.party, opened.step.person), set())
            one.add(opened.event["subject"])
            self.assertNotIn(SENDERS_REFERENCE, json.dumps(opened.event))
        self.assertEqual({len(known) for known in references.values()}, {1})
        self.assertEqual(len(set().union(*references.values())), len(references))

    def test_no_envelope_speaks_of_the_person(self):
        for opened in self.each():
            outside = {name: part for name, part in opened.event.items() if name != "data"}
            for value in PERSONAL:
                self.assertNotIn(value, json.dumps(outside))

    def test_no_j_speaks_of_offence_or_address(self):
        for opened in self.each("mappa-j.issued.release"):
            self.assertEqual(set(opened.event["data"]) & NEVER_IN_A_J, set())
            said = json.dumps(opened.event["data"]).lower()
            for word in NEVER_SAID_IN_A_J:
                self.assertNotRegex(said, rf"\b{word}")

    def test_nothing_the_jobcentre_gets_says_what_it_may_not_know(self):
        wanted = {"Invented Person One", "Invented Person Three"}
        for opened in self.each():
            if opened.copy.party == JOBCENTRE:
                said = json.dumps(opened.event)
                for value in PERSONAL - wanted:
                    self.assertNotIn(value, said)

    def test_the_j_asks_for_an_answer_and_the_story_gives_it(self):
        sent = {o.event["data"]["reference"]: o for o in self.each("mappa-j.issued.release")}
        answers = {o.event["data"]["jReference"]: o for o in self.each("mappa-j.acknowledged")}
        self.assertEqual(set(sent), {"MJ-1001", "MJ-1004"})
        self.assertEqual(set(answers), set(sent))
        for reference, j in sent.items():
            self.assertEqual(answers[reference].copy.party, PROBATION)
            self.assertRegex(j.event["ackby"], r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
            self.assertEqual(j.copy.recipient["state"], "acknowledged")
            # Probation's own id of the J, which the Jobcentre never saw.
            correlation = answers[reference].event["correlationid"]
            self.assertNotIn(correlation, json.dumps(j.event))
        owed = [
            (d["delivery"], d["owedBy"], d["owedTo"], d["state"], d["due"])
            for d in self.story.document["deadlines"]
        ]
        self.assertEqual(
            sorted(owed),
            sorted(
                (j.event["id"], JOBCENTRE, PROBATION, "met", j.event["ackby"])
                for j in sent.values()
            ),
        )

    def test_nothing_personal_lies_in_plain_in_what_is_kept_or_was_said(self):
        """Not in the store, its log of writes, the ledger, the configuration or the output."""
        births = {o.event["data"].get("dateOfBirth") for o in self.opened} - {None}
        self.assertEqual(len(births), 2)
        known = PERSONAL | births | {SENDERS_REFERENCE}
        kept = [path for path in self.story.directory.rglob("*") if path.is_file()]
        self.assertIn("sallyport.db", {path.name for path in kept})
        for path in kept:
            content = path.read_bytes()
            for value in known:
                self.assertNotIn(value.encode(), content, path.name)
        for value in known:
            self.assertNotIn(value, self.story.output + self.story.errors)


if __name__ == "__main__":
    unittest.main()
