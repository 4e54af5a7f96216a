"""The stand-alone verifier reports every damage, each by its file and index."""

from __future__ import annotations

import base64
import shutil
import unittest

from ledger_case import LedgerTestCase
from ledger_writer import ORIGIN, Signer, checkpoint_text, entry, leaf, publish, put


class DamagedEntries(LedgerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish(300)
        self.all = [entry(index) for index in range(300)]

    def test_a_flipped_bit_in_an_entry(self):
        self.flip("tile/entries/001.p/44", 20)
        self.assert_problems(["tile/entries/001.p/44: entry 257 "])

    def test_a_dropped_entry(self):
        self.put_entries("tile/entries/001.p/44", self.all[256:298] + self.all[299:])
        self.assert_problems(
            ["tile/entries/001.p/44: holds 43 instead of 44", "tile/entries/001.p/44: entry 298 "]
        )

    def test_the_last_entry_dropped_with_the_checkpoint_kept(self):
        self.put_entries("tile/entries/001.p/44", self.all[256:299])
        self.assert_problems(["tile/entries/001.p/44: holds 43 instead of 44, from number 256"])

    def test_a_doubled_entry(self):
        self.put_entries("tile/entries/001.p/44", self.all[256:] + self.all[-1:])
        self.assert_problems(["tile/entries/001.p/44: holds 45 instead of 44"])

    def test_two_swapped_entries(self):
        swapped = self.all[:256]
        swapped[17], swapped[200] = swapped[200], swapped[17]
        self.put_entries("tile/entries/000", swapped)
        self.assert_problems(["tile/entries/000: entry 17 ", "tile/entries/000: entry 200 "])

    def test_a_full_bundle_of_255_and_of_257_entries(self):
        self.put_entries("tile/entries/000", self.all[:255])
        self.assert_problems(["tile/entries/000: holds 255 instead of 256"])
        self.put_entries("tile/entries/000", self.all[:257])
        self.assert_problems(["tile/entries/000: holds 257 instead of 256"])

    def test_a_bundle_with_a_byte_too_many(self):
        self.edit("tile/entries/001.p/44", lambda data: data + b"\0")
        self.assert_problems(["tile/entries/001.p/44: number 44 in the file runs past its end"])

    def test_a_length_that_runs_past_the_end(self):
        self.edit("tile/entries/001.p/44", lambda data: data[:-1])
        self.assert_problems(["tile/entries/001.p/44: number 43 in the file runs past its end"])

    def test_a_missing_bundle(self):
        (self.directory / "tile/entries/000").unlink()
        self.assert_problems(["tile/entries/000: missing"])

    def test_entries_and_tile_changed_together(self):
        changed = self.all[:256] + [b"audit-entry-x"] + self.all[257:]
        self.put_entries("tile/entries/001.p/44", changed[256:])
        put(self.directory / "tile/0/001.p/44", b"".join(map(leaf, changed[256:])))
        self.assert_problems(
            [
                "checkpoint: size 300: the entries have another root",
                "checkpoints/300: size 300: not a beginning",
            ]
        )

    def test_a_narrower_file_that_tells_another_story(self):
        self.put_entries("tile/entries/001.p/2", [entry(256), b"audit-entry-x"])
        self.assert_problems(["tile/entries/001.p/2: not the beginning"])


class DamagedTiles(LedgerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish(300)

    def test_a_flipped_bit_in_the_lowest_tile(self):
        self.flip("tile/0/001.p/44", 32 * 3)
        self.assert_problems(
            [
                "tile/entries/001.p/44: entry 259 does not have hash 259 of tile/0/001.p/44",
                "checkpoint: size 300: the entries have another root",
                "checkpoints/300: size 300",
            ]
        )

    def test_a_flipped_bit_in_an_upper_tile(self):
        self.flip("tile/1/000.p/1", 31)
        self.assert_problems(["tile/1/000.p/1: hash 0 is not that of tile/0/000"])

    def test_a_flipped_bit_two_levels_up(self):
        self.publish(65536)
        self.flip("tile/2/000.p/1", 0)
        self.flip("tile/1/000", 32 * 255)
        self.assert_problems(
            [
                "tile/1/000: hash 255 is not that of tile/0/255",
                "tile/2/000.p/1: hash 0 is not that of tile/1/000",
            ]
        )

    def test_a_full_tile_of_8191_and_of_8193_bytes(self):
        self.edit("tile/0/000", lambda data: data[:-1])
        self.assert_problems(["tile/0/000: 8191 bytes are not whole hashes"])
        self.edit("tile/0/000", lambda data: data + b"\0\0")
        self.assert_problems(["tile/0/000: longer than 8192 bytes"])

    def test_a_missing_tile(self):
        (self.directory / "tile/1/000.p/1").unlink()
        self.assert_problems(["tile/1/000.p/1: missing"])

    def test_the_checkpoint_of_size_n_with_the_tiles_of_one_less(self):
        newer = Signer().note(checkpoint_text([entry(index) for index in range(301)]))
        put(self.directory / "checkpoint", newer)
        self.assert_problems(
            [
                "tile/entries/001.p/45: missing",
                "tile/0/001.p/45: missing",
                "checkpoint: size 301: the root could not be computed",
            ]
        )


class DamagedCheckpoints(LedgerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish(5)
        self.text = checkpoint_text([entry(index) for index in range(5)])
        self.lines = self.text.split("\n")

    def refuse(self, note: bytes, reason: str) -> None:
        put(self.directory / "checkpoint", note)
        self.assert_problems([f"checkpoint: {reason}"])

    def test_a_flipped_bit_in_root_or_signature(self):
        for line, at in ((2, 3), (4, -8)):
            parts = (self.directory / "checkpoints/5").read_bytes().split(b"\n")
            changed = bytearray(parts[line])
            changed[at] = ord("B") if changed[at] == ord("A") else ord("A")
            parts[line] = bytes(changed)
            self.refuse(b"\n".join(parts), "signature line 0: the signature is wrong")

    def test_signed_by_another_key(self):
        self.refuse(Signer(seed=bytes(32)).note(self.text), f"not signed by {ORIGIN}+d3284c32")

    def test_a_wrong_signature_of_the_known_key_beside_a_right_one_of_another(self):
        other = Signer("witness.example.org/w1", bytes(range(32, 64)))
        note = f"{self.text}\n{other.line(self.text)}{Signer().line('another')}".encode()
        self.refuse(note, "signature line 1: the signature is wrong")

    def test_sizes_that_are_not_plain_decimal(self):
        for size in ("05", "+5", "-5", "5 ", "", "0x5", "\u0665"):
            text = f"{ORIGIN}\n{size}\n{self.lines[2]}\n"
            reason = "line 1: not a tree size" if size else "fewer than three lines, or an empty"
            self.refuse(Signer().note(text), reason)

    def test_roots_that_are_not_32_bytes_in_standard_base64(self):
        root = base64.b64decode(self.lines[2])
        cases = {
            base64.b64encode(root[:31]).decode(): "a root of 31 bytes",
            base64.b64encode(root + b"\0").decode(): "a root of 33 bytes",
            self.lines[2].rstrip("="): "not base64",
            "-_" + self.lines[2][2:]: "not base64",
            self.lines[2][:-2] + "h=": "not canonical base64",
        }
        for spelled, reason in cases.items():
            self.refuse(Signer().note(f"{ORIGIN}\n5\n{spelled}\n"), f"line 2: {reason}")

    def test_a_wrong_origin(self):
        text = checkpoint_text([entry(0)], origin="other.example.org/audit")
        self.refuse(Signer().note(text), "the origin is not the key's name")

    def test_an_extension_line_is_tolerated(self):
        put(self.directory / "checkpoint", Signer().note(self.text + "extension\n"))
        self.assert_verified()

    def test_broken_notes(self):
        note = (self.directory / "checkpoint").read_bytes()
        self.refuse(note.replace(b"\n", b"\r\n"), "holds a control character")
        self.refuse(note[:-1], "no signature line, or the last one does not end")
        self.refuse(note.replace(b"\n\n", b"\n"), "no empty line before the signatures")
        self.refuse(note.replace("\u2014".encode(), b"-"), "signature line 0: not a signature line")
        self.refuse(note.replace(b"audit 0yhM", b"audit  0yhM"), "signature line 0: not base64")
        self.refuse(note + b"\xff\n", "not UTF-8")
        self.refuse(note + b" " * (1 << 20), "longer than 1048576 bytes")
        self.refuse(
            note + note.split(b"\n")[4] + b"\n" + b"\xe2\x80\x94 a AAAAAAA=\n" * 100, "more"
        )
        (self.directory / "checkpoint").unlink()
        self.assert_problems(["checkpoint: missing"])

    def test_an_older_checkpoint_served_after_a_newer_one(self):
        self.publish(8)
        shutil.copy(self.directory / "checkpoints/5", self.directory / "checkpoint")
        self.assert_problems(["checkpoints/8: size 8 was signed, now only 5 is shown"])
        (self.directory / "checkpoints/8").rename(self.directory / "seen")
        self.assert_verified()
        self.assert_problems(
            ["the checkpoint seen before: size 8 was signed"], "--seen", f"{self.directory}/seen"
        )

    def test_two_signed_checkpoints_of_one_size_with_different_roots(self):
        fork = Signer().note(checkpoint_text([b"another story"] * 5))
        put(self.directory / "checkpoints/5", fork)
        self.assert_problems(["checkpoints/5: size 5: not a beginning of the log that is shown"])

    def test_a_newer_checkpoint_that_does_not_continue_the_older_one(self):
        publish(self.directory, [b"audit-entry-x"] + [entry(index) for index in range(1, 9)])
        for kind in ("0", "entries"):
            (self.directory / f"tile/{kind}/000.p/5").unlink()
        self.assert_problems(["checkpoints/5: size 5: not a beginning of the log that is shown"])

    def test_a_kept_checkpoint_under_a_wrong_name(self):
        shutil.copy(self.directory / "checkpoint", self.directory / "checkpoints/4")
        self.assert_problems(["checkpoints/4: holds the checkpoint of size 5"])


if __name__ == "__main__":
    unittest.main()
