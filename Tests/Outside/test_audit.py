"""The published ledger holds for two verifiers that share no code, and every damage is seen."""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable, Sequence
from pathlib import Path

import ledger_verify
from ledger_writer import bundle
from program import Story, run

VERIFIER = Path(__file__).with_name("ledger_verify.py")


class ThePublishedLedger(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared()
        cls.stated = cls.story.document["ledger"]
        cls.ledger = Path(cls.stated["directory"])
        cls.vkey = cls.story.text("ledger/vkey")
        key = ledger_verify.parse_key(cls.vkey)
        published = (cls.ledger / "checkpoint").read_bytes()
        cls.published = ledger_verify.open_checkpoint(published, key)
        kept = (cls.ledger / f"checkpoints/{cls.stated['size']}").read_bytes()
        cls.kept = ledger_verify.open_checkpoint(kept, key)

    def setUp(self):
        self.copy = Path(tempfile.mkdtemp(prefix="ledger-")) / "ledger"
        self.addCleanup(shutil.rmtree, self.copy.parent)
        shutil.copytree(self.ledger, self.copy)

    def ours(self, directory: Path, key: str | None = None) -> subprocess.CompletedProcess:
        command = [sys.executable, VERIFIER, "--key", key or self.vkey, directory]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def theirs(
        self, directory: Path, key: str | None = None, more: Sequence[str] = ()
    ) -> subprocess.CompletedProcess:
        return run("audit", "verify", "--key", key or self.vkey, directory, *more)

    def newest_bundle(self) -> Path:
        number, rest = divmod(self.published.size, 256)
        name = ledger_verify.element(number if rest else number - 1)
        return self.copy / "tile/entries" / (f"{name}.p/{rest}" if rest else name)

    def entries(self) -> list[bytes]:
        return ledger_verify.cut_bundle(self.newest_bundle().read_bytes())

    def damage(self, change: Callable[[list[bytes]], list[bytes]]) -> None:
        """Both verifiers refuse the copy with its newest entries changed, and name the file."""
        self.newest_bundle().write_bytes(bundle(change(self.entries())))
        name = str(self.newest_bundle().relative_to(self.copy))
        for verify in (self.ours, self.theirs):
            done = verify(self.copy)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(name, done.stdout + done.stderr)
        done = self.theirs(self.copy, more=["--json"])
        self.assertEqual((done.returncode, json.loads(done.stdout)["verified"]), (1, False))

    def test_both_verifiers_accept_it(self):
        size, root = self.published.size, base64.b64encode(self.published.root).decode()
        done = self.ours(self.ledger)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.strip(), f"verified {size} {root}")
        done = self.theirs(self.ledger)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{size} entries", done.stdout)
        self.assertIn(root, done.stdout)
        document = json.loads(self.theirs(self.ledger, more=["--json"]).stdout)
        self.assertEqual((document["verified"], document["problems"]), (True, []))
        self.assertEqual((document["size"], document["root"]), (size, root))
        self.assertEqual(document["entriesChecked"], size)

    def test_the_story_states_the_ledger_that_lies_there(self):
        self.assertEqual(self.stated["vkey"], self.vkey)
        self.assertTrue(self.stated["verified"])
        self.assertEqual(base64.b64decode(self.stated["root"]), self.kept.root)
        self.assertGreater(self.stated["size"], len(self.story.exchanges))
        # Since then, one entry more: that the daemon stopped.
        self.assertEqual(self.published.size, self.stated["size"] + 1)
        self.assertEqual(self.ledger.resolve(), (self.story.directory / "ledger").resolve())

    def test_a_flipped_byte_is_seen(self):
        def flip(entries: list[bytes]) -> list[bytes]:
            middle = len(entries[-1]) // 2
            last = bytearray(entries[-1])
            last[middle] ^= 1
            return [*entries[:-1], bytes(last)]

        self.damage(flip)

    def test_a_dropped_entry_is_seen(self):
        self.damage(lambda entries: entries[1:])
        shutil.rmtree(self.copy)
        shutil.copytree(self.ledger, self.copy)
        self.damage(lambda entries: entries[:-1])

    def test_swapped_entries_are_seen(self):
        self.damage(lambda entries: [entries[1], entries[0], *entries[2:]])

    def test_a_flipped_byte_in_a_tile_is_seen(self):
        tile = Path(str(self.newest_bundle()).replace("tile/entries", "tile/0"))
        data = bytearray(tile.read_bytes())
        data[7] ^= 1
        tile.write_bytes(data)
        for verify in (self.ours, self.theirs):
            self.assertEqual(verify(self.copy).returncode, 1)

    def test_another_key_is_refused(self):
        other = "relay.example.org/audit+d3284c32+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
        self.assertEqual(self.ours(self.ledger, other).returncode, 1)
        self.assertEqual(self.theirs(self.ledger, other).returncode, 1)

    def test_a_checkpoint_of_another_history_is_not_its_beginning(self):
        """Somebody who kept a checkpoint sees that the log was rewritten since."""
        other = Story()
        self.addCleanup(other.remove)
        held = other.directory / "ledger/checkpoint"
        self.assertEqual(self.theirs(self.ledger, more=["--held", str(held)]).returncode, 1)
        own = self.ledger / f"checkpoints/{self.stated['size']}"
        self.assertEqual(self.theirs(self.ledger, more=["--held", str(own)]).returncode, 0)

    def test_the_entries_tell_nothing_about_anybody(self):
        """No party, type or field name: they reveal a level, and an entry is never erased."""
        words = {"data", "release", "restriction", "offence", "mappa", "level"}
        for exchange in self.story.exchanges:
            words |= {exchange["type"] or "", exchange["sender"] or ""}
            for recipient in exchange["recipients"]:
                words |= {recipient["party"], *recipient["shared"]}
                words |= {withheld["field"] for withheld in recipient["withheld"]}
        times = re.compile(r"[0-9-]{10}T[0-9:.]+Z")
        for content in self.entries():
            entry = json.loads(content)
            self.assertEqual(
                content,
                json.dumps(entry, separators=(",", ":"), sort_keys=True).encode(),
                "not canonical JSON",
            )
            text = times.sub("", content.decode())
            for word in words - {""}:
                self.assertNotRegex(text, rf"(?i)\b{re.escape(word)}\b")


if __name__ == "__main__":
    unittest.main()
