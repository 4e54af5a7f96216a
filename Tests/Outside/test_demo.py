"""The demo story, checked from outside: every sealed copy is opened with OpenSSL and compared.

What each recipient should have been told comes from `expected`, which is written by hand.
"""

import json
import subprocess
import unittest

import cms
from expected import NEVER_IN_A_J, NEVER_SAID_IN_A_J, NOTICES
from program import SALLYPORT, Copy, Event, Story, run

OUTCOMES = {"shared", "held", "refused", "set-aside"}


def role(party: str) -> str:
    return party.partition(":")[0]


def setUpModule():
    TheDemoStory.story = TheCommands.story = Story()
    unittest.addModuleCleanup(TheDemoStory.story.remove)


class TheDemoStory(unittest.TestCase):
    story: Story
    copies: list[Copy]
    events: list[Event]

    @classmethod
    def setUpClass(cls):
        cls.copies = list(cls.story.copies())
        cls.events = [cls.story.open(c.party, c.path.read_bytes()) for c in cls.copies]

    def each(self):
        for copy, event in zip(self.copies, self.events, strict=True):
            with self.subTest(type=copy.exchange["type"], recipient=copy.party):
                yield copy, event

    def test_the_exchanges_are_those_that_the_table_knows(self):
        for exchange in self.story.exchanges:
            with self.subTest(exchange=exchange["id"], type=exchange["type"]):
                self.assertIn(exchange["outcome"], OUTCOMES)
                if exchange["outcome"] == "shared":
                    self.assertIn(exchange["type"], NOTICES)
                    self.assertIn(role(exchange["sender"]), NOTICES[exchange["type"]].sender)
                    told = {role(recipient["party"]) for recipient in exchange["recipients"]}
                    self.assertEqual(told, set(NOTICES[exchange["type"]].told))

    def test_the_story_tells_of_every_core_exchange(self):
        shared = [e["type"] for e in self.story.exchanges if e["outcome"] == "shared"]
        order = ["case.registered", "release-date.confirmed", "release-date.changed"]
        order += ["mappa-j.issued.release", "mappa-j.acknowledged"]
        self.assertEqual([shared.index(t) for t in order], sorted(shared.index(t) for t in order))
        for kind in ("release.unexpected", "transfer.level1-notified", "fno.released"):
            self.assertIn(kind, shared)

    def test_what_was_not_shared_reached_nobody(self):
        for exchange in self.story.exchanges:
            if exchange["outcome"] != "shared":
                self.assertTrue(exchange["code"], exchange["id"])
                for recipient in exchange["recipients"]:
                    self.assertFalse(recipient["shared"])

    def test_every_copy_opens_with_its_recipients_key_and_no_other(self):
        keys = self.story.encryption_keys()
        self.assertGreater(len(self.copies), 0)
        for copy, _ in self.each():
            sealed = copy.path.read_bytes()
            able = {name for name, key in keys.items() if cms.can_open(sealed, *key)}
            self.assertEqual(able, {Story.folder(copy.party)})

    def test_whatever_a_party_collected_is_sealed_to_it_alone(self):
        keys = self.story.encryption_keys()
        files = sorted((self.story.directory / "collected").glob("*/*.p7m"))
        self.assertGreaterEqual(len(files), len(self.copies))
        for path in files:
            sealed = path.read_bytes()
            able = {name for name, key in keys.items() if cms.can_open(sealed, *key)}
            self.assertEqual(able, {path.parent.name}, path.name)

    def test_every_copy_is_signed_by_sallyport_and_by_nobody_else(self):
        others = {exchange["sender"] for exchange in self.story.exchanges}
        for copy, _ in self.each():
            reader = self.story.identity(copy.party, "encryption")
            signed = cms.decrypt(copy.path.read_bytes(), *reader)
            ours = self.story.identity(SALLYPORT, "signing").certificate
            cms.verify(signed, ours, self.story.root)
            for other in others:
                theirs = self.story.identity(other, "signing").certificate
                with self.assertRaises(subprocess.CalledProcessError):
                    cms.verify(signed, theirs, self.story.root)

    def test_every_copy_is_sealed_with_the_agreed_algorithms(self):
        for copy, _ in self.each():
            sealed = copy.path.read_bytes()
            outer = cms.structure(sealed)
            self.assertIn("id-smime-ct-authEnvelopedData", outer)
            self.assertIn("aes-256-gcm", outer)
            self.assertRegex(outer, "stdDH-sha256kdf-scheme|rsaesOaep")
            reader = self.story.identity(copy.party, "encryption")
            inner = cms.structure(cms.decrypt(sealed, *reader))
            self.assertRegex(inner, r"certificates:\s+<ABSENT>")
            self.assertIn("sha256", inner)

    def test_every_copy_holds_exactly_what_its_recipient_should_be_told(self):
        for copy, event in self.each():
            told = NOTICES[copy.exchange["type"]].told[role(copy.party)]
            held = set(event["data"])
            self.assertEqual(held - told.needed - told.allowed, set(), "one field too many")
            self.assertEqual(told.needed - held, set(), "a field that was needed is missing")

    def test_what_is_reported_as_shared_is_what_was_sent(self):
        for copy, event in self.each():
            self.assertEqual(sorted(copy.recipient["shared"]), sorted(event["data"]))
            withheld = {entry["field"] for entry in copy.recipient["withheld"]}
            self.assertEqual(withheld & set(event["data"]), set())
            for entry in copy.recipient["withheld"]:
                self.assertTrue(entry["reason"], entry["field"])

    def test_every_envelope_names_originator_recipient_and_delivery(self):
        for copy, event in self.each():
            self.assertEqual(event["specversion"], "1.0")
            self.assertEqual(event["id"], copy.recipient["delivery"])
            self.assertEqual(event["type"], copy.exchange["type"])
            self.assertEqual(event["source"], copy.exchange["sender"])
            self.assertEqual(event.get("owner", event["source"]), copy.exchange["sender"])
            self.assertEqual(event["audience"], copy.party)
            for attribute in ("time", "subject", "purpose", "basis", "decision", "policydigest"):
                self.assertTrue(event.get(attribute), attribute)
            if copy.recipient.get("ackBy"):
                self.assertEqual(event.get("ackby"), copy.recipient["ackBy"])

    def test_each_recipient_knows_the_person_by_another_reference(self):
        by_party: dict[str, set[str]] = {}
        for copy, event in self.each():
            by_party.setdefault(copy.party, set()).add(event["subject"])
        parties = list(by_party)
        for one in parties:
            for other in parties:
                if one < other:
                    self.assertEqual(by_party[one] & by_party[other], set(), (one, other))

    def test_no_envelope_speaks_of_the_person(self):
        """Outside `data` nothing identifies anybody, and nothing tells a level or an offence."""
        known = self.personal_values()
        for _, event in self.each():
            outside = json.dumps({name: part for name, part in event.items() if name != "data"})
            for value in known:
                self.assertNotIn(value, outside)

    def test_no_j_speaks_of_offence_or_address(self):
        found = 0
        for copy, event in self.each():
            if not copy.exchange["type"].startswith("mappa-j.") or role(copy.party) != "jobcentre":
                continue
            found += 1
            self.assertEqual(set(event["data"]) & NEVER_IN_A_J, set())
            said = json.dumps(event["data"]).lower()
            for word in NEVER_SAID_IN_A_J:
                self.assertNotRegex(said, rf"\b{word}")
        self.assertGreater(found, 0)

    def test_the_j_asks_for_an_answer_and_the_story_gives_it(self):
        issued = [c for c in self.copies if c.exchange["type"] == "mappa-j.issued.release"]
        answers = [e for c, e in self.each() if c.exchange["type"] == "mappa-j.acknowledged"]
        self.assertTrue(issued)
        self.assertTrue(answers)
        for copy in issued:
            self.assertRegex(copy.recipient["ackBy"], r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")
        for answer in answers:
            self.assertTrue(answer.get("correlationid"))

    def test_nothing_personal_lies_in_plain_in_what_is_kept(self):
        """Not in the store, its log of writes, the ledger, the configuration or the output."""
        known = [value.encode() for value in self.personal_values()]
        kept = [path for path in self.story.directory.rglob("*") if path.is_file()]
        for path in kept:
            content = path.read_bytes()
            for value in known:
                self.assertNotIn(value, content, path.name)
        for value in known:
            self.assertNotIn(value.decode(), self.story.output)

    def personal_values(self) -> set[str]:
        """Names and identifiers of the invented persons, as the copies hold them."""
        wanted = ("name", "prisonNumber", "pncId", "crn")
        found = {event["data"].get(field) for event in self.events for field in wanted}
        values = {value for value in found if isinstance(value, str) and len(value) >= 5}
        self.assertTrue(values)
        return values


class TheCommands(unittest.TestCase):
    story: Story

    def ask(self, *arguments: object) -> subprocess.CompletedProcess:
        return run(*arguments, "--config", self.story.configuration)

    def test_each_exchange_can_be_explained_and_shown(self):
        for exchange in self.story.exchanges:
            for command in ("explain", "show"):
                with self.subTest(command=command, type=exchange["type"]):
                    done = self.ask(command, exchange["id"])
                    self.assertEqual(done.returncode, 0, done.stderr)
                    for recipient in exchange["recipients"]:
                        self.assertIn(recipient["party"], done.stdout)

    def test_the_explanation_gives_a_reason_for_each_field(self):
        for exchange in self.story.exchanges:
            done = self.ask("explain", exchange["id"])
            for recipient in exchange["recipients"]:
                for field in recipient["shared"]:
                    self.assertIn(field, done.stdout)
                for withheld in recipient["withheld"]:
                    self.assertIn(withheld["field"], done.stdout)

    def test_an_unknown_exchange_is_an_error(self):
        for command in ("explain", "show"):
            done = self.ask(command, "00000000-0000-7000-8000-000000000000")
            self.assertNotEqual(done.returncode, 0)
            self.assertTrue(done.stderr.strip())

    def test_the_status_is_json(self):
        done = self.ask("status", "--json")
        self.assertIn(done.returncode, (0, 1, 69), done.stderr)
        self.assertIsInstance(json.loads(done.stdout), dict)


if __name__ == "__main__":
    unittest.main()
