"""Raw calls of the MESH API: one header, one byte at a time where a test needs it.

Written from the protocol alone; it shares nothing with the public client, so that what that client
never sends can be sent too.
"""

import hmac
import http.client
import json
import re
import ssl
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from program import NOTICE, SALLYPORT_MAILBOX, Event, Story

ROOT = "/messageexchange"
ACCEPT = {1: "application/vnd.mesh.v1+json", 2: "application/vnd.mesh.v2+json"}
SECONDS = 30
IDLE = 10  # seconds after which a kept connection may have been ended by the host

# Headers that differ between two answers without telling anything.
PASSING = {"date", "keep-alive", "connection"}

# Which request of the host an answer belongs to; counts on with each.
RUNNING = re.compile(rb'"internal_?[iI][dD]"\s*:\s*"[A-Z0-9_-]{1,40}"')

Body = bytes | Iterable[bytes]


def token(
    mailbox: str,
    password: str,
    secret: bytes,
    nonce: str | None = None,
    count: int | str = 0,
    ahead: timedelta = timedelta(),
) -> str:
    """An Authorization header; `ahead` of our clock by so much."""
    nonce = nonce or str(uuid.uuid4())
    minute = (datetime.now(UTC) + ahead).strftime("%Y%m%d%H%M")
    text = f"{mailbox}:{nonce}:{count}:{password}:{minute}"
    digest = hmac.new(secret, text.encode("ascii"), sha256).hexdigest()
    return f"NHSMESH {mailbox}:{nonce}:{count}:{minute}:{digest}"


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        return (self.headers.get("Content-Type") or "").split(";")[0].strip()

    @property
    def mex(self) -> dict[str, str]:
        """The headers about the message, names in lower case."""
        return {n.lower(): v for n, v in self.headers.items() if n.lower().startswith("mex-")}

    @property
    def told(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """All that the caller can tell one answer from another by, but for its running number."""
        names = [(n.lower(), v) for n, v in self.headers.items() if n.lower() not in PASSING]
        return self.status, sorted(names), RUNNING.sub(b'"internal_id":"-"', self.body)

    @property
    def error(self) -> tuple[str, str, str]:
        """Event, code and text of a refusal in either version's form."""
        found = self.json
        if "detail" in found:
            first = found["detail"][0]
            return first.get("event") or "", first.get("code") or "", first["msg"]
        event, code = found.get("errorEvent"), found.get("errorCode")
        return event or "", code or "", found["errorDescription"]


class Caller:
    """One party's connection to the host, kept alive, with a fresh token for each call."""

    def __init__(self, story: Story, party: str, address: str | None = None):
        self.story, self.party = story, party
        self.mailbox, self.password = story.mailbox(party)
        self.secret = story.text("shared-secret").encode()
        self.identity = story.identity(party, "tls")
        where = urlsplit(address or story.text("endpoint"))
        self.address = (where.hostname or "", where.port or 443)
        self._connection: http.client.HTTPSConnection | None = None
        self._used = 0.0

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.story.root))
        context.load_cert_chain(*self.identity)
        return context

    def connection(self) -> http.client.HTTPSConnection:
        if time.monotonic() - self._used > IDLE:
            self.close()
        self._used = time.monotonic()
        if self._connection is None:
            host, port = self.address
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=SECONDS, context=self.tls()
            )
        return self._connection

    def token(self, mailbox: str | None = None, **other: Any) -> str:
        settings = {"password": self.password, "secret": self.secret} | other
        return token(mailbox or self.mailbox, **settings)

    def own(self, path: str = "") -> str:
        return f"{ROOT}/{self.mailbox}{path}"

    def call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        headers: dict[str, str] | None = None,
        version: int | None = 2,
        authorization: str | None = "",
    ) -> Answer:
        """One call. `authorization`: a token, None for none; without it a fresh one is made.

        `body` as bytes goes with Content-Length, as anything else in HTTP chunks."""
        sent = {"Accept": ACCEPT[version]} if version else {}
        if authorization is not None:
            sent["Authorization"] = authorization or self.token()
        sent |= headers or {}
        connection = self.connection()
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
        try:
            connection.request(method, path, body, sent, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def get(self, path: str, **how: Any) -> Answer:
        return self.call("GET", self.own(path), **how)

    def head(self, path: str, **how: Any) -> Answer:
        return self.call("HEAD", self.own(path), **how)

    def acknowledge(self, message: str, **how: Any) -> Answer:
        return self.call("PUT", self.own(f"/inbox/{message}/status/acknowledged"), **how)

    def track(self, message: str, **how: Any) -> Answer:
        return self.get(f"/outbox/tracking?messageID={message}", **how)

    def send(
        self,
        body: Body = b"not a sealed message",
        headers: dict[str, str | None] | None = None,
        **how: Any,
    ) -> Answer:
        """Posts to Sallyport's mailbox; a header given as None is left out."""
        sent = {"Mex-To": SALLYPORT_MAILBOX, "Mex-WorkflowID": NOTICE} | (headers or {})
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.call("POST", self.own("/outbox"), body, kept, **how)

    def send_part(
        self,
        message: str,
        number: int | str,
        body: Body = b"part",
        chunk_range: str | None = None,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> Answer:
        sent = {"Content-Type": "application/octet-stream"}
        if chunk_range is not None:
            sent["Mex-Chunk-Range"] = chunk_range
        path = self.own(f"/outbox/{message}/{number}")
        return self.call("POST", path, body, sent | (headers or {}), **how)

    def post(self, notice: Event) -> str:
        """Seals and posts a notice of this party; its message id."""
        answer = self.send(self.story.seal(notice), {"Mex-LocalID": notice["id"]})
        assert answer.status == 202, answer
        return answer.json["message_id"]

    def listed(self, query: str = "") -> list[str]:
        return self.get(f"/inbox{query}").json["messages"]


class Upload:
    """A send that is announced and not finished."""

    def __init__(self, caller: Caller, length: int, token: str = "", sent: int = 1):
        host, port = caller.address
        self.connection = http.client.HTTPSConnection(host, port, timeout=10, context=caller.tls())
        self.connection.putrequest("POST", caller.own("/outbox"))
        headers = {"Authorization": token or caller.token(), "Content-Length": str(length)}
        headers |= {"Mex-To": SALLYPORT_MAILBOX, "Mex-WorkflowID": NOTICE}
        for name, value in headers.items():
            self.connection.putheader(name, value)
        self.connection.endheaders()
        self.connection.send(b"\0" * sent)

    def status(self) -> int:
        return self.connection.getresponse().status

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
