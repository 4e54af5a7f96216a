"""The tables of docs/protocol.md name tests that exist, and leave no part of the MESH API out."""

import re
import unittest

from program import REPOSITORY

DOCUMENT = REPOSITORY / "docs/protocol.md"
TESTS = REPOSITORY / "Tests"
SECTION = "## Shown from outside"

# Every part of the MESH API that a server or a client of it has to answer for.
SUBJECTS = (
    *("transport", "token", "versions", "handshake", "inbox list", "download", "HEAD"),
    *("acknowledge", "count", "send", "parts, sent", "parts, received", "compression"),
    *("error bodies", "tracking", "lookup", "ping, update", "rich listings", "reports"),
    *("retries", "guarded doors", "the public client", "the sandbox"),
)


def tables(text: str) -> list[list[dict[str, str]]]:
    """Each table as rows by the names of its columns."""
    found: list[list[dict[str, str]]] = []
    names: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            names = []
        elif not names:
            names = cells
            found.append([])
        elif set(line) - set("|- :"):
            found[-1].append(dict(zip(names, cells, strict=False)))
    return found


class TheConformanceTables(unittest.TestCase):
    def setUp(self):
        self.text = DOCUMENT.read_text(encoding="utf-8")

    def test_every_suite_that_a_table_names_exists(self):
        suites: set[str] = set()
        for path in TESTS.rglob("*Tests.swift"):
            suites.add(path.stem)
            suites |= set(re.findall(r"\b(?:struct|class) (\w+Tests)\b", path.read_text()))
        named = {
            name
            for table in tables(self.text)
            for row in table
            for name in re.findall(r"\b\w+Tests\b", row.get("Tests", ""))
        }
        self.assertTrue(named)
        self.assertEqual(named - suites, set())

    def test_every_row_of_a_table_of_tests_names_one(self):
        for table in tables(self.text):
            for row in table:
                if "Tests" in row:
                    self.assertRegex(row["Tests"], r"\w", row)

    def test_every_test_from_outside_that_is_named_exists(self):
        functions: set[str] = set()
        for path in (TESTS / "Outside").glob("test_*.py"):
            functions.add(path.stem)
            functions |= set(re.findall(r"def (test_\w+)", path.read_text()))
        named = set(re.findall(r"`(test_\w+)`", self.text))
        self.assertGreater(len(named), len(SUBJECTS))
        self.assertEqual(named - functions, set())

    def test_nothing_of_the_protocol_is_left_out(self):
        section = self.text.split(SECTION)[1].split("\n## ")[0]
        rows = tables(section)[0]
        self.assertEqual([row["Of the MESH API"] for row in rows], list(SUBJECTS))
        for row in rows:
            self.assertRegex(row["Tests"], "`test_", row)


if __name__ == "__main__":
    unittest.main()
