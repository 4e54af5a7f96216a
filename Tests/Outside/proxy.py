"""A TLS proxy on loopback before the host, that fails as real networks and services do.

    with Proxy(server, upstream, address) as proxy:
        proxy.script = ["503", "pass"]
        MeshClient(proxy.url, ...)

The proxy ends the client's TLS with the certificate of a server and opens its own: `upstream` is
the TLS context that a party would use at `address`, since the host binds mailboxes to certificates.
Every request takes the next word of the script, and passes when none is left:

    503, 429, ...   answers so by itself; the host hears nothing
    cut             reads the request and ends the connection; the host hears nothing
    half            sends the host half of the body, then ends both connections
    lose            the host answers, and the answer is lost
    pass            passes the request on and the answer back

`proxy.before(request)`, if set, is called with each request before it is passed on, and may give
another word for it.
"""

import http.client
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from pki import Identity

SECONDS = 30


class Seen(NamedTuple):
    """One request as it came, and what the proxy did with it."""

    method: str
    path: str
    authorization: str
    action: str


class Proxy:
    def __init__(self, server: Identity, upstream: ssl.SSLContext, address: str):
        self.script: list[str] = []
        self.seen: list[Seen] = []
        self.before: Callable[[Seen], str | None] | None = None
        self.upstream = upstream
        where = urlsplit(address)
        self.address = (where.hostname or "", where.port or 443)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*server)
        proxy = self

        class Handler(_Handler):
            pass

        Handler.proxy = proxy
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(SECONDS)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._pieces())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _pieces(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _pass_on(self) -> None:
        proxy = self.proxy
        body = self._body()
        action = proxy.script.pop(0) if proxy.script else "pass"
        seen = Seen(self.command, self.path, self.headers.get("Authorization") or "", action)
        if proxy.before:
            action = proxy.before(seen) or action
        proxy.seen.append(seen._replace(action=action))
        self.close_connection = action in {"cut", "half", "lose"}
        if action == "cut":
            return
        if action.isdigit():
            self.send_response(int(action))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, headers, answer = self._ask(body, half=action == "half")
        if action != "pass":
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True  # the client broke it off, as it may

    def _ask(self, body: bytes, half: bool) -> tuple[int, list[tuple[str, str]], bytes]:
        host, port = self.proxy.address
        connection = http.client.HTTPSConnection(
            host, port, timeout=SECONDS, context=self.proxy.upstream
        )
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in {"transfer-encoding", "content-length"}:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            if half:
                connection.send(body[: len(body) // 2])
                return 0, [], b""
            connection.send(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = _pass_on
