"""The stand-alone verifier accepts the published vectors, and every log that is in order."""

from __future__ import annotations

import base64
import hashlib
import shutil
import unittest

import ledger_verify
from ledger_case import VKEY, LedgerTestCase
from ledger_writer import ORIGIN, Signer, entry, leaf, put, tree

SIZE_5_ROOT = "vR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRg="

ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "5a1932bbb4fad7b461ce42fb49b42121068519f182c0dd94c9a42b85b01f925e",
    2: "6bc5e5ab9c493aceae1a3635c0a42d342fb6755fdbb6bd796ae15ebebe7bc615",
    3: "4c73ea6bcbbdd87a7106deea6ce63ef932629199df6d1593938c7ffe8be46a5a",
    4: "b7d42bbd30e164e449ea1bc37f2687e9cce9bdd3d9e81dbc804b6ebf3be4e206",
    5: "bd1f04d70398cd4c69c7023ae51b6e744ca1c93b8d7cda51094e7e9255cda518",
    7: "550b0bfb5d67821da6bc439fa9c1a55feb0a124cde0df4a54d3ef55a0873130a",
    8: "05bd5145fdf4a3c3c2423dd927a4f0ddf6822c6ef23c237deac98cf1bf695f80",
    255: "a07a8fe4982dfd376cb140e2e90f84ea50cab2b0e7a3ae5b7e8f93500e76276f",
    256: "ab3848e9085957a078b2e4081a2682822ba06b7236b212a360fedd5973c3e081",
    257: "81618c380a08fd04e4da75d59aed6e688ee538832b444bc87a44cb16d4046739",
    300: "8d2320c8e63d62bef60621918aa0e2dfb69951bc9842ade63a20b902ab7b7105",
    65535: "dd9a07a81f19377b9a78bd48cedf9f1b6574bdf11dbc78b0ba75e70f60a8599d",
    65536: "76c53af6c0f8e60b567fec45dbb02c21ac6fa026d38c408f5a9037fc998a3757",
    65537: "c2fa62fb5be6e22241db7b3100b5deda08b60a960b2c4804e9fb06ca48f551bb",
    70000: "131e2a45132dc1de8ee4e69e9dab7c18dc248eaf80a63f670e1bef4558015b44",
}

SIGNATURES = {  # of the checkpoint over the first n entries, after "0yhMM" (the key id)
    0: "sg5OBe/1g9bI0PusYbjBAIsHiw8b9iyaBNm6pcbLRGKjn9cvubfs7bcGbPjGDHEM1UhjmyFgxSTOxJ/U+AawQ8=",
    3: "miZr44Or20aAVY2ahlI86tG3NSSjfDvOh1XUjpw0RabTNpX9Ve7bzC+kdSpetiFyhB7FSD1J5my+FYbcJeH1gQ=",
    5: "kmJ3f3aHdbLJ4hts3pNnFKeEmLxJeV6n2LLf5tb9f5evOtAGlW8UQyK5KUtoBrE2H2pw1QXgSZ9yBFla2GmcwE=",
    300: "uPdxVdolEsn+H4Sfx2IFvH7c4f6S9fL3TUOvCfB0j+pdCuDmStNSp6/lTQ4hZ2lCbTcqnXViYHcDwL01f9isQM=",
}

FILES = {  # path in a log of size 3, 5 or 300: SHA-256 of the file
    (3, "checkpoint"): "13d6d500020f621a05514064f181f7b5283f330b0428da84bf1f345417c676e3",
    (3, "tile/0/000.p/3"): "61557fc7eaef18066bb5446b0b29ae60ef7102fe73574743d4bd530f81a5d70c",
    (3, "tile/entries/000.p/3"): "eeab59e2815a82aeeac358f6df9b570094c2de2a515c6bdb8726ef27cabe3a62",
    (5, "checkpoint"): "daeff982588ca1f2686fd17bcbe08876c131cf7b660d1907277053fc8e61595b",
    (5, "tile/0/000.p/5"): "fe1d474c2375bcf60125471c078efecc80f6e17b2b43d21dc84318579d173228",
    (5, "tile/entries/000.p/5"): "d5760177a5c8400f31f9c95bb6cf60b94fa692522ffed96699c513524b10da03",
    (300, "checkpoint"): "0a43bfedd85c5d7453f948dc737f7b3df13a55b765048278b00ee586403751e6",
    (300, "tile/0/000"): "ff93849f42530c1c47bcbbd40fff0faeca3ef442fd51953c78e937834576f56c",
    (300, "tile/entries/000"): "893635413fd7849eed3c5b5127bb22e30f6ddf7d60a4042e2d36448a2cea7288",
    (300, "tile/1/000.p/1"): "bd075d57d6765e1c08e0d5e75b55f6253c508fc349527bec7ce91b9432f46d5f",
    (300, "tile/0/001.p/44"): "5f061a1965e784cf13a6e00ae369881efd32c1d28d9bec32e7e47f9e3b0f227f",
    (
        300,
        "tile/entries/001.p/44",
    ): "1c93a28f2284653c01681d6769c5630e08616f4b9e2a010a98a3a99da5574860",
}


class TheVectors(LedgerTestCase):
    def test_the_roots_of_the_published_sizes(self):
        leaves = [leaf(entry(index)) for index in range(max(ROOTS))]
        for size, root in ledger_verify.roots(leaves, set(ROOTS)).items():
            self.assertEqual(root.hex(), ROOTS[size], size)

    def test_the_writer_of_these_tests_makes_the_published_files(self):
        for size in (3, 5, 300):
            self.publish(size)
            for (at, name), digest in FILES.items():
                if at == size:
                    data = (self.directory / name).read_bytes()
                    self.assertEqual(hashlib.sha256(data).hexdigest(), digest, name)
        self.assertEqual(Signer().vkey, VKEY)

    def test_the_published_checkpoints_open(self):
        key = ledger_verify.parse_key(VKEY)
        for size, signature in SIGNATURES.items():
            root = base64.b64encode(bytes.fromhex(ROOTS[size])).decode()
            note = f"{ORIGIN}\n{size}\n{root}\n\n\u2014 {ORIGIN} 0yhMM{signature}\n".encode()
            opened = ledger_verify.open_checkpoint(note, key)
            self.assertEqual((opened.size, opened.root.hex()), (size, ROOTS[size]))

    def test_logs_of_every_edge_size_verify(self):
        for size in (0, 1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 65535, 65536, 65537):
            with self.subTest(size=size):
                self.publish(size)
                self.assert_verified()

    def test_the_output_names_size_and_root(self):
        self.publish(5)
        self.assertEqual(self.verify(), (0, [f"verified 5 {SIZE_5_ROOT}"]))

    def test_the_key_may_be_in_a_file(self):
        self.publish(5)
        put(self.directory / "vkey", VKEY.encode() + b"\n")
        self.assertEqual(self.verify(key=f"@{self.directory / 'vkey'}")[0], 0)

    def test_tile_numbers_are_written_in_groups_of_three_digits(self):
        numbers = {0: "000", 999: "999", 1000: "x001/000", 1234067: "x001/x234/067"}
        for number, written in numbers.items():
            self.assertEqual(ledger_verify.element(number), written)


class WhatMayBe(LedgerTestCase):
    def test_narrower_files_of_before_may_stay(self):
        self.publish(1, 3, 255, 256, 300)
        self.assert_verified()

    def test_partial_files_may_go_once_the_full_one_is_there(self):
        self.publish(3, 256)
        old = self.directory / "checkpoints/3"
        shutil.copy(old, self.directory / "checkpoint")
        for kind in ("0", "entries"):
            shutil.rmtree(self.directory / f"tile/{kind}/000.p")
        (self.directory / "checkpoints/256").unlink()
        self.assert_verified()

    def test_files_wider_than_the_checkpoint_belong_to_a_batch_never_committed(self):
        self.publish(7, 5)
        (self.directory / "checkpoints/7").unlink()
        self.put_entries("tile/entries/000.p/7", [b"anything"] * 7)
        self.assert_verified()

    def test_a_line_of_an_unknown_signer_is_ignored(self):
        self.publish(5)
        other = Signer("witness.example.org/w1", bytes(range(32, 64)))
        wrong = other.line("another text\n").encode()
        self.edit("checkpoint", lambda note: note + wrong)
        self.assert_verified()

    def test_a_checkpoint_seen_before_is_continued(self):
        self.publish(3, 300)
        self.assert_verified("--seen", str(self.directory / "checkpoints/3"))


class WrongKeys(LedgerTestCase):
    def test_a_key_with_a_wrong_id_or_form_is_refused(self):
        self.publish(5)
        cases = {
            VKEY.replace("d3284c32", "d3284c33"): "key: the key id is d3284c32, not d3284c33",
            "relay.example.org/audit": "key: not of the form",
            VKEY.replace("audit", "au dit"): "key: the name is empty or holds white space",
            VKEY[:-2]: "key: not base64",
            VKEY.replace("+AQ", "+BA"): "key: not an Ed25519 log key",
            "@/nowhere/at/all": "key: ",
        }
        for key, expected in cases.items():
            status, lines = self.verify(key=key)
            self.assertEqual((status, len(lines)), (1, 1), key)
            self.assertTrue(lines[0].startswith(expected), lines)

    def test_certificate_transparency_leaves_give_their_well_known_roots(self):
        texts = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
        texts.append("606162636465666768696a6b6c6d6e6f")
        leaves = [leaf(bytes.fromhex(text)) for text in texts]
        found = ledger_verify.roots(leaves, {3, 8})
        self.assertEqual(
            [found[3].hex(), found[8].hex()],
            [
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ],
        )
        self.assertEqual(tree(leaves), found[8])


if __name__ == "__main__":
    unittest.main()
