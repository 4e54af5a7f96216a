#!/usr/bin/env python3
"""Checks a published ledger without any code of the program that wrote it.

    ledger_verify.py --key VKEY DIR      VKEY is the verifier key, or @FILE that holds it

DIR holds the files of a C2SP tlog-tiles log: `checkpoint` (a signed note), `tile/entries/...`
(the entries), `tile/<level>/...` (the hashes) and `checkpoints/<size>` (every checkpoint ever
signed). Every entry is hashed again, every tile is rebuilt, and the root is compared with the
signed one; each kept checkpoint must be a signed prefix of the same log.

Prints `verified SIZE ROOT` and exits 0, or one line for each problem, naming the file and the
index in it, and exits 1. Needs the standard library, and `cryptography` for Ed25519.

Formats: signed-note, tlog-checkpoint and tlog-tiles of C2SP (c2sp.org); the tree of RFC 9162 2.1.
"""

import argparse
import base64
import binascii
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256  # hashes in a full tile, entries in a full bundle
HASH = 32
LARGEST_NOTE = 1 << 20
MOST_SIGNATURES = 100
MOST_PROBLEMS = 1000
LARGEST_BUNDLE = WIDTH * (2 + 0xFFFF)
ED25519 = 0x01
SIZE = "0|[1-9][0-9]{0,18}"
DASH = "\u2014 "


class Refused(Exception):
    """Something that is not what the format says; the text says what."""


def strict_base64(text: str) -> bytes:
    """Standard alphabet, padded, no line breaks, and the only spelling of these bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refused("not canonical base64")
    return data


class Key(NamedTuple):
    name: str
    id: bytes
    public: Ed25519PublicKey


def parse_key(text: str) -> Key:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Refused("not of the form NAME+ID+KEY")
    name, spelled, encoded = parts
    if not name or any(character.isspace() for character in name):
        raise Refused("the name is empty or holds white space")
    raw = strict_base64(encoded)
    if len(raw) != 1 + HASH or raw[0] != ED25519:
        raise Refused("not an Ed25519 log key")
    identity = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if spelled != identity.hex():
        raise Refused(f"the key id is {identity.hex()}, not {spelled}")
    return Key(name, identity, Ed25519PublicKey.from_public_bytes(raw[1:]))


def open_note(data: bytes, key: Key) -> str:
    """The text of a signed note, if the key signed it."""
    if len(data) > LARGEST_NOTE:
        raise Refused("larger than 1 MiB")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("not UTF-8") from None
    if any(character < " " and character != "\n" for character in note):
        raise Refused("holds a control character")
    cut = note.rfind("\n\n")
    if cut < 0:
        raise Refused("no empty line before the signatures")
    text, block = note[: cut + 1], note[cut + 2 :]
    if not block.endswith("\n"):
        raise Refused("no signature line, or the last one does not end with a line feed")
    lines = block[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise Refused(f"more than {MOST_SIGNATURES} signature lines")
    signed = False
    for number, line in enumerate(lines):
        name, space, encoded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space or not name:
            raise Refused(f"signature line {number}: not a signature line")
        try:
            blob = strict_base64(encoded)
        except Refused as reason:
            raise Refused(f"signature line {number}: {reason}") from None
        if len(blob) < 5:
            raise Refused(f"signature line {number}: too short")
        if name != key.name or blob[:4] != key.id:
            continue
        try:
            key.public.verify(blob[4:], text.encode())
        except InvalidSignature:
            raise Refused(f"signature line {number}: the signature is wrong") from None
        signed = True
    if not signed:
        raise Refused(f"not signed by {key.name}+{key.id.hex()}")
    return text


class Checkpoint(NamedTuple):
    size: int
    root: bytes


def open_checkpoint(data: bytes, key: Key) -> Checkpoint:
    lines = open_note(data, key)[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise Refused("fewer than three lines, or an empty one")
    if lines[0] != key.name:
        raise Refused("the origin is not the key's name")
    if not re.fullmatch(SIZE, lines[1], re.ASCII):
        raise Refused("line 1: not a tree size")
    try:
        root = strict_base64(lines[2])
    except Refused as reason:
        raise Refused(f"line 2: {reason}") from None
    if len(root) != HASH:
        raise Refused(f"line 2: a root of {len(root)} bytes")
    return Checkpoint(int(lines[1]), root)


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(row: list[bytes]) -> bytes:
    """The hash over a full row of a power of two."""
    while len(row) > 1:
        row = [node(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def roots(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """The root over the first n leaves, for each wanted n."""
    found: dict[int, bytes] = {}
    edge: list[bytes] = []  # the complete subtrees on the right edge, largest first
    for size in range(len(leaves) + 1):
        if size:
            value, before = leaves[size - 1], size - 1
            while before & 1:
                value, before = node(edge.pop(), value), before >> 1
            edge.append(value)
        if size in sizes:
            root = edge[-1] if edge else hashlib.sha256(b"").digest()
            for subtree in reversed(edge[:-1]):
                root = node(subtree, root)
            found[size] = root
    return found


def element(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


def cut_tile(data: bytes) -> list[bytes]:
    if len(data) % HASH:
        raise Refused(f"{len(data)} bytes are not whole hashes")
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def cut_bundle(data: bytes) -> list[bytes]:
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise Refused(f"number {len(entries)} in the file runs past its end")
        entries.append(data[at + 2 : end])
        at = end
    return entries


class Ledger:
    """One published directory under examination; `problems` collects a line for each fault."""

    def __init__(self, directory: Path, key: Key, former: Sequence[Key] = ()):
        self.directory = directory
        self.key = key
        self.former = former
        self.problems: list[str] = []

    def complain(self, name: str, what: object) -> None:
        self.problems.append(f"{name}: {what}")

    def read(self, name: str, most: int) -> bytes:
        try:
            with open(self.directory / name, "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            raise Refused("missing" if missing else f"cannot be read: {error.strerror}") from None
        if len(data) > most:
            raise Refused(f"longer than {most} bytes")
        return data

    def rows(self, kind: str, number: int, width: int) -> tuple[str, list[bytes], bool]:
        """The file of a tile or bundle, its first `width` hashes or entries, and if all is well."""
        full = f"tile/{kind}/{element(number)}"
        name, expected = (full, WIDTH) if width == WIDTH else (f"{full}.p/{width}", width)
        if not (self.directory / name).exists() and (self.directory / full).exists():
            name, expected = full, WIDTH  # partial files may go once the full one is there
        try:
            found = self.cut(kind, name)
            if len(found) != expected:
                what = f"holds {len(found)} instead of {expected}, from number {number * WIDTH}"
                self.complain(name, what)
                return name, found, False
        except Refused as reason:
            self.complain(name, reason)
            return name, [], False
        self.check_narrower(kind, f"{full}.p", found[:width])
        return name, found[:width], True

    def cut(self, kind: str, name: str) -> list[bytes]:
        if kind == "entries":
            return cut_bundle(self.read(name, LARGEST_BUNDLE))
        return cut_tile(self.read(name, WIDTH * HASH))

    def check_narrower(self, kind: str, folder: str, rows: list[bytes]) -> None:
        """Files of earlier, narrower widths that still lie there must be beginnings of this one."""
        names = [path.name for path in self.directory.glob(f"{folder}/*")]
        for width in sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]{0,2}", name)):
            try:  # a width of the tree or more: the same file, or one not committed yet
                if width < len(rows) and self.cut(kind, f"{folder}/{width}") != rows[:width]:
                    raise Refused("not the beginning of what was published later")
            except Refused as reason:
                self.complain(f"{folder}/{width}", reason)

    def leaves(self, size: int) -> list[bytes] | None:
        """Every leaf hash, from the entries and the lowest tiles, which must agree."""
        result: list[bytes] = []
        for number in range(-(-size // WIDTH)):
            if len(self.problems) >= MOST_PROBLEMS:
                return None
            width = min(WIDTH, size - number * WIDTH)
            bundle, entries, _ = self.rows("entries", number, width)
            tile, hashes, known = self.rows("0", number, width)
            computed = [leaf(entry) for entry in entries]
            for offset, (mine, theirs) in enumerate(zip(computed, hashes)):
                if mine != theirs:
                    at = number * WIDTH + offset
                    self.complain(bundle, f"entry {at} does not have hash {at} of {tile}")
            result += hashes if known else computed
        return result if len(result) == size else None

    def check_upper_tiles(self, leaves: list[bytes]) -> None:
        below, level = leaves, 1
        while len(below) >= WIDTH:
            full = range(0, len(below) // WIDTH * WIDTH, WIDTH)
            expected = [fold(below[start : start + WIDTH]) for start in full]
            for number in range(-(-len(expected) // WIDTH)):
                first = number * WIDTH
                part = expected[first : first + WIDTH]
                name, found, _ = self.rows(str(level), number, len(part))
                for offset, pair in enumerate(zip(part, found)):
                    if pair[0] != pair[1]:
                        under = f"tile/{level - 1}/{element(first + offset)}"
                        self.complain(name, f"hash {first + offset} is not that of {under}")
            below, level = expected, level + 1

    def signed(
        self, name: str, note: bytes | None = None, former: Sequence[Key] = ()
    ) -> Checkpoint | None:
        """The checkpoint, if the newest key signed it, or one of the former keys that are given."""
        first: Refused | None = None
        for key in (self.key, *former):
            try:
                return open_checkpoint(note or self.read(name, LARGEST_NOTE), key)
            except Refused as reason:
                first = first or reason
        self.complain(name, first)
        return None

    def kept(self) -> dict[str, Checkpoint]:
        """The earlier checkpoints in `checkpoints`, each under the name of its file."""
        names = [path.name for path in self.directory.glob("checkpoints/*")]
        found: dict[str, Checkpoint] = {}
        for size in sorted(int(name) for name in names if re.fullmatch(SIZE, name, re.ASCII)):
            name = f"checkpoints/{size}"
            checkpoint = self.signed(name, former=self.former)
            if checkpoint and checkpoint.size != size:
                self.complain(name, f"holds the checkpoint of size {checkpoint.size}")
            elif checkpoint:
                found[name] = checkpoint
        return found

    def verify(self, seen: bytes | None = None) -> Checkpoint | None:
        """The checkpoint over everything that was found in order; None unless all of it was."""
        earlier = self.kept()
        newest = self.signed("checkpoint")
        if seen is not None and (
            remembered := self.signed("the checkpoint seen before", seen, self.former)
        ):
            earlier["the checkpoint seen before"] = remembered
        if newest is None:
            return None
        leaves = self.leaves(newest.size)
        if leaves is None:
            self.complain("checkpoint", f"size {newest.size}: the root could not be computed")
            return None
        self.check_upper_tiles(leaves)
        computed = roots(leaves, {newest.size} | {one.size for one in earlier.values()})
        if computed[newest.size] != newest.root:
            self.complain("checkpoint", f"size {newest.size}: the entries have another root")
        for name, one in earlier.items():
            if one.size > newest.size:
                self.complain(name, f"size {one.size} was signed, now only {newest.size} is shown")
            elif computed[one.size] != one.root:
                self.complain(name, f"size {one.size}: not a beginning of the log that is shown")
        return None if self.problems else newest


def key_text(option: str) -> str:
    """What an option says, or what lies in the file that it names."""
    if option.startswith("@"):
        option = Path(option[1:]).read_text(encoding="utf-8")
    return option.strip()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Checks a published ledger from its files alone.")
    parser.add_argument("--key", required=True, help="the verifier key, or @FILE that holds it")
    parser.add_argument(
        "--former-key", action="append", default=[], help="an earlier key, or @FILE with one a line"
    )
    parser.add_argument("--seen", type=Path, help="a checkpoint seen earlier, to be continued")
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    try:
        key = parse_key(key_text(options.key))
        former = [parse_key(line) for one in options.former_key for line in key_text(one).split("\n")]
        ledger = Ledger(options.directory, key, former)
    except (Refused, OSError, UnicodeDecodeError) as reason:
        print(f"key: {reason}")
        return 1
    result = ledger.verify(options.seen.read_bytes() if options.seen else None)
    print(*ledger.problems, sep="\n", end="\n" if ledger.problems else "")
    if result:
        print(f"verified {result.size} {base64.b64encode(result.root).decode()}")
    return 0 if result else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
