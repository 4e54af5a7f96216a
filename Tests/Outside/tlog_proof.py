#!/usr/bin/env python3
"""Checks a receipt's ledger proof without any code of the program that wrote it.

    tlog_proof.py --key VKEY FILE    VKEY is the verifier key, or @FILE that holds it;
                                     FILE is a receipt as `openssl cms -verify` opened it

Offline, with one public key: that the entry in the receipt is in the ledger which the checkpoint in the
proof is signed for. Prints `proved INDEX of SIZE` and exits 0, or why not and exits 1.

Formats: tlog-proof, signed-note and tlog-checkpoint of C2SP (c2sp.org); the tree of RFC 9162 2.1.3.2.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

from ledger_verify import HASH, SIZE, Key, Refused, leaf, node, open_checkpoint, parse_key, strict_base64

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63


class Proved(NamedTuple):
    index: int
    size: int


def prove(entry: bytes, proof: str, key: Key) -> Proved:
    """The place of the entry in the ledger of the key, if the proof shows it."""
    head, parted, checkpoint = proof.partition("\n\n")
    if not parted:
        raise Refused("no empty line before the checkpoint")
    lines = head.split("\n")
    if lines.pop(0) != HEADER:
        raise Refused(f"the first line is not {HEADER}")
    if lines and lines[0].startswith("extra "):
        strict_base64(lines.pop(0).removeprefix("extra "))
    found = re.fullmatch(f"index ({SIZE})", lines.pop(0) if lines else "", re.ASCII)
    if not found:
        raise Refused("no line with the index")
    if len(lines) > MOST_HASHES:
        raise Refused("too many hashes")
    hashes = [strict_base64(line) for line in lines]
    if any(len(part) != HASH for part in hashes):
        raise Refused("a hash that is not 32 bytes")
    signed = open_checkpoint(checkpoint.encode(), key)
    index = int(found[1])
    if index >= signed.size:
        raise Refused(f"entry {index} of {signed.size}")
    if root(leaf(entry), index, signed.size, hashes) != signed.root:
        raise Refused("the proof does not lead to the signed root")
    return Proved(index, signed.size)


def root(found: bytes, index: int, size: int, hashes: list[bytes]) -> bytes | None:
    """The root that a leaf and its neighbours make; None if they are too few or too many.

    Goes down from the root as the proof was made, and so not as RFC 9162 checks it: the last hash is
    the sibling next to the root.
    """
    if size == 1:
        return found if not hashes else None
    if not hashes:
        return None
    left = 1 << (size - 1).bit_length() - 1  # the largest power of two below the size
    *inner, sibling = hashes
    if index < left:
        part = root(found, index, left, inner)
        return part and node(part, sibling)
    part = root(found, index - left, size - left, inner)
    return part and node(sibling, part)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Checks a receipt's ledger proof.")
    parser.add_argument("--key", required=True, help="the verifier key, or @FILE")
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    key = options.key
    try:
        if key.startswith("@"):
            key = Path(key[1:]).read_text(encoding="ascii").strip()
        data = json.loads(options.file.read_bytes())["data"]
        proved = prove(data["entry"].encode(), data["proof"], parse_key(key))
    except (Refused, OSError, ValueError, KeyError, TypeError) as reason:
        print(f"not proved: {reason}")
        return 1
    print(f"proved {proved.index} of {proved.size}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
