"""Texts of commands with everything that changes from run to run replaced by stable marks."""

import os
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "golden"

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MARKS = [
    (r"sha256:[0-9a-f]{64}", "<digest>"),
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "<time>"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [A-Z]+", "<time>"),
    (r"(?m)^[0-9]{2}:[0-9]{2}:[0-9]{2}\b", "<time>"),
    (r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b", "<day>"),
    (r"\bentry [0-9]+", "entry <n>"),
    (r"\bentries [0-9, ]+[0-9]", "entries <n>"),
    (r"\b[0-9]+ (ledger )?entries", r"<n> \1entries"),
    (r"(?m)^    [0-9]+  <time>", "    <n>  <time>"),
    (r"\bdue in [0-9]+ (s|min|h|days) *", "due in <age>  "),
    (r"uid [0-9]+ \([^)]*\)", "uid <n> (<name>)"),
    (r"root [A-Za-z0-9+/=]{44}", "root <root>"),
    (r"(?m)last good .*$", "last good <poll>"),
    (r"\b[0-9]+ bytes", "<n> bytes"),
    (r"\bnumber [0-9]+:", "number <n>:"),
    (r"\bof [0-9]+, signed", "of <n>, signed"),
    (r"(?s)-----BEGIN.*?-----END [A-Z ]+-----", "<request>"),
    (r"(audit)\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", r"\1+<vkey>"),
    (r"--key '[^']*'", "--key '<vkey>'"),
]


LIFE = r"(?m)(?:^    <n>  <time>  .*\n)+"


def ordered(life: str) -> str:
    """The ledger's lines of one exchange, each once: how often what is held was decided again depends on
    how fast its case moved. What became of its receipts stands last: they are made beside the rest."""
    lines = list(dict.fromkeys(life.splitlines(keepends=True)))
    told = {line.split("→")[1] for line in lines if "  receipted " in line}
    last = [line for line in lines if any(line.endswith(f"→{party}") for party in told)]
    return "".join([line for line in lines if line not in last] + last)


class Marks:
    """Names ids in the order in which they are first met: `E-1`."""

    def __init__(self, directory: Path, known: list[str]) -> None:
        self.directory = str(directory)
        self.ids: dict[str, str] = {}
        for identity in known:
            self.name(identity)

    def name(self, identity: str) -> str:
        return self.ids.setdefault(identity, f"E-{len(self.ids) + 1}".ljust(36, "."))

    def stable(self, text: str) -> str:
        text = text.replace(self.directory, "DIR")
        text = re.sub(UUID, lambda found: self.name(found.group()), text)
        for pattern, mark in MARKS:
            text = re.sub(pattern, mark, text)
        return re.sub(LIFE, lambda found: ordered(found.group()), text)


def differs(name: str, text: str) -> str | None:
    """How a text differs from the one that is kept; `GOLDEN=update` keeps it anew."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("GOLDEN") == "update":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return None
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    return None if kept == text else f"{path} says\n{kept}\nand not\n{text}"
