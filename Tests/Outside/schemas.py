"""The published schemas of `--json`, and which command each is of."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from program import REPOSITORY

FOLDER = REPOSITORY / "docs/schemas"

# Every command that prints JSON, and its schema. A new command is added here and in docs/json.md.
OF_COMMAND = {
    "audit receipt": "audit-receipt",
    "audit verify": "audit-verify",
    "check": "check",
    "deadlines": "deadlines",
    "demo": "demo",
    "errors": "errors",
    "explain": "explain",
    "hold": "act",
    "inbox poll": "inbox-poll",
    "keys check": "keys-check",
    "keys create": "keys-create",
    "keys import": "key-act",
    "keys list": "keys-list",
    "keys retire": "key-act",
    "keys rotate": "key-act",
    "queue list": "queue-list",
    "queue shape": "queue-shape",
    "release": "act",
    "reload": "reload",
    "requeue": "requeue",
    "send": "send",
    "set-aside discard": "act",
    "set-aside list": "queue-list",
    "set-aside retry": "act",
    "set-aside show": "set-aside-show",
    "show": "show",
    "status": "status",
    "tail": "tail",
    "version": "version",
    "withdraw": "act",
}


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def errors(name: str, text: str) -> list[str]:
    """Why a document does not fit its schema; none when it does."""
    validator = Draft202012Validator(load(name))
    return [f"{e.json_path}: {e.message}" for e in validator.iter_errors(json.loads(text))]
