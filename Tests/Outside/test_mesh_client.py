"""The public MESH client posts to the program's host, and collects from it, as any partner may."""

import datetime
import unittest
from typing import Any, ClassVar

import requests
from mesh_client import MeshClient, MeshError

from expected import (
    ANSWER,
    CHANGE,
    J,
    JOBCENTRE,
    OFFENCE,
    PERSONAL,
    PERSONS,
    POLICE,
    PRISON,
    PROBATION,
)
from program import (
    NOTICE,
    SALLYPORT_MAILBOX,
    Arrival,
    Daemon,
    Event,
    Inbox,
    Story,
    event,
)


def setUpModule():
    story = Partner.story = Story.shared().copied()
    unittest.addModuleCleanup(story.remove)
    for copy in story.copies():
        if copy.party in (POLICE, JOBCENTRE):
            opened = story.open(copy.party, copy.path.read_bytes())
            Partner.told.setdefault(copy.exchange["type"], opened["data"])


class Partner(unittest.TestCase):
    """What a partner does with the public client, on the folder of one story."""

    story: Story
    # The first copy of each type, to make more notices from.
    told: ClassVar[dict[str, dict[str, Any]]] = {}

    def client(self, party: str, **other: Any) -> MeshClient:
        """A connection of the test, one for each party, or a new one with other settings."""
        known = self.__dict__.setdefault("clients", {})
        if other or party not in known:
            client = self.story.client(party, **other)
            self.addCleanup(client.close)
            if other:
                return client
            known[party] = client
        return known[party]

    def inbox(self, party: str) -> Inbox:
        return Inbox(self.story, party, self.client(party))

    def post(self, notice: Event, signed_by: str | None = None) -> str:
        sealed = self.story.seal(notice, signed_by=signed_by)
        client = self.client(notice["source"])
        return client.send_message(
            SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE, local_id=notice["id"]
        )

    def decided(self, notice: Event) -> str:
        """Posts the notice, waits until it is decided upon, and says what its sender then sees."""
        sent = self.post(notice)
        self.story.settle()
        return self.client(notice["source"]).track_message(sent)["status"]

    def changed_date(self, date: str) -> Event:
        """A new release date for the adult of the story."""
        return event(
            "release-date.changed",
            PRISON,
            self.told["release-date.changed"] | {"releaseDate": date},
        )

    def restriction(self, reference: str, **more: Any) -> Event:
        """A MAPPA J for the adult of the story, with more in it than a J may hold."""
        issued = self.told["mappa-j.issued.release"]
        own = PERSONS[1] | {"offenderAware": True, "reference": reference, "offence": OFFENCE}
        return event("mappa-j.issued.release", PROBATION, issued | own | more)

    def answer(self, reference: str, **attributes: Any) -> Event:
        today = datetime.date.today().isoformat()
        data = {"receivedOn": today, "adviserContact": "Adviser desk", "jReference": reference}
        return event("mappa-j.acknowledged", JOBCENTRE, data, **attributes)

    @staticmethod
    def dated(date: str):
        return lambda arrival: arrival.data.get("releaseDate") == date


class ThePublicClient(Partner):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(Daemon(cls.story))

    def assert_refused(self, status: int, call, *arguments: Any) -> None:
        with self.assertRaises(requests.HTTPError) as refused:
            call(*arguments)
        self.assertEqual(refused.exception.response.status_code, status)

    def test_a_changed_date_posted_by_the_prison_reaches_the_police(self):
        for party in (PRISON, POLICE):
            self.client(party).handshake()
        notice = self.changed_date("2027-03-12")
        self.post(notice)

        police = self.inbox(POLICE)
        arrival = police.wait(self.dated("2027-03-12"))
        got = arrival.event
        self.assertEqual(got["type"], "release-date.changed")
        self.assertEqual((got["source"], got["audience"]), (PRISON, POLICE))
        self.assertEqual(got["data"], notice["data"])
        self.assertEqual(set(got["data"]), CHANGE)
        self.assertNotEqual(got["subject"], notice["subject"])
        self.assertEqual(arrival.message.workflow_id, NOTICE)
        for name, value in arrival.message.mex_headers():
            for personal in PERSONAL | {notice["subject"], notice["id"]}:
                self.assertNotIn(personal, value, name)

        police.client.acknowledge_message(arrival.message.id())
        self.assertNotIn(arrival.message.id(), police.client.list_messages())
        police.client.acknowledge_message(arrival.message.id())

    def test_a_j_is_told_and_its_answer_reaches_probation(self):
        notice = self.restriction("MJ-2001")
        self.post(notice)
        jobcentre = self.inbox(JOBCENTRE)
        told = jobcentre.wait(lambda a: a.data.get("reference") == "MJ-2001")
        self.assertEqual(told.event["type"], "mappa-j.issued.release")
        self.assertEqual(told.event["data"], {f: notice["data"][f] for f in J})
        self.assertRegex(told.event["ackby"], r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
        jobcentre.client.acknowledge_message(told.message.id())
        self.assertNotIn(told.message.id(), jobcentre.client.list_messages())

        posted = self.answer(
            "MJ-2001", correlationid=told.event["id"], subject=told.event["subject"]
        )
        sent = self.post(posted)
        probation = self.inbox(PROBATION)
        heard = probation.wait(lambda a: a.data.get("jReference") == "MJ-2001")
        self.assertEqual(heard.event["type"], "mappa-j.acknowledged")
        self.assertEqual((heard.event["source"], heard.event["audience"]), (JOBCENTRE, PROBATION))
        self.assertEqual(set(heard.event["data"]), ANSWER)
        self.assertEqual(heard.event["correlationid"], notice["id"])
        self.assertNotEqual(heard.event["subject"], told.event["subject"])
        probation.client.acknowledge_message(heard.message.id())
        tracked = self.client(JOBCENTRE).track_message(sent)
        self.assertEqual(tracked["status"], "acknowledged")

    def issued(self, reference: str) -> Arrival:
        self.post(self.restriction(reference))
        return self.inbox(JOBCENTRE).wait(lambda a: a.data.get("reference") == reference)

    def answered(self, reference: str) -> list[str]:
        """By whom, once an answer with the reference has reached probation."""
        probation = self.inbox(PROBATION)
        probation.wait(lambda a: a.data.get("jReference") == reference)
        every = probation.arrived.values()
        return [a.event["source"] for a in every if a.data.get("jReference") == reference]

    def owed(self) -> int:
        return self.story.status()["deadlines"][JOBCENTRE].get("owed", 0)

    def test_an_answer_closes_the_j_that_it_names_and_no_other(self):
        """The answer is matched by the reference of the J (G 3.33)."""
        first, second = self.issued("MJ-2002"), self.issued("MJ-2003")
        owed = self.owed()
        for wrong in ("MJ-9999", "MJ-2003"):
            self.decided(self.answer(wrong, correlationid=first.event["id"]))
            self.assertEqual(self.owed(), owed, wrong)
        self.post(self.answer("MJ-2003", correlationid=second.event["id"]))
        self.assertEqual(self.answered("MJ-2003"), [JOBCENTRE])
        self.assertEqual(self.owed(), owed - 1)

    def test_an_answer_by_another_party_than_the_one_asked_reaches_nobody(self):
        told = self.issued("MJ-2004")
        owed = self.owed()
        stolen = self.answer("MJ-2004", correlationid=told.event["id"]) | {"source": POLICE}
        self.decided(stolen)
        self.assertEqual(self.owed(), owed)
        self.post(self.answer("MJ-2004", correlationid=told.event["id"]))
        self.assertEqual(self.answered("MJ-2004"), [JOBCENTRE])

    def test_a_note_cannot_carry_what_its_recipient_may_not_know(self):
        """Identifiers that are kept out of a J by name do not come in by its note (G 3.27)."""
        for field in ("prisonNumber", "pncId", "crn"):
            note = f"see {PERSONS[1][field]}"
            self.decided(self.restriction(f"MJ-N{field}", note=note))
        jobcentre = self.inbox(JOBCENTRE)
        jobcentre.look()
        notes = {a.data.get("note") for a in jobcentre.arrived.values()} - {None}
        self.assertEqual(notes, set())

    def test_what_is_posted_can_be_tracked_by_its_sender_alone(self):
        sent = self.post(self.changed_date("2027-03-15"))
        self.inbox(POLICE).wait(self.dated("2027-03-15"))
        tracked = self.client(PRISON).track_message(sent)
        self.assertEqual((tracked["message_id"], tracked["status"]), (sent, "acknowledged"))
        self.assertEqual(tracked["recipient"], SALLYPORT_MAILBOX)
        self.assert_refused(404, self.client(POLICE).track_message, sent)

    def test_the_sender_sees_whether_it_was_taken_and_not_why(self):
        ended = self.restriction("MJ-2005", endDate="2020-01-01")
        self.assertEqual(self.decided(ended), "error")
        waits = self.restriction("MJ-2006", note="a remark of a robbery")
        self.assertEqual(self.decided(waits), "accepted")
        self.assertEqual(self.decided(self.restriction("MJ-2007")), "acknowledged")
        sent = self.post(ended | {"id": "another"})
        self.story.settle()
        said = str(self.client(PROBATION).track_message(sent))
        for word in ("RET-02", "restriction", "mappa", JOBCENTRE, *PERSONAL):
            self.assertNotIn(word, said)

    def test_a_full_mailbox_is_listed_page_by_page(self):
        dates = [f"2027-05-{day:02}" for day in range(1, 24)]
        for date in dates:
            self.post(self.changed_date(date))
        police = self.inbox(POLICE)
        police.wait(self.dated(dates[-1]))
        client = police.client
        self.assertEqual(len(client.list_messages(max_results=10)), 10)
        paged = list(client.iterate_message_ids(batch_size=10))
        self.assertEqual(len(paged), len(set(paged)))
        self.assertEqual(set(paged), set(client.list_messages()))
        arrived = [police.arrived[message].data.get("releaseDate") for message in paged]
        self.assertEqual([date for date in arrived if date in dates], dates)

    def test_a_notice_posted_twice_reaches_the_police_once(self):
        notice = self.changed_date("2027-03-16")
        self.post(notice)
        self.post(notice)
        self.post(self.changed_date("2027-03-17"))
        police = self.inbox(POLICE)
        police.wait(self.dated("2027-03-17"))
        dates = [a.data.get("releaseDate") for a in police.arrived.values()]
        self.assertEqual(dates.count("2027-03-16"), 1)

    def test_a_notice_with_the_same_id_and_other_content_reaches_nobody(self):
        notice = self.changed_date("2027-04-16")
        self.post(notice)
        self.post(self.changed_date("2027-04-17") | {"id": notice["id"]})
        self.post(self.changed_date("2027-04-18"))
        police = self.inbox(POLICE)
        police.wait(self.dated("2027-04-18"))
        dates = {a.data.get("releaseDate") for a in police.arrived.values()}
        self.assertIn("2027-04-16", dates)
        self.assertNotIn("2027-04-17", dates)

    def test_a_notice_signed_by_another_party_reaches_nobody(self):
        self.post(self.changed_date("2027-03-18"), signed_by=POLICE)
        self.post(self.changed_date("2027-03-19"))
        police = self.inbox(POLICE)
        police.wait(self.dated("2027-03-19"))
        dates = [a.data.get("releaseDate") for a in police.arrived.values()]
        self.assertNotIn("2027-03-18", dates)

    def test_only_sallyports_own_mailbox_can_be_written_to(self):
        mailbox, _ = self.story.mailbox(JOBCENTRE)
        sealed = self.story.seal(self.changed_date("2027-03-20"))
        with self.assertRaisesRegex(MeshError, "Unregistered to address") as refused:
            self.client(PRISON).send_message(mailbox, sealed, workflow_id=NOTICE)
        self.assertEqual(refused.exception.args[1]["detail"][0]["code"], "12")
        raw = self.client(PRISON).send_chunk(
            recipient=mailbox, chunk=sealed, chunk_num=1, total_chunks=1, workflow_id=NOTICE
        )
        self.assertEqual(raw.status_code, 417)

    def test_a_mailbox_opens_only_to_its_own_certificate(self):
        cert = tuple(map(str, self.story.identity(PRISON, "tls")))
        self.assert_refused(403, self.client(POLICE, cert=cert).list_messages)

    def test_a_wrong_password_or_secret_is_refused(self):
        self.assert_refused(403, self.client(POLICE, password="wrong").list_messages)
        self.assert_refused(403, self.client(POLICE, shared_key=b"wrong").list_messages)

    def test_nobody_gets_in_without_a_certificate(self):
        with self.assertRaises(requests.RequestException) as refused:
            self.client(POLICE, cert=None).list_messages()
        response = refused.exception.response
        self.assertIn(None if response is None else response.status_code, {None, 403})

    def test_nobody_collects_or_acknowledges_in_anothers_mailbox(self):
        self.post(self.changed_date("2027-03-22"))
        police = self.inbox(POLICE)
        arrival = police.wait(self.dated("2027-03-22"))
        prison = self.client(PRISON)
        for call in (prison.retrieve_message, prison.acknowledge_message):
            with self.assertRaises(requests.HTTPError) as refused:
                call(arrival.message.id())
            self.assertIn(refused.exception.response.status_code, {403, 404})
        self.assertIn(arrival.message.id(), list(police.client.iterate_message_ids()))


class Stopping(Partner):
    def test_the_daemon_stops_when_asked_and_keeps_what_it_has(self):
        with Daemon(self.story) as daemon:
            self.post(self.changed_date("2027-03-05"))
            before = self.inbox(POLICE).wait(self.dated("2027-03-05"))
            daemon.stop()
            self.assertEqual(daemon.ended, 0)
        with Daemon(self.story):
            after = self.inbox(POLICE).wait(lambda a: a.message.id() == before.message.id())
        self.assertEqual(after.sealed, before.sealed)


if __name__ == "__main__":
    unittest.main()
