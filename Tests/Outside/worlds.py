"""Folders in known states for the tests of what commands say, each made once."""

import atexit
import functools
import json
import shutil
import tempfile
import uuid
from pathlib import Path

import yaml

from expected import JOBCENTRE, OFFENCE, PERSONS, POLICE, PROBATION
from pki import Authority
from program import NOTICE, SALLYPORT_MAILBOX, Daemon, Inbox, Story, event, run, until


class Copied(Story):
    """A finished story's folder once more, to write into, without playing it again."""

    def __init__(self, empty: bool = False) -> None:
        story = Story.shared()
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-world-"))
        shutil.copytree(story.directory, self.directory, dirs_exist_ok=True)
        self.document, self.exchanges = story.document, story.exchanges
        self.root = self.directory / "pki/root.pem"
        self.configuration = self.directory / "config/sallyport.yaml"
        if empty:
            for name in ("state", "ledger"):
                shutil.rmtree(self.directory / name)
            for guard in self.directory.glob("*guard*"):
                guard.unlink()
            self.exchanges = []
        atexit.register(self.remove)

    def ask(self, *arguments: object):
        return run(*arguments, "--config", self.configuration)

    def told(self, kind: str, party: str) -> dict:
        """What the story's last notice of a type told a party."""
        copies = [c for c in self.copies() if c.exchange["type"] == kind and c.party == party]
        copy = copies[-1]
        return self.open(party, copy.path.read_bytes())["data"]

    def post(self, client, kind: str, data: dict) -> None:
        sealed = self.seal(event(kind, PROBATION, data))
        client.send_message(SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE)

    def restriction(self, reference: str, **more: object) -> dict:
        own = PERSONS[3] | {"offenderAware": True, "reference": reference, "offence": OFFENCE}
        return self.told("mappa-j.issued.release", JOBCENTRE) | own | more


@functools.cache
def empty() -> Copied:
    """A store that a daemon has opened, and nothing more."""
    world = Copied(empty=True)
    with Daemon(world):
        pass
    # Whether the first polls had failed by then depends on how fast it stopped.
    (world.directory / "state/inboxes.json").unlink(missing_ok=True)
    return world


@functools.cache
def finished() -> Copied:
    """The story as it ended, and the daemon down."""
    return Copied()


class Busy:
    """The story and then: a J that waits to be collected, a note that is held; the daemon up."""

    def __init__(self) -> None:
        self.world = Copied()
        self.daemon = Daemon(self.world)

    def __enter__(self) -> "Busy":
        self.daemon.__enter__()
        before = {e["id"] for e in self.exchanges()}
        with self.world.client(PROBATION) as client:
            self.world.post(client, "mappa-j.issued.release", self.world.restriction("MJ-7001"))
            self.world.settle()
            self.pending = self.newest(before)
            before.add(self.pending)
            note = self.world.restriction("MJ-7002", note="An invented remark of a robbery")
            self.world.post(client, "mappa-j.issued.release", note)
            self.world.settle()
            self.held = self.newest(before)
            before.add(self.held)
            client.send_message(SALLYPORT_MAILBOX, b"nothing sealed", workflow_id=NOTICE)
            self.world.settle()
            self.set_aside = self.newest(before)
        # What senders are told is made a little later.
        until(lambda: self.world.status()["receiptDueSince"] is None)
        return self

    def exchanges(self) -> list[dict]:
        return self.world.status()["exchanges"]

    def newest(self, before: set[str]) -> str:
        until(lambda: any(e["id"] not in before for e in self.exchanges()))
        (new,) = {e["id"] for e in self.exchanges()} - before
        return new

    def delivery(self) -> str:
        shown = json.loads(self.world.ask("show", self.pending, "--json").stdout)
        return shown["recipients"][0]["delivery"]

    def receipt(self) -> Path:
        """What probation was told of the J that waits, as it opens it."""
        with self.world.client(PROBATION) as client:
            inbox = Inbox(self.world, PROBATION, client)
            told = inbox.wait(lambda arrival: arrival.data.get("decision") == self.pending)
        file = self.world.directory / "receipt.json"
        file.write_text(json.dumps(told.event), encoding="utf-8")
        return file

    def __exit__(self, *rest: object) -> None:
        self.daemon.__exit__(*rest)


class Keyed:
    """The story and a daemon upon it whose keys are changed; a key waits for its certificate."""

    def __init__(self) -> None:
        self.world = Copied()
        self.daemon = Daemon(self.world)
        folder = self.world.directory / "authority"
        self.authority = Authority(folder)
        self.request, self.certificate = folder / "next.csr", folder / "next.pem"

    def __enter__(self) -> "Keyed":
        self.daemon.__enter__()
        return self

    def certify(self) -> Path:
        """A certificate for what was asked for."""
        self.authority.certify(self.request.read_bytes(), "encryption", self.certificate)
        return self.certificate

    def __exit__(self, *rest: object) -> None:
        self.daemon.__exit__(*rest)


def ringless() -> Path:
    """The finished story's configuration, but with no key ring yet."""
    world = Copied()
    folder = world.directory / "ring"
    folder.mkdir()
    document = yaml.safe_load(world.configuration.read_text(encoding="utf-8"))
    document["keys"] = {"ring": f"{folder}/keys.ring", "key_encryption_key": f"{folder}/kek"}
    configuration = world.configuration.with_name("ringless.yaml")
    configuration.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return configuration


NOBODY = str(uuid.UUID(int=0x7000_8000_0000_0000_0000))
