"""What operators and integrators type: answers, exit codes, and nothing personal in any of them."""

import json
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expected import (
    CHANGE,
    J,
    J_EXPLAINED,
    JOBCENTRE,
    OFFENCE,
    PERSONAL,
    PERSONS,
    POLICE,
    PRISON,
    PROBATION,
    STORY,
)
from program import (
    NOTICE,
    PROGRAM,
    SALLYPORT_MAILBOX,
    STOP_SECONDS,
    Daemon,
    Event,
    Inbox,
    Story,
    event,
    run,
)

GOOD, BAD, USAGE, DATA, UNREACHABLE, CONFIGURATION = 0, 1, 64, 65, 69, 78
NOBODY = "00000000-0000-7000-8000-000000000000"

Done = subprocess.CompletedProcess


class Commands(unittest.TestCase):
    def assert_ended(self, code: int, done: Done) -> None:
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code not in (GOOD, BAD):
            self.assertTrue(done.stderr.strip() or done.stdout.strip())

    def assert_impersonal(self, *texts: str) -> None:
        for text in texts:
            found = sorted(value for value in PERSONAL if value in text)
            self.assertEqual(found, [], "personal values were said")


class Looking(Commands):
    """Commands that only read, on the folder of a finished story."""

    story: Story

    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared()

    def ask(self, *arguments: object) -> Done:
        done = run(*arguments, "--config", self.story.configuration)
        self.assertNotIn("Fatal error", done.stderr)
        return done

    def distinct(self) -> Iterator[dict[str, Any]]:
        """The first exchange of each type and outcome."""
        seen = set()
        for exchange in self.story.exchanges:
            what = (exchange["type"], exchange["outcome"], exchange["code"])
            if what not in seen:
                seen.add(what)
                yield exchange

    def first(self, kind: str) -> dict[str, Any]:
        return next(e for e in self.story.exchanges if e["type"] == kind)

    def test_the_version_is_the_same_in_text_and_json(self):
        text, document = run("version"), run("version", "--json")
        self.assert_ended(GOOD, text)
        version = json.loads(document.stdout)
        self.assertEqual(text.stdout, f"{version['program']} {version['version']}\n")
        self.assertEqual(version["program"], "sallyport")

    def test_the_status_counts_what_the_story_left_and_asks_for_a_person(self):
        done = self.ask("status", "--json")
        self.assert_ended(BAD, done)
        status = json.loads(done.stdout)
        self.assertTrue(status["needsAPerson"])
        self.assertEqual(
            status["inboxes"],
            {
                "host": {"shared": 3},
                "immigration": {"shared": 1},
                "prison": {"shared": 3, "set-aside": 1, "duplicate": 1},
                "probation": {"shared": 9, "refused": 1, "held": 1},
            },
        )
        self.assertEqual(status["deadlines"], {JOBCENTRE: {"met": 2}})
        told = {party for step in STORY for party in step.told}
        self.assertEqual(set(status["recipients"]), told)
        text = self.ask("status")
        self.assert_ended(BAD, text)
        for word in (*told, "held", "refused", "set-aside", "SEAL-031"):
            self.assertIn(word, text.stdout)
        self.assertIn("sallyport queue list", text.stdout)
        self.assertIn("FREE-01", self.ask("queue", "list").stdout)
        self.assertIn("needs a person", text.stdout)
        self.assert_impersonal(done.stdout, text.stdout)

    def test_every_exchange_can_be_shown(self):
        for exchange in self.distinct():
            with self.subTest(type=exchange["type"], code=exchange["code"]):
                text = self.ask("show", exchange["id"])
                document = self.ask("show", exchange["id"], "--json")
                self.assert_ended(GOOD, text)
                self.assert_ended(GOOD, document)
                shown = json.loads(document.stdout)
                self.assertEqual(shown | exchange, shown)
                for recipient in exchange["recipients"]:
                    self.assertIn(recipient["party"], text.stdout)
                    self.assertIn(recipient["delivery"], text.stdout)
                    self.assertIn(recipient["state"], text.stdout)
                self.assert_impersonal(text.stdout, document.stdout, text.stderr)

    def test_every_exchange_can_be_explained_without_saying_anything_personal(self):
        for exchange in self.distinct():
            with self.subTest(type=exchange["type"], code=exchange["code"]):
                text = self.ask("explain", exchange["id"])
                document = self.ask("explain", exchange["id"], "--json")
                self.assert_ended(GOOD, text)
                self.assert_ended(GOOD, document)
                self.assertEqual(json.loads(document.stdout)["outcome"], exchange["outcome"])
                if exchange["code"]:
                    self.assertIn(exchange["code"], text.stdout)
                for recipient in exchange["recipients"]:
                    withheld = [entry["field"] for entry in recipient["withheld"]]
                    for word in (recipient["party"], *recipient["shared"], *withheld):
                        self.assertIn(word, text.stdout)
                self.assert_impersonal(text.stdout, document.stdout, text.stderr)

    def test_the_j_is_explained_field_by_field_with_rule_and_paragraph(self):
        exchange = self.first("mappa-j.issued.release")
        done = self.ask("explain", exchange["id"], "--json")
        (recipient,) = json.loads(done.stdout)["recipients"]
        self.assertEqual(recipient["party"], JOBCENTRE)
        explained = {
            entry["field"]: (entry["outcome"], entry["reason"]["rule"], entry["reason"]["source"])
            for entry in recipient["fields"]
        }
        self.assertEqual(explained, J_EXPLAINED)
        self.assertTrue(all(entry["reason"]["text"] for entry in recipient["fields"]))
        lines = self.ask("explain", exchange["id"]).stdout.splitlines()
        for field, (outcome, rule, source) in J_EXPLAINED.items():
            about = [line for line in lines if re.search(rf"\b{field}\b", line)]
            if outcome != "released":
                self.assertTrue(any(rule in line and source in line for line in about), field)
            self.assertTrue(about, field)
        _, rule, source = J_EXPLAINED["name"]
        self.assertTrue(any(f"({rule}, {source})" in line for line in lines))
        self.assertTrue(any("MAPPA Guidance 3.33" in line for line in lines))

    def test_the_beginning_of_an_id_is_enough_if_it_names_one_exchange(self):
        identity = self.story.exchanges[0]["id"]
        self.assert_ended(GOOD, self.ask("show", identity[:13]))
        self.assert_ended(BAD, self.ask("show", identity[:3]))

    def test_an_unknown_exchange_is_a_bad_answer(self):
        for command in ("explain", "show"):
            done = self.ask(command, NOBODY)
            self.assert_ended(BAD, done)
            self.assertIn("hint:", done.stderr)

    def test_an_interrupted_tail_ends_with_130(self):
        words = ["tail", "--since", "1d", "--jsonl", "--config", self.story.configuration]
        for sent in (signal.SIGINT, signal.SIGTERM):
            with (
                self.subTest(signal=sent.name),
                subprocess.Popen(
                    [PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                ) as tail,
            ):
                try:
                    self.assertIn("event", json.loads(tail.stdout.readline()))
                    tail.send_signal(sent)
                    self.assertEqual(tail.wait(STOP_SECONDS), 130)
                finally:
                    tail.kill()

    def test_wrong_use_is_64(self):
        for arguments in (
            ["frobnicate"],
            ["show"],
            ["status", "--no-such-option"],
            ["serve", "--log-level", "loud", "--config", self.story.configuration],
            ["demo", "--once", "--keep", self.story.directory],
        ):
            with self.subTest(arguments=arguments[0]):
                self.assert_ended(USAGE, run(*arguments))

    def test_a_configuration_that_is_not_there_is_78(self):
        for command in (["check"], ["status"], ["serve"], ["show", NOBODY], ["explain", NOBODY]):
            with self.subTest(command=command[0]):
                self.assert_ended(CONFIGURATION, run(*command, "--config", "/nonexistent.yaml"))

    def test_a_ledger_or_key_that_cannot_be_read_is_65(self):
        ledger = self.story.directory / "ledger"
        self.assert_ended(DATA, run("audit", "verify", "--key", "nonsense", ledger))
        self.assert_ended(DATA, run("audit", "verify", "--key", "@/nonexistent", ledger))


class Checking(Commands):
    """`check` on copies of the configuration of a finished story."""

    def setUp(self):
        story = Story.shared()
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-check-"))
        self.addCleanup(shutil.rmtree, self.directory)
        shutil.copytree(story.directory, self.directory, dirs_exist_ok=True)
        self.configuration = self.directory / "config/sallyport.yaml"

    def check(self) -> tuple[Done, list[dict[str, Any]]]:
        text = run("check", "--config", self.configuration)
        document = run("check", "--config", self.configuration, "--json")
        self.assertEqual(text.returncode, document.returncode)
        stages = json.loads(document.stdout)["stages"]
        return text, [problem for stage in stages for problem in stage["problems"]]

    def plant(self, name: str, old: str, new: str, nth: int = 1) -> int:
        """Puts a mistake at the nth place where the old text stands; the line that it is on."""
        path = self.directory / "config" / name
        parts = path.read_text().split(old)
        self.assertGreater(len(parts), nth, f"{old!r} is not in {name}")
        before = old.join(parts[:nth])
        path.write_text(before + new + old.join(parts[nth:]))
        return before.count("\n") + 1 + (len(new) - len(new.lstrip("\n")))

    def test_a_good_configuration_is_good(self):
        text, problems = self.check()
        self.assert_ended(GOOD, text)
        self.assertEqual(problems, [])
        self.assertIn("All good.", text.stdout)

    def test_five_mistakes_in_one_file_are_all_told_with_their_lines(self):
        name = "sallyport.yaml"
        planted = {
            self.plant(name, "\nstate: ../state", "\nsate: ../state"): "did you mean state?",
            self.plant(name, "\n  port: ", "\n  port: x"): "0 to 65535",
            self.plant(name, "url: https://", "url: http://", 2): "https://",
            self.plant(name, "poll_interval: 100ms", "poll_interval: soon", 3): "100ms",
            self.plant(name, "party: immigration:casework", "party: nobody"): "prison:durham",
        }
        text, problems = self.check()
        self.assert_ended(CONFIGURATION, text)
        told = {problem["line"]: problem for problem in problems if "line" in problem}
        self.assertEqual(set(told), set(planted))
        for line, hint in planted.items():
            with self.subTest(line=line):
                self.assertIn(hint, told[line]["hint"])
                self.assertRegex(told[line]["code"], r"^CONF-[0-9]{3}$")
                self.assertIn(f"{name}:{line}: ", text.stdout)

    def test_mistakes_in_different_files_are_all_told_at_once(self):
        planted = {
            ("sallyport.yaml", self.plant("sallyport.yaml", "inboxes:", "colour: red\ninboxes:")),
            ("agreement.yaml", self.plant("agreement.yaml", "role: police", "role: polis")),
            ("agreement.yaml", self.plant("agreement.yaml", "standing: duty", "standng: duty")),
            ("custody.yaml", self.plant("rulebook/custody.yaml", "pncId, crn, name", "pncId, nme")),
            ("recall.yaml", self.plant("rulebook/recall.yaml", "relation: area", "relation: are")),
        }
        text, problems = self.check()
        self.assert_ended(CONFIGURATION, text)
        told = {(Path(problem["file"]).name, problem.get("line")) for problem in problems}
        self.assertEqual(planted - told, set())

    def test_the_daemon_refuses_what_the_check_refuses(self):
        self.plant("sallyport.yaml", "\nstate: ../state", "\nsate: ../state")
        done = run("serve", "--config", self.configuration)
        self.assert_ended(CONFIGURATION, done)
        self.assertIn("did you mean state?", done.stderr)

    def test_a_damaged_ledger_is_told(self):
        size = (self.directory / "ledger/checkpoint").read_text().splitlines()[1]
        entries = self.directory / f"ledger/tile/entries/000.p/{size}"
        entries.write_bytes(entries.read_bytes()[:-1] + b"?")
        text, problems = self.check()
        self.assert_ended(CONFIGURATION, text)
        self.assertIn("tile/entries", " ".join(problem["file"] for problem in problems))

    def test_a_store_that_is_not_there_is_69(self):
        shutil.rmtree(self.directory / "state")
        for command in (["status"], ["show", NOBODY], ["explain", NOBODY]):
            with self.subTest(command=command[0]):
                done = run(*command, "--config", self.configuration)
                self.assert_ended(UNREACHABLE, done)
        self.assertFalse((self.directory / "state").exists())


class Running(Commands):
    """`send` and `serve`, on a story of their own."""

    @classmethod
    def setUpClass(cls):
        cls.story = Story()
        cls.addClassCleanup(cls.story.remove)
        for copy in cls.story.copies():
            if copy.exchange["type"] == "release-date.changed" and copy.party == POLICE:
                cls.told = cls.story.open(POLICE, copy.path.read_bytes())["data"]
            elif copy.exchange["type"] == "mappa-j.issued.release":
                cls.issued = cls.story.open(JOBCENTRE, copy.path.read_bytes())["data"]

    def profile(self, party: str) -> Path:
        return self.story.directory / "pki" / Story.folder(party) / "send.yaml"

    def file(self, content: Event | str) -> Path:
        text = content if isinstance(content, str) else json.dumps(content)
        path = Path(tempfile.mkstemp(prefix="notice-", suffix=".json")[1])
        self.addCleanup(path.unlink)
        path.write_text(text)
        return path

    def changed(self, date: str) -> Event:
        """The least that `send` asks for."""
        return {
            "type": "release-date.changed",
            "subject": "an-invented-reference",
            "data": self.told | {"releaseDate": date},
        }

    def restriction(self, reference: str, **more: Any) -> Event:
        own = PERSONS[3] | {"offenderAware": True, "reference": reference, "offence": OFFENCE}
        return event("mappa-j.issued.release", PROBATION, self.issued | own | more)

    def send(self, content: Event | str, party: str = PRISON, *more: str) -> Done:
        return run("send", self.file(content), "--as", self.profile(party), *more)

    def test_what_is_no_notification_is_65_and_goes_nowhere(self):
        for content in ("", '{"type":', "[]", "{}", '{"type": "x", "subject": "s"}', "\0"):
            with self.subTest(content=content):
                done = self.send(content)
                self.assert_ended(DATA, done)
                self.assertNotIn("Exchange.", done.stderr, "an inner type's name")

    def test_a_wrong_profile_is_78(self):
        notice = self.file(self.changed("2027-06-01"))
        self.assert_ended(CONFIGURATION, run("send", notice, "--as", "/nonexistent.yaml"))
        text = self.profile(PRISON).read_text().replace("mailbox:", "malbox:", 1)
        wrong = self.profile(PRISON).with_name("wrong.yaml")
        self.addCleanup(wrong.unlink)
        wrong.write_text(text)
        done = run("send", notice, "--as", wrong)
        self.assert_ended(CONFIGURATION, done)
        self.assertIn("did you mean mailbox?", done.stderr)

    def test_nobody_listening_is_69_in_plain_words(self):
        done = self.send(self.changed("2027-06-02"))
        self.assert_ended(UNREACHABLE, done)
        self.assertIn("MESH-", done.stderr)
        self.assert_impersonal(done.stdout, done.stderr)

    def test_what_is_sent_reaches_the_police_and_the_answer_names_it(self):
        with Daemon(self.story), self.story.client(POLICE) as client:
            text = self.send(self.changed("2027-06-03"))
            self.assert_ended(GOOD, text)
            done = self.send(self.changed("2027-06-04"), PRISON, "--json")
            self.assert_ended(GOOD, done)
            sent = json.loads(done.stdout)
            police = Inbox(self.story, POLICE, client)
            police.wait(lambda a: a.data.get("releaseDate") == "2027-06-03")
            got = police.wait(lambda a: a.data.get("releaseDate") == "2027-06-04")
            self.assertEqual(got.event["source"], PRISON)
            self.assertEqual(set(got.event["data"]), CHANGE)
            with self.story.client(PRISON) as prison:
                self.assertEqual(prison.track_message(sent["message"])["status"], "acknowledged")
        self.assertNotEqual(got.event["id"], sent["id"])
        self.assert_impersonal(text.stdout, text.stderr, done.stdout, done.stderr)

    def test_nobody_sends_in_anothers_name(self):
        with Daemon(self.story):
            done = self.send(self.changed("2027-06-05") | {"source": POLICE})
            self.assert_ended(DATA, done)

    def test_a_second_daemon_on_the_same_store_is_69(self):
        with Daemon(self.story):
            self.assert_ended(
                UNREACHABLE, run("serve", "--config", self.story.configuration, seconds=20)
            )
            status = run("status", "--config", self.story.configuration, "--json")
            self.assertIsInstance(json.loads(status.stdout), dict)

    def test_sigterm_ends_it_in_time_with_0_and_the_ledger_is_whole(self):
        with Daemon(self.story) as daemon:
            seconds = daemon.stop()
            self.assertEqual(daemon.ended, GOOD)
        self.assertLess(seconds, STOP_SECONDS)
        key = self.story.text("ledger/vkey")
        done = run("audit", "verify", "--key", key, self.story.directory / "ledger", "--json")
        self.assert_ended(GOOD, done)
        status = run("status", "--config", self.story.configuration, "--json")
        self.assertEqual(
            json.loads(status.stdout)["ledgerEntries"], json.loads(done.stdout)["size"]
        )

    def test_no_log_line_holds_anything_personal_whatever_arrives(self):
        """At the most talkative level, with notices shared, held, refused and set aside."""
        note = "An invented remark of a robbery"
        notices = [
            self.restriction("MJ-3001"),
            self.restriction("MJ-3002", note=note),
            self.restriction("MJ-3003", endDate="2020-01-01"),
            self.restriction("MJ-3004", dateOfBirth="1977-07-07"),
            self.restriction("MJ-3005", name="Somebody\nElse"),
            self.restriction("MJ-3006", unheardOf="a member that nobody knows"),
            event("no.such-type", PROBATION, dict(PERSONS[3])),
            event("release-date.changed", PROBATION, self.told),
        ]
        with (
            Daemon(self.story, log_level="trace") as daemon,
            self.story.client(PROBATION) as client,
        ):
            sealed = [self.story.seal(notice) for notice in notices]
            sealed += [self.story.seal(notices[0], signed_by=POLICE), b"nothing sealed"]
            for message in sealed:
                client.send_message(
                    SALLYPORT_MAILBOX,
                    message,
                    workflow_id=NOTICE,
                    subject="Invented Person Three",
                    file_name="Invented Person Three.pdf",
                )
            self.story.settle()
            self.assert_only_two_were_told()
        known = [note, "1977-07-07", self.issued["dateOfBirth"], "an-invented-reference"]
        known += [notice["subject"] for notice in notices]
        self.assertTrue(daemon.said)
        for line in daemon.said.splitlines():
            self.assertIsInstance(json.loads(line), dict)
            self.assert_impersonal(line)
            for value in known:
                self.assertNotIn(value, line)
        for copy in self.story.directory.rglob("*"):
            if copy.is_file():
                content = copy.read_bytes()
                for value in [*PERSONAL, note]:
                    self.assertNotIn(value.encode(), content, copy.name)

    def assert_only_two_were_told(self) -> None:
        inbox = Inbox(self.story, JOBCENTRE, self.story.client(JOBCENTRE))
        self.addCleanup(inbox.client.close)
        inbox.look()
        told = {a.data.get("reference") for a in inbox.arrived.values()}
        self.assertEqual(told & {f"MJ-300{n}" for n in range(1, 7)}, {"MJ-3001", "MJ-3006"})
        for arrival in inbox.arrived.values():
            if arrival.data.get("reference", "").startswith("MJ-300"):
                self.assertEqual(set(arrival.data), J)


if __name__ == "__main__":
    unittest.main()
