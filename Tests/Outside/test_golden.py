"""What commands say to people, word for word, and how they refuse.

`GOLDEN=update python -m unittest test_golden` writes the texts anew: read each before it is kept.
"""

import json
import unittest

import golden
import worlds
from program import run
from schemas import OF_COMMAND

# Name of the text, and what is typed.
LOOKING = {
    "status": ["status"],
    "queue-list": ["queue", "list"],
    "queue-list-held": ["queue", "list", "--state", "held"],
    "queue-list-party": ["queue", "list", "--state", "refused", "--party", "probation:durham"],
    "queue-shape": ["queue", "shape"],
    "deadlines": ["deadlines"],
    "deadlines-overdue": ["deadlines", "--overdue"],
    "set-aside-list": ["set-aside", "list"],
    "keys-list": ["keys", "list"],
    "keys-check": ["keys", "check"],
}

USAGE = {
    "no-arguments": [],
    "unknown-command": ["statsu"],
    "unknown-subcommand": ["queue", "lst"],
    "unknown-option": ["status", "--no-such-option"],
    "missing-argument": ["show"],
    "missing-reason": ["hold", "7c1f"],
    "errors": ["errors", "ctrl-010"],
    "errors-unknown": ["errors", "CTRL-099"],
    "requeue-nothing": ["requeue"],
    "requeue-open-state": ["requeue", "--state", "pending", "--dry-run"],
    "keys-unknown-use": ["keys", "rotate", "tls", "--reason", "r"],
    "keys-window": ["keys", "check", "--within", "soon"],
    "audit-receipt-none": ["audit", "receipt", "--key", "@/nonexistent", "/nonexistent"],
    "no-configuration": ["status", "--config", "/nonexistent.yaml"],
}


class Golden(unittest.TestCase):
    def assert_kept(self, name: str, done, marks: golden.Marks) -> None:
        """Standard output, standard error and the exit code, as one text."""
        text = marks.stable(done.stdout)
        if done.stderr:
            text += "--- standard error\n" + marks.stable(done.stderr)
        text += f"--- exit {done.returncode}\n"
        self.assertNotIn("\x1b", text, "a colour in a pipe")
        difference = golden.differs(name, text)
        if difference:
            self.fail(difference)

    def marks(self, world: worlds.Copied) -> golden.Marks:
        known = []
        for exchange in world.exchanges:
            known.append(exchange["id"])
            known += [recipient["delivery"] for recipient in exchange["recipients"]]
        return golden.Marks(world.directory, known)

    def test_wrong_use_and_what_needs_no_store(self):
        marks = golden.Marks(worlds.finished().directory, [])
        for name, words in USAGE.items():
            with self.subTest(words=words):
                self.assert_kept(f"usage-{name}", run(*words), marks)

    def test_an_empty_store(self):
        world = worlds.empty()
        for name, words in LOOKING.items():
            with self.subTest(words=words):
                self.assert_kept(f"empty-{name}", world.ask(*words), self.marks(world))

    def test_the_finished_story_with_the_daemon_down(self):
        world = worlds.finished()
        marks = self.marks(world)
        for name, words in LOOKING.items():
            with self.subTest(words=words):
                self.assert_kept(f"story-{name}", world.ask(*words), marks)
        of = {(e["type"], e["outcome"], e["code"]): e["id"] for e in world.exchanges}
        ids = {
            "shared": of["release-date.changed", "shared", None],
            "j": of["mappa-j.issued.release", "shared", None],
            "held": next(i for (_, outcome, _), i in of.items() if outcome == "held"),
            "refused": next(i for (_, outcome, _), i in of.items() if outcome == "refused"),
            "set-aside": next(i for (_, _, code), i in of.items() if code == "SEAL-031"),
            "duplicate": next(i for (_, _, code), i in of.items() if code == "duplicate"),
        }
        for name, identity in ids.items():
            with self.subTest(name=name):
                self.assert_kept(f"story-show-{name}", world.ask("show", identity), marks)
                self.assert_kept(f"story-explain-{name}", world.ask("explain", identity), marks)
        full = world.ask("explain", ids["j"], "--level", "full")
        self.assert_kept("story-explain-full", full, marks)
        aside = world.ask("set-aside", "show", ids["set-aside"])
        self.assert_kept("story-set-aside-show", aside, marks)
        no = world.ask("set-aside", "show", ids["held"])
        self.assert_kept("story-set-aside-show-held", no, marks)
        self.assert_kept("story-show-unknown", world.ask("show", worlds.NOBODY), marks)
        self.assert_kept("story-show-short", world.ask("show", "abc"), marks)
        tail = ["tail", "--since", "1d", "--recipient", "jobcentre:durham", "--count", "6"]
        tail += ["--type", "mappa-j.issued.release"]
        self.assert_kept("story-tail", world.ask(*tail), marks)
        held = world.ask("requeue", "--state", "held", "--dry-run")
        self.assert_kept("story-requeue-dry-run", held, marks)
        for words in (["hold"], ["release"], ["requeue"], ["set-aside", "discard"]):
            done = world.ask(*words, ids["held"], "--reason", "r")
            self.assert_kept(f"down-{'-'.join(words)}", done, marks)
        for name, words in {
            "keys-rotate": ["keys", "rotate", "store", "--reason", "r"],
            "reload": ["reload"],
            "inbox-poll": ["inbox", "poll", "prison"],
        }.items():
            self.assert_kept(f"down-{name}", world.ask(*words), marks)

    def test_acts_and_their_refusals_with_the_daemon_up(self):
        with worlds.Busy() as busy:
            world = busy.world
            marks = self.marks(world)
            copy = busy.delivery()
            steps = [
                ("hold", ["hold", busy.pending]),
                ("hold-again", ["hold", busy.pending]),
                ("hold-collected", ["hold", world.exchanges[1]["id"]]),
                ("queue-list-on-hold", ["queue", "list", "--state", "on-hold"]),
                ("queue-shape-on-hold", ["queue", "shape"]),
                ("deadlines-on-hold", ["deadlines"]),
                ("show-on-hold", ["show", busy.pending]),
                ("requeue-on-hold", ["requeue", busy.pending]),
                ("release", ["release", busy.pending]),
                ("release-again", ["release", busy.pending]),
                ("discard", ["set-aside", "discard", busy.set_aside]),
                ("discard-again", ["set-aside", "discard", busy.set_aside]),
                ("retry", ["set-aside", "retry", busy.set_aside]),
                ("retry-held", ["set-aside", "retry", busy.held]),
                ("confirm", ["release", busy.held]),
                ("unknown", ["hold", worlds.NOBODY]),
                ("withdraw", ["withdraw", copy]),
                ("withdraw-again", ["withdraw", copy]),
                ("withdraw-words", ["withdraw", copy, "--reason", "because"]),
            ]
            acting = {"hold", "release", "requeue", "set-aside", "withdraw"}
            for name, words in steps:
                with self.subTest(name=name):
                    if words[0] in acting and "--reason" not in words:
                        reason = "ACC-02" if words[0] == "withdraw" else "as agreed"
                        words = [*words, "--reason", reason]
                    self.assert_kept(f"up-{name}", world.ask(*words), marks)
                    world.settle()

    def test_the_ledger_proves_a_receipt(self):
        with worlds.Busy() as busy:
            marks = self.marks(busy.world)
            receipt, key = busy.receipt(), f"@{busy.world.directory}/ledger/vkey"
            proved = run("audit", "receipt", "--key", key, receipt)
            self.assert_kept("receipt-proved", proved, marks)
            other = json.loads(receipt.read_text(encoding="utf-8"))
            other["data"]["entry"] += " "
            receipt.write_text(json.dumps(other), encoding="utf-8")
            changed = run("audit", "receipt", "--key", key, receipt)
            self.assert_kept("receipt-changed", changed, marks)
            none = run("audit", "receipt", "--key", key, busy.world.configuration)
            self.assert_kept("receipt-none", none, marks)

    def test_a_first_ring_is_made_once(self):
        made = worlds.ringless()
        marks = golden.Marks(made.parents[1], [])
        for name in ("made", "exists"):
            done = run("keys", "create", "--config", made)
            self.assert_kept(f"keys-create-{name}", done, marks)
        listed = run("keys", "list", "--config", made)
        self.assert_kept("keys-create-list", listed, marks)

    def test_keys_reload_and_polls_with_the_daemon_up(self):
        with worlds.Keyed() as keyed:
            world = keyed.world
            marks = self.marks(world)
            foreign = world.identity("prison:durham", "encryption").certificate
            steps = [
                ("rotate-store", ["keys", "rotate", "store", "--accept-for", "0s"]),
                ("rotate-ledger", ["keys", "rotate", "ledger"]),
                ("rotate-lookup", ["keys", "rotate", "lookup"]),
                ("rotate", ["keys", "rotate", "decryption", "--out", keyed.request]),
                ("rotate-again", ["keys", "rotate", "decryption"]),
                ("import-foreign", ["keys", "import", foreign]),
                ("import", ["keys", "import", keyed.certificate]),
                ("import-again", ["keys", "import", keyed.certificate]),
                ("retire-early", ["keys", "retire", "decryption-1"]),
                ("retire-in-force", ["keys", "retire", "signing-1"]),
                ("retire-unknown", ["keys", "retire", "store-7"]),
                ("retire", ["keys", "retire", "store-1"]),
                ("reload", ["reload"]),
                ("poll", ["inbox", "poll", "prison"]),
                ("poll-unknown", ["inbox", "poll", "elsewhere"]),
                ("list", ["keys", "list"]),
            ]
            for name, words in steps:
                with self.subTest(name=name):
                    if words[0] == "keys" and name != "list":
                        words = [*words, "--reason", "as agreed"]
                    if name == "import":
                        keyed.certify()
                    done = world.ask(*words)
                    while name == "retire" and "KEYS-015" in done.stderr:
                        done = world.ask(*words)  # what it held is still being wrapped anew
                    self.assert_kept(f"keyed-{name}", done, marks)
            agreement = world.configuration.with_name("agreement.yaml")
            text = agreement.read_text(encoding="utf-8")
            agreement.write_text(text + "unheard_of: true\n", encoding="utf-8")
            self.assert_kept("keyed-reload-wrong", world.ask("reload"), marks)

    def test_every_command_says_its_danger_examples_and_exit_codes(self):
        for name, words in helps():
            with self.subTest(command=name):
                done = run(*words, "--help")
                self.assertEqual(done.returncode, 0)
                text = " ".join(done.stdout.split())
                danger = ("eads only", "Changes state", "Cannot be undone", "hange state")
                self.assertTrue(any(d in text for d in danger), text)
                self.assertIn("Examples:", text)
                self.assertIn("Exit codes:", text)
                self.assertLess(text.index("Examples:"), text.index("USAGE:"))

    def test_status_becomes_green_again(self):
        with worlds.Busy() as busy:
            world = busy.world
            for state in ("held", "set-aside"):
                done = world.ask("queue", "list", "--state", state, "--json")
                for line in json.loads(done.stdout)["exchanges"]:
                    done = world.ask("set-aside", "discard", line["id"], "--reason", "closed")
                    self.assertEqual(done.returncode, 0, done.stderr)
            status = world.status()
            self.assertNotIn("held", {s for i in status["inboxes"].values() for s in i})
            # The pretended agencies are gone, so that their inboxes cannot be polled.
            troubled = any(poll.get("lastErrorCode") for poll in status["polls"])
            self.assertEqual(status["needsAPerson"], troubled)


def helps():
    """Every command, and what is typed."""
    for name in sorted({*OF_COMMAND, "serve"}):
        yield name, name.split()


if __name__ == "__main__":
    unittest.main()
