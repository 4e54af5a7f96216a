"""A plug-in of the MESH sandbox: it fails when, and as often as, a test has asked it to.

The file that the environment names by FORCED_ERRORS holds one status a line; each acknowledgement
takes the first and fails with it, until none is left.
"""

import os
from pathlib import Path
from typing import Any, ClassVar

from fastapi import HTTPException


class ForcedErrorsPlugin:
    triggers: ClassVar[list[str]] = ["before_acknowledge_message"]

    async def on_event(self, _event: str, _arguments: dict[str, Any]) -> None:
        wanted = Path(os.environ["FORCED_ERRORS"])
        statuses = wanted.read_text().split() if wanted.exists() else []
        if statuses:
            wanted.write_text("\n".join(statuses[1:]))
            raise HTTPException(status_code=int(statuses[0]), detail="forced by the test")
