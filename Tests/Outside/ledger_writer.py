"""A small writer of ledgers for the tests of the verifier, after the recursive definitions.

It shares no code with the verifier and none with the program: `tree` follows the definition of
the Merkle tree hash (RFC 9162 2.1.1) literally, and each tile is cut from it by level and number.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "relay.example.org/audit"
SEED = bytes(range(32))


def entry(index: int) -> bytes:
    return b"audit-entry-%d" % index


def leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\0" + content).digest()


def tree(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\1" + public).digest()[:4]


class Signer:
    def __init__(self, name: str = ORIGIN, seed: bytes = SEED):
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = key_id(name, self.public)

    @property
    def vkey(self) -> str:
        encoded = base64.b64encode(b"\1" + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def line(self, text: str) -> str:
        signature = self.private.sign(text.encode())
        return f"\u2014 {self.name} {base64.b64encode(self.id + signature).decode()}\n"

    def note(self, text: str) -> bytes:
        return f"{text}\n{self.line(text)}".encode()


def checkpoint_text(entries: list[bytes], origin: str = ORIGIN) -> str:
    root = base64.b64encode(tree([leaf(content) for content in entries])).decode()
    return f"{origin}\n{len(entries)}\n{root}\n"


def place(number: int) -> str:
    digits = f"{number:03}"
    while len(digits) % 3:
        digits = "0" + digits
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def bundle(entries: list[bytes]) -> bytes:
    return b"".join(len(content).to_bytes(2, "big") + content for content in entries)


def publish(directory: Path, entries: list[bytes], signer: Signer | None = None) -> None:
    """Writes every file that a checkpoint over these entries implies, then the checkpoint.

    Calling it again with more entries leaves the narrower files of before, as a real log may.
    """
    leaves = [leaf(content) for content in entries]
    level, row = 0, leaves
    while row:
        for first in range(0, len(row), 256):
            part = row[first : first + 256]
            name = place(first // 256) + ("" if len(part) == 256 else f".p/{len(part)}")
            put(directory / f"tile/{level}/{name}", b"".join(part))
            if level == 0:
                put(directory / f"tile/entries/{name}", bundle(entries[first : first + 256]))
        level += 1
        span = 256**level
        row = [tree(leaves[at * span : (at + 1) * span]) for at in range(len(leaves) // span)]
    note = (signer or Signer()).note(checkpoint_text(entries))
    put(directory / f"checkpoints/{len(entries)}", note)
    put(directory / "checkpoint", note)
