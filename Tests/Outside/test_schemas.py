"""What `--json` prints fits its published schema, in several states of the store."""

import json
import unittest

from jsonschema import Draft202012Validator

import schemas
import worlds
from expected import JOBCENTRE, PRISON
from program import REPOSITORY, Story, run, until

READING = [
    ("status", ["status"]),
    ("queue-list", ["queue", "list"]),
    ("queue-list", ["queue", "list", "--state", "pending"]),
    ("queue-list", ["queue", "list", "--state", "refused", "--party", "probation:durham"]),
    ("queue-list", ["set-aside", "list"]),
    ("queue-shape", ["queue", "shape"]),
    ("deadlines", ["deadlines"]),
    ("deadlines", ["deadlines", "--overdue", "--party", JOBCENTRE]),
    ("check", ["check"]),
    ("keys-list", ["keys", "list"]),
    ("keys-check", ["keys", "check", "--within", "366d"]),
]


def leaves(command: dict, path: tuple[str, ...] = ()) -> dict[str, dict]:
    """The commands that have none below them."""
    own = path + (command["commandName"],) if path or command["commandName"] != "sallyport" else ()
    children = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    if not children:
        return {" ".join(own): command}
    found: dict[str, dict] = {}
    for child in children:
        found |= leaves(child, own) if own else leaves(child, ("",))
    return {name.strip(): leaf for name, leaf in found.items()}


class Published(unittest.TestCase):
    def test_every_schema_is_a_schema_and_says_whose(self):
        names = {path.stem for path in schemas.FOLDER.glob("*.json")}
        self.assertEqual(names, set(schemas.OF_COMMAND.values()))
        page = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")
        for name in names:
            schema = schemas.load(name)
            Draft202012Validator.check_schema(schema)
            self.assertIn("2020-12", schema["$schema"])
            self.assertIn(f"schemas/{name}.json", page)

    def test_every_command_that_prints_json_has_one(self):
        dump = json.loads(run("--experimental-dump-help").stdout)["command"]
        printing = set()
        for name, command in leaves(dump).items():
            names = {n["name"] for a in command.get("arguments", []) for n in a.get("names") or []}
            if names & {"json", "jsonl"}:
                printing.add(name)
        self.assertEqual(printing, set(schemas.OF_COMMAND))


class Fitting(unittest.TestCase):
    def assert_fits(self, schema: str, text: str) -> dict:
        self.assertEqual(schemas.errors(schema, text), [], text)
        return json.loads(text)

    def assert_all_fit(self, world: worlds.Copied, daemon: str) -> None:
        for schema, words in READING:
            with self.subTest(words=words):
                document = self.assert_fits(schema, world.ask(*words, "--json").stdout)
                if "daemon" in document:
                    self.assertEqual(document["daemon"], daemon)

    def test_an_empty_store(self):
        self.assert_all_fit(worlds.empty(), "not running")

    def test_the_finished_story_with_the_daemon_down(self):
        world = worlds.finished()
        self.assert_all_fit(world, "not running")
        for exchange in world.exchanges:
            for command in ("show", "explain"):
                done = world.ask(command, exchange["id"], "--json")
                document = self.assert_fits(command, done.stdout)
                self.assertEqual(document["daemon"], "not running")
        aside = next(e for e in world.exchanges if e["code"] == "SEAL-031")
        done = world.ask("set-aside", "show", aside["id"], "--json")
        self.assert_fits("set-aside-show", done.stdout)
        lines = world.ask("tail", "--since", "1d", "--count", "20", "--jsonl").stdout.splitlines()
        self.assertEqual(len(lines), 20)
        for line in lines:
            self.assert_fits("tail", line)

    def test_what_needs_no_store(self):
        story = Story.shared()
        self.assert_fits("demo", story.output)
        self.assert_fits("version", run("version", "--json").stdout)
        self.assert_fits("errors", run("errors", "seal-004", "--json").stdout)
        ledger = story.directory / "ledger"
        key = f"@{ledger}/vkey"
        done = run("audit", "verify", "--key", key, ledger, "--json")
        self.assert_fits("audit-verify", done.stdout)
        wrong = run("audit", "verify", "--key", key, story.directory, "--json")
        self.assert_fits("audit-verify", wrong.stdout)
        check = run("check", "--json", "--config", "/nonexistent.yaml")
        self.assertFalse(self.assert_fits("check", check.stdout)["good"])

    def test_acts_are_refused_when_the_daemon_is_down(self):
        world = worlds.finished()
        one = world.exchanges[0]["id"]
        reason = ["--reason", "r"]
        for schema, words in (
            ("act", ["hold", one, *reason]),
            ("act", ["release", one, *reason]),
            ("act", ["set-aside", "discard", one, *reason]),
            ("key-act", ["keys", "rotate", "store", *reason]),
            ("key-act", ["keys", "import", world.root, *reason]),
            ("key-act", ["keys", "retire", "store-1", *reason]),
            ("reload", ["reload"]),
            ("inbox-poll", ["inbox", "poll", "prison"]),
        ):
            with self.subTest(words=words):
                done = world.ask(*words, "--json")
                self.assertEqual(done.returncode, 69, done.stderr)
                self.assertEqual(self.assert_fits(schema, done.stdout)["code"], "CTRL-010")

    def test_the_daemon_up_and_everything_done_once(self):
        with worlds.Busy() as busy:
            world = busy.world
            self.assert_all_fit(world, "running")
            steps = [
                (["hold", busy.pending], "put-on-hold", 1),
                (["release", busy.pending], "released", 1),
                (["set-aside", "discard", busy.set_aside], "discarded", None),
                (["set-aside", "retry", busy.set_aside], "requeued", None),
                (["release", busy.held], "confirmed", None),
            ]
            for words, what, copies in steps:
                with self.subTest(words=words):
                    done = world.ask(*words, "--reason", "as agreed", "--json")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    document = self.assert_fits("act", done.stdout)
                    self.assertEqual(document["event"], what)
                    self.assertEqual(document["copies"], copies)
                if words[:2] == ["hold", busy.pending]:
                    self.assert_all_fit(world, "running")
                    shown = world.ask("show", busy.pending, "--json").stdout
                    self.assertTrue(self.assert_fits("show", shown)["onHold"])
            world.settle()
            words = ["requeue", "--state", "set-aside", "--json"]
            dry = self.assert_fits("requeue", world.ask(*words, "--dry-run").stdout)
            self.assertEqual((dry["dryRun"], dry["exchanges"]), (True, []))
            done = self.assert_fits("requeue", world.ask(*words, "--reason", "again").stdout)
            self.assertEqual(len(done["exchanges"]), dry["matched"])
            taken = world.ask("withdraw", busy.delivery(), "--reason", "ACC-02", "--json")
            self.assert_fits("act", taken.stdout)
            refused = world.ask("withdraw", busy.delivery(), "--reason", "ACC-02", "--json")
            self.assertEqual(self.assert_fits("act", refused.stdout)["code"], "CTRL-012")
            notice = world.directory / "notice.json"
            told = world.told("release-date.changed", "police:durham")
            notice.write_text(
                json.dumps({"type": "release-date.changed", "subject": "s", "data": told})
            )
            profile = world.directory / "pki" / Story.folder(PRISON) / "send.yaml"
            self.assert_fits("send", run("send", notice, "--as", profile, "--json").stdout)

    def test_keys_reload_and_polls(self):
        made = worlds.ringless()
        for done in (True, False):
            first = run("keys", "create", "--json", "--config", made)
            self.assertEqual(self.assert_fits("keys-create", first.stdout)["done"], done)
        with worlds.Keyed() as keyed:
            world, reason = keyed.world, ["--reason", "as agreed", "--json"]

            def act(*words: object, exit: int = 0) -> dict:
                done = world.ask("keys", *words, *reason)
                self.assertEqual(done.returncode, exit, done.stderr)
                return self.assert_fits("key-act", done.stdout)

            self.assertEqual(act("rotate", "store", "--accept-for", "0s")["earlier"], "store-1")
            asked = act("rotate", "decryption", "--out", keyed.request)
            self.assertEqual(asked["state"], "requested")
            foreign = world.identity(PRISON, "encryption").certificate
            self.assertFalse(act("import", foreign, exit=1)["done"])
            taken = act("import", keyed.certify())
            self.assertEqual((taken["key"], taken["state"]), ("decryption-2", "active"))
            self.assertFalse(act("retire", "ledger-1", exit=1)["done"])
            until(lambda: world.ask("keys", "retire", "store-1", *reason).returncode == 0)
            listed = self.assert_fits("keys-list", world.ask("keys", "list", "--json").stdout)
            states = {line["id"]: line["state"] for line in listed["keys"]}
            self.assertEqual((states["store-1"], states["decryption-1"]), ("retired", "accepted"))
            reloaded = self.assert_fits("reload", world.ask("reload", "--json").stdout)
            self.assertTrue(reloaded["done"])
            agreement = world.configuration.with_name("agreement.yaml")
            agreement.write_text(agreement.read_text() + "unheard_of: true\n")
            wrong = world.ask("reload", "--json")
            self.assertEqual(wrong.returncode, 78)
            self.assertNotEqual(self.assert_fits("reload", wrong.stdout)["problems"], [])
            for inbox, exit in (("prison", 69), ("elsewhere", 1)):
                polled = world.ask("inbox", "poll", inbox, "--json")
                self.assertEqual(polled.returncode, exit, polled.stderr)
                self.assertFalse(self.assert_fits("inbox-poll", polled.stdout)["done"])


if __name__ == "__main__":
    unittest.main()
