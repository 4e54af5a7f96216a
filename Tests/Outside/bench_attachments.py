"""How much memory the program takes while many large messages come in: prints the peak, decides nothing.

    SALLYPORT=.build/release/sallyport python3 Tests/Outside/bench_attachments.py [messages] [MiB each]

Posts them all to Sallyport's own mailbox, waits until each is decided upon, and lets the receiver poll every
copy. The peak is the kernel's own count (`VmHWM`), which must not grow with the number of messages.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from mesh_client import MeshClient

from expected import COORDINATOR, PERSONS, RECEIVING, UNAWARE
from program import ARRIVAL_SECONDS, NOTICE, SALLYPORT_MAILBOX, Daemon, Inbox, Story, event, until
from test_attachments import MARK, MIB, document, reference

POSTERS = 4


def peak(process: int) -> int:
    """The most memory that a process ever held, in bytes."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not say")


def main(count: int, size: int) -> None:
    story = Story()
    try:
        with Daemon(story) as daemon:
            pid = daemon.process.pid
            idle = peak(pid)
            minutes = document(MARK, size * MIB - 4096)
            sealed = []
            for number in range(count):
                data = {
                    "receivingArea": "northumbria",
                    "meetingDate": f"2026-01-{1 + number % 28:02}",
                    "minutes": reference(minutes),
                } | PERSONS[UNAWARE]
                sealed.append(
                    story.seal(event("transfer.level23-minutes", COORDINATOR, data), minutes)
                )

            def posted(client: MeshClient, message: bytes) -> bool:
                """False while the host has no room for it (503); the client never repeats a send."""
                try:
                    client.send_message(SALLYPORT_MAILBOX, message, workflow_id=NOTICE)
                except requests.HTTPError as refused:
                    if refused.response.status_code != 503:
                        raise
                    return False
                return True

            def post(message: bytes) -> None:
                with story.client(COORDINATOR, timeout=300) as client:
                    until(lambda: posted(client, message), seconds=ARRIVAL_SECONDS * count)

            begun = time.monotonic()
            with ThreadPoolExecutor(POSTERS) as pool:
                list(pool.map(post, sealed))
            posted = time.monotonic() - begun
            until(
                lambda: "waiting" not in {e["outcome"] for e in story.status()["exchanges"]},
                seconds=ARRIVAL_SECONDS * count,
            )
            settled = time.monotonic() - begun
            after = peak(pid)
            with story.client(RECEIVING, timeout=300) as client:
                inbox = Inbox(story, RECEIVING, client)
                inbox.look()
                arrived = sum(len(a.sealed) > size * MIB // 2 for a in inbox.arrived.values())
            print(
                f"{count} messages of {size} MiB: posted in {posted:.1f} s, decided after "
                f"{settled:.1f} s, {arrived} copies polled\n"
                f"peak memory: idle {idle >> 20} MiB, taking them in {after >> 20} MiB, "
                f"giving them out {peak(pid) >> 20} MiB"
            )
    finally:
        story.remove()


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["10", "20"])[:2]))
