"""Documents go their way as a partner meets it: made with `openssl cms`, posted, polled, and opened."""

import hashlib
import os
import unittest
from typing import ClassVar

import cms
from expected import COORDINATOR, MINUTES, MINUTES_WENT, PERSONS, PROBATION, RECEIVING, UNAWARE
from program import NOTICE, SALLYPORT_MAILBOX, Arrival, Daemon, Event, Inbox, Story, event

MIB = 1 << 20
PDF = "application/pdf"

# Each of these begins many lines of its document, so that a part of it anywhere is found.
MARK, ANNEX_MARK = b"Invented minutes ", b"Invented annex "


def document(mark: bytes, size: int) -> bytes:
    """A document of that size: marked lines of letters that say nothing and do not compress."""
    line = lambda: mark + os.urandom(500).hex().encode() + b"\n"  # noqa: E731
    return (b"%PDF-1.4\n" + b"".join(line() for _ in range(size // 1000 + 1)))[:size]


def reference(bytes_: bytes, media_type: str = PDF) -> dict[str, object]:
    digest = hashlib.sha256(bytes_).hexdigest()
    return {"mediatype": media_type, "length": len(bytes_), "sha256": digest}


class Documents(unittest.TestCase):
    story: ClassVar[Story]
    daemon: ClassVar[Daemon]

    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared().copied()
        cls.addClassCleanup(cls.story.remove)
        cls.daemon = cls.enterClassContext(Daemon(cls.story))

    def inbox(self, party: str) -> Inbox:
        client = self.story.client(party)
        self.addCleanup(client.close)
        return Inbox(self.story, party, client)

    def notice(self, date: str, **fields: object) -> Event:
        """The minutes of that day's meeting about the person of the story who is at level 2."""
        person = PERSONS[UNAWARE]
        data = {"receivingArea": "northumbria", "meetingDate": date} | person | fields
        return event("transfer.level23-minutes", COORDINATOR, data)

    def post(self, notice: Event, *documents: bytes) -> str:
        client = self.inbox(COORDINATOR).client
        sealed = self.story.seal(notice, *documents)
        sent = client.send_message(
            SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE, local_id=notice["id"]
        )
        self.story.settle()
        return client.track_message(sent)["status"]

    def opened(self, party: str, date: str) -> tuple[Arrival, Event, list[bytes]]:
        arrival = self.inbox(party).wait(lambda a: a.data.get("meetingDate") == date)
        return arrival, *self.story.open_whole(party, arrival.sealed)

    def test_the_receiver_has_the_very_bytes_the_lead_agency_the_notice_alone(self):
        minutes, annex = document(MARK, MIB), document(ANNEX_MARK, 100_000)
        notice = self.notice("2026-01-12", minutes=reference(minutes), annex=reference(annex))
        # The annex comes first: their order says nothing.
        self.assertEqual(self.post(notice, annex, minutes), "acknowledged")
        _, told, documents = self.opened(RECEIVING, "2026-01-12")
        self.assertEqual(set(told["data"]), MINUTES)
        self.assertEqual(told["data"]["minutes"], reference(minutes))
        self.assertEqual(documents, [minutes])
        arrival, told, documents = self.opened(PROBATION, "2026-01-12")
        self.assertEqual(set(told["data"]), MINUTES_WENT)
        self.assertEqual(documents, [])
        self.assertLess(len(arrival.sealed), 5000)

        # Nothing of either lies anywhere: store, its log of writes, ledger, configuration, log.
        kept = [path for path in self.story.directory.rglob("*") if path.is_file()]
        self.assertGreater(sum(path.stat().st_size for path in kept), MIB)
        for path in [*kept, self.daemon.log]:
            content = path.read_bytes()
            for mark in (MARK, ANNEX_MARK):
                self.assertNotIn(mark, content, path.name)

    def test_fifteen_mebibytes_go_in_one_request_each_way(self):
        minutes = document(MARK, 15 * MIB)
        notice = self.notice("2026-01-13", minutes=reference(minutes))
        self.assertEqual(self.post(notice, minutes), "acknowledged")
        arrival, _, documents = self.opened(RECEIVING, "2026-01-13")
        self.assertEqual(documents == [minutes], True)
        self.assertGreater(len(arrival.sealed), 15 * MIB)

    def test_what_does_not_fit_reaches_nobody(self):
        minutes, other = document(MARK, 5000), document(MARK, 5000)
        text = b"Invented minutes in plain text."
        wrong = {
            "no bytes": (reference(minutes), []),
            "bytes that nobody names": (None, [minutes]),
            "other bytes": (reference(minutes), [other]),
            "twice": (reference(minutes), [minutes, minutes]),
            "a type that minutes are not": (reference(text, "text/plain"), [text]),
            "a type that the bytes are not": (reference(text), [text]),
        }
        for number, (name, (named, documents)) in enumerate(wrong.items()):
            with self.subTest(name):
                notice = self.notice(f"2026-02-{10 + number}", minutes=named)
                self.assertEqual(self.post(notice, *documents), "error")
        dates = {a.data.get("meetingDate") for a in self.arrived(RECEIVING)}
        self.assertFalse({date for date in dates if date and date.startswith("2026-02-")})

    def arrived(self, party: str) -> list[Arrival]:
        inbox = self.inbox(party)
        inbox.look()
        return list(inbox.arrived.values())

    def test_the_recipe_of_the_manual(self):
        """The envelope, then `printf '\\036%s\\n' LENGTH` and the document, as a shell joins them."""
        self.assertEqual(
            cms.joined(b"{}", b"%PDF-"), b"{}" + bytes.fromhex("1e") + b"5\n" + b"%PDF-"
        )


if __name__ == "__main__":
    unittest.main()
