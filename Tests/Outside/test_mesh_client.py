"""The public MESH client posts to the program's host, and collects from it, as any partner may."""

import datetime
import unittest
from typing import Any

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
from program import NOTICE, SALLYPORT_MAILBOX, Arrival, Daemon, Event, Inbox, Story, event


def setUpModule():
    story = Partner.story = Story()
    unittest.addModuleCleanup(story.remove)
    for copy in story.copies():
        if copy.party in (POLICE, JOBCENTRE):
            opened = story.open(copy.party, copy.path.read_bytes())
            Partner.told.setdefault(copy.exchange["type"], opened["data"])


class Partner(unittest.TestCase):
    """What a partner does with the public client, on the folder of one story."""

    story: Story
    told: dict[str, dict[str, Any]] = {}  # the first copy of each type, to make more notices from

    def client(self, party: str, **other: Any) -> MeshClient:
        client = self.story.client(party, **other)
        self.addCleanup(client.close)
        return client

    def inbox(self, party: str) -> Inbox:
        return Inbox(self.story, party, self.client(party))

    def post(self, notice: Event, signed_by: str | None = None) -> str:
        sealed = self.story.seal(notice, signed_by)
        client = self.client(notice["source"])
        return client.send_message(
            SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE, local_id=notice["id"]
        )

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
        self.assertEqual(jobcentre.client.list_messages(), [])

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

    def test_an_answer_to_a_j_that_nobody_sent_reaches_nobody(self):
        self.post(self.restriction("MJ-2002"))
        self.inbox(JOBCENTRE).wait(lambda a: a.data.get("reference") == "MJ-2002")
        self.post(self.answer("MJ-9999"))
        self.post(self.answer("MJ-2002"))
        probation = self.inbox(PROBATION)
        probation.wait(lambda a: a.data.get("jReference") == "MJ-2002")
        answered = [a.data.get("jReference") for a in probation.arrived.values()]
        self.assertNotIn("MJ-9999", answered)

    def test_an_answer_by_another_party_than_the_one_asked_reaches_nobody(self):
        self.post(self.restriction("MJ-2003"))
        self.inbox(JOBCENTRE).wait(lambda a: a.data.get("reference") == "MJ-2003")
        self.post(self.answer("MJ-2003") | {"source": POLICE})
        self.post(self.answer("MJ-2003"))
        probation = self.inbox(PROBATION)
        probation.wait(lambda a: a.data.get("jReference") == "MJ-2003")
        sources = [
            a.event["source"]
            for a in probation.arrived.values()
            if a.data.get("jReference") == "MJ-2003"
        ]
        self.assertEqual(sources, [JOBCENTRE])

    def test_what_is_posted_can_be_tracked_by_its_sender_alone(self):
        sent = self.post(self.changed_date("2027-03-15"))
        self.inbox(POLICE).wait(self.dated("2027-03-15"))
        tracked = self.client(PRISON).track_message(sent)
        self.assertEqual((tracked["message_id"], tracked["status"]), (sent, "acknowledged"))
        self.assertEqual(tracked["recipient"], SALLYPORT_MAILBOX)
        self.assert_refused(404, self.client(POLICE).track_message, sent)

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
        self.assertEqual(client.count_messages(), len(paged))
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
