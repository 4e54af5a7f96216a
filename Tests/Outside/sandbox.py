"""The public MESH sandbox (PyPI `mesh-sandbox`) on loopback, with mutual TLS.

    with Sandbox(tls_identity, authority_certificate, data_directory) as sandbox:
        sandbox.url        # https://127.0.0.1:PORT

Mailboxes X26ABC1, X26ABC2 and X26ABC3, each with the password `password`; shared secret `TestKey`.
`sandbox.fail_acknowledgements(503, 500)` makes the next ones fail, by a plug-in of the sandbox.
"""

import os
import queue
import re
import subprocess
import sys
import threading
from pathlib import Path

from pki import Identity

SHARED_SECRET = "TestKey"
PASSWORD = "password"
MAILBOXES = ("X26ABC1", "X26ABC2", "X26ABC3")

# The sandbox loads its plug-ins from the folders of this package.
PLUGINS = Path(__file__).parent / "sandbox_plugins"
WITH_PLUGINS = f"""
import mesh_sandbox.plugins
mesh_sandbox.plugins.__path__.append({str(PLUGINS)!r})
from uvicorn.main import main
main()
"""

RUNNING = re.compile(r"Uvicorn running on (https://127\.0\.0\.1:[0-9]+)")
START_SECONDS = 60
STOP_SECONDS = 10


class Sandbox:
    """Runs while the `with` block runs. Nobody without a certificate of the authority gets in."""

    def __init__(self, server: Identity, authority: Path, data: Path):
        self.url = ""
        self.log: list[str] = []
        self._data = data
        self._forced = data.with_name(data.name + "-forced-errors")
        self._command = [
            *(sys.executable, "-c", WITH_PLUGINS, "mesh_sandbox.api:app"),
            *("--host", "127.0.0.1", "--port", "0", "--workers", "1", "--no-use-colors"),
            *("--ssl-certfile", str(server.certificate), "--ssl-keyfile", str(server.key)),
            *("--ssl-ca-certs", str(authority), "--ssl-cert-reqs", "2"),
        ]

    def __enter__(self) -> "Sandbox":
        self._data.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        environment |= {"SHARED_KEY": SHARED_SECRET, "STORE_MODE": "file"}
        environment |= {"MAILBOXES_DATA_DIR": str(self._data), "PYTHONUNBUFFERED": "1"}
        environment |= {"FORCED_ERRORS": str(self._forced), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            self._command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        found: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(found,), daemon=True)
        self._reader.start()
        try:
            self.url = found.get(timeout=START_SECONDS) or ""
        except queue.Empty:
            pass
        if not self.url:
            self.__exit__()
            raise RuntimeError("the sandbox did not start:\n" + "".join(self.log[-20:]))
        return self

    def _read(self, found: "queue.Queue[str | None]") -> None:
        """Reads the log to its end, so that the sandbox never waits for a reader."""
        for line in self._process.stderr or []:
            self.log = [*self.log[-199:], line]
            if match := RUNNING.search(line):
                found.put(match[1])
        found.put(None)

    def fail_acknowledgements(self, *statuses: int) -> None:
        self._forced.write_text("\n".join(map(str, statuses)))

    def forced(self) -> bool:
        """Whether all errors that were asked for have been given."""
        return not self._forced.exists() or not self._forced.read_text()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_SECONDS)
        if self._process.stderr:
            self._process.stderr.close()
