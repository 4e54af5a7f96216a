"""The program as an outsider meets it: its command, the folder it keeps, its mailbox host."""

import atexit
import copy
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mesh_client import MeshClient, Message

import cms
from pki import Identity

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("SALLYPORT") or REPOSITORY / ".build/debug/sallyport")

SALLYPORT = "sallyport:north"
SALLYPORT_MAILBOX = "SALLYPORT1"
NOTICE = "SALLYPORT_NOTICE"

DEMO_SECONDS = 120
COMMAND_SECONDS = 60
START_SECONDS = 20
STOP_SECONDS = 10
ARRIVAL_SECONDS = 30
PAUSE_SECONDS = 0.05

# Loopback is never reached through a proxy of the environment.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

Event = dict[str, Any]


def run(*arguments: object, seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess:
    """Runs the program to its end, without terminal or input."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def until(done: Callable[[], bool], seconds: float = ARRIVAL_SECONDS) -> None:
    """Asks again and again, for at most the given time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen within {seconds} s")
        time.sleep(PAUSE_SECONDS)


class Copy(NamedTuple):
    """One sealed copy as a recipient downloaded it, and what the program said about it."""

    exchange: dict[str, Any]
    recipient: dict[str, Any]
    path: Path

    @property
    def party(self) -> str:
        return self.recipient["party"]


class Story:
    """The demo story, played once into a folder of its own, and what it left there."""

    def __init__(self) -> None:
        if not PROGRAM.exists():
            raise RuntimeError(f"{PROGRAM} is not there: build it, or name it by SALLYPORT")
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-demo-"))
        try:
            done = run("demo", "--once", "--json", "--keep", self.directory, seconds=DEMO_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            self.remove()
            raise
        self.output, self.errors = done.stdout, done.stderr
        if done.returncode:
            self.remove()
            raise RuntimeError(f"the demo ended with {done.returncode}:\n{done.stderr[-4000:]}")
        self.document: dict[str, Any] = json.loads(done.stdout)
        self.exchanges: list[dict[str, Any]] = self.document["exchanges"]
        self.root = self.directory / "pki/root.pem"
        self.configuration = self.directory / "config/sallyport.yaml"

    @classmethod
    @functools.cache
    def shared(cls) -> "Story":
        """One story for all tests that only look; nobody serves its folder or writes into it."""
        story = cls()
        atexit.register(story.remove)
        return story

    def copied(self) -> "Story":
        """The same story in a folder of its own, to serve and to write into."""
        other = copy.copy(self)
        other.directory = Path(tempfile.mkdtemp(prefix="sallyport-demo-"))
        shutil.copytree(self.directory, other.directory, dirs_exist_ok=True)
        other.root = other.directory / "pki/root.pem"
        other.configuration = other.directory / "config/sallyport.yaml"
        return other

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def folder(party: str) -> str:
        return party.replace(":", "-")

    def text(self, name: str) -> str:
        return (self.directory / name).read_text(encoding="utf-8").strip()

    def identity(self, party: str, purpose: str) -> Identity:
        folder = self.directory / "pki" / self.folder(party)
        return Identity(folder / f"{purpose}.pem", folder / f"{purpose}.key")

    def host(self) -> Identity:
        """The certificate of Sallyport's own host, for loopback: servers of tests borrow it."""
        return Identity(self.directory / "secrets/host.pem", self.directory / "secrets/host.key")

    def mailbox(self, party: str) -> tuple[str, str]:
        """The party's mailbox and its password."""
        for entry in json.loads(self.text("mailboxes.json")):
            if entry["party"] == party:
                return entry["mailbox"], entry["password"]
        raise KeyError(f"no mailbox of {party}")

    def collected(self, party: str, delivery: str) -> Path:
        return self.directory / "collected" / self.folder(party) / f"{delivery}.p7m"

    def copies(self) -> Iterator[Copy]:
        """Every copy that was delivered, in the order of the story."""
        for exchange in self.exchanges:
            for recipient in exchange["recipients"]:
                if recipient.get("delivery"):
                    path = self.collected(recipient["party"], recipient["delivery"])
                    yield Copy(exchange, recipient, path)

    def open_whole(self, party: str, sealed: bytes) -> tuple[Event, list[bytes]]:
        """Event and documents, if they are sealed to the party and signed by Sallyport."""
        signer = self.identity(SALLYPORT, "signing").certificate
        reader = self.identity(party, "encryption")
        content = cms.open_and_verify(sealed, *reader, signer, self.root)
        envelope, documents = cms.parted(content)
        return json.loads(envelope), documents

    def open(self, party: str, sealed: bytes) -> Event:
        """The event alone."""
        return self.open_whole(party, sealed)[0]

    def seal(self, event: Event, *documents: bytes, signed_by: str | None = None) -> bytes:
        """The event and its documents, signed by its source (or another), sealed to Sallyport."""
        signer = self.identity(signed_by or event["source"], "signing")
        reader = self.identity(SALLYPORT, "encryption").certificate
        content = cms.joined(json.dumps(event).encode(), *documents)
        return cms.sign_and_encrypt(content, *signer, reader)

    def status(self) -> dict[str, Any]:
        """What `sallyport status` says, with the daemon up or down."""
        return json.loads(run("status", "--json", "--config", self.configuration).stdout)

    def settle(self) -> None:
        """Waits until everything that came in was decided upon."""
        until(lambda: "waiting" not in {e["outcome"] for e in self.status()["exchanges"]})

    def client(self, party: str, **other: Any) -> MeshClient:
        """The public MESH client for the party's mailbox at Sallyport's host."""
        mailbox, password = self.mailbox(party)
        settings: dict[str, Any] = {
            "mailbox": mailbox,
            "password": password,
            "shared_key": self.text("shared-secret").encode(),
            "cert": tuple(map(str, self.identity(party, "tls"))),
            "verify": str(self.root),
            "max_retries": 0,
            "timeout": 30,
        }
        return MeshClient(self.text("endpoint"), **(settings | other))


def event(kind: str, source: str, data: dict[str, Any], **attributes: Any) -> Event:
    """A CloudEvents 1.0 event from a party to Sallyport, happening now."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": kind,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "subject": uuid.uuid4().hex,
        "datacontenttype": "application/json",
        "audience": SALLYPORT,
        "data": data,
    } | attributes


class Daemon:
    """`sallyport serve` on a story's folder, answering while the `with` block runs."""

    def __init__(self, story: Story, configuration: Path | None = None, log_level: str = "info"):
        self.story = story
        self.configuration = configuration or story.configuration
        self.log_level = log_level
        self.log = Path(tempfile.mkstemp(prefix="sallyport-serve-", suffix=".log")[1])
        self.ended: int | None = None
        self.said = ""  # all that it wrote, once it has stopped

    def __enter__(self) -> "Daemon":
        endpoint = urlsplit(self.story.text("endpoint"))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--log-level", self.log_level, "--config", self.configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((endpoint.hostname, endpoint.port), 1).close()
                return self
            except OSError:
                time.sleep(PAUSE_SECONDS)
        self.__exit__()
        raise RuntimeError(f"the daemon did not answer at {endpoint.netloc}:\n{self.said[-4000:]}")

    def stop(self) -> float:
        """Asks it to stop; the seconds that it took. Raises when it takes longer than it may."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.ended = self.process.wait(STOP_SECONDS)
        return time.monotonic() - begun

    def __exit__(self, *_: object) -> None:
        try:
            if self.process.poll() is None:
                self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.said = self.log.read_text(errors="replace")
            self.log.unlink(missing_ok=True)


class Arrival(NamedTuple):
    message: Message
    sealed: bytes
    event: Event

    @property
    def data(self) -> dict[str, Any]:
        return self.event.get("data") or {}


class Inbox:
    """A party's mailbox at Sallyport's host, read by the public client and opened by OpenSSL."""

    def __init__(self, story: Story, party: str, client: MeshClient):
        self.story, self.party, self.client = story, party, client
        self.arrived: dict[str, Arrival] = {}

    def look(self) -> None:
        """Downloads what lies there and has not been seen yet; acknowledges nothing."""
        for message_id in self.client.iterate_message_ids():
            if message_id not in self.arrived:
                message = self.client.retrieve_message(message_id)
                sealed = message.read()
                carried = message.message_type != "REPORT"  # a carrier's report has no body
                opened = self.story.open(self.party, sealed) if carried else {}
                self.arrived[message_id] = Arrival(message, sealed, opened)

    def wait(self, wanted: Callable[[Arrival], bool]) -> Arrival:
        """The first arrival that is wanted; asks again and again for a bounded time."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while True:
            self.look()
            for arrival in self.arrived.values():
                if wanted(arrival):
                    return arrival
            if time.monotonic() > deadline:
                types = [arrival.event.get("type") for arrival in self.arrived.values()]
                raise AssertionError(f"it did not reach {self.party}, which has {types}")
            time.sleep(PAUSE_SECONDS)
