"""What the tests of the ledger verifier share: a log of their own, and what the verifier says."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import unittest
from pathlib import Path

import ledger_verify
from ledger_writer import bundle, entry, publish, put

VKEY = "relay.example.org/audit+d3284c32+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


class LedgerTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ledger-verify-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def publish(self, *sizes: int) -> None:
        for size in sizes:
            publish(self.directory, [entry(index) for index in range(size)])

    def verify(self, *more: str, key: str = VKEY) -> tuple[int, list[str]]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = ledger_verify.main(["--key", key, *more, str(self.directory)])
        return status, printed.getvalue().splitlines()

    def assert_verified(self, *more: str) -> None:
        status, lines = self.verify(*more)
        self.assertEqual((status, len(lines)), (0, 1), lines)
        self.assertRegex(lines[0], r"^verified [0-9]+ [A-Za-z0-9+/]{43}=$")

    def assert_problems(self, expected: list[str], *more: str) -> None:
        """The output holds a line with each expected text, in this order, and nothing else."""
        status, lines = self.verify(*more)
        self.assertEqual(status, 1, lines)
        self.assertEqual(len(lines), len(expected), lines)
        for line, text in zip(lines, expected):
            self.assertIn(text, line)

    def edit(self, name: str, change) -> None:
        path = self.directory / name
        path.write_bytes(change(path.read_bytes()))

    def flip(self, name: str, at: int) -> None:
        self.edit(name, lambda d: d[:at] + bytes([d[at] ^ 1]) + d[at + 1 :])

    def put_entries(self, name: str, entries: list[bytes]) -> None:
        put(self.directory / name, bundle(entries))
