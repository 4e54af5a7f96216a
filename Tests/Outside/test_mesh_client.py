"""The public MESH client posts to the program's host, and collects from it, as any partner may."""

import unittest
from typing import Any

import requests
from mesh_client import MeshClient, MeshError

from expected import CHANGE, J
from program import ANSWER, NOTICE, SALLYPORT_MAILBOX, Arrival, Daemon, Event, Inbox, Story, event

PRISON, POLICE = "prison:durham", "police:durham"
PROBATION, JOBCENTRE = "probation:durham", "jobcentre:durham"


def setUpModule():
    story = Partner.story = Story()
    unittest.addModuleCleanup(story.remove)
    for copy in story.copies():
        kind = copy.exchange["type"]
        if kind not in Partner.told or copy.party in (POLICE, JOBCENTRE):
            Partner.told[kind] = story.open(copy.party, copy.path.read_bytes())


class Partner(unittest.TestCase):
    """What a partner does with the public client, on the folder of one story."""

    story: Story
    told: dict[str, Event] = {}  # the last copy of each type, to make further notices from

    def client(self, party: str, **other: Any) -> MeshClient:
        client = self.story.client(party, **other)
        self.addCleanup(client.close)
        return client

    def inbox(self, party: str) -> Inbox:
        return Inbox(self.story, party, self.client(party))

    def post(self, notice: Event, signed_by: str | None = None) -> str:
        sealed = self.story.seal(notice, signed_by)
        client = self.client(notice["source"])
        sent = client.send_message(
            SALLYPORT_MAILBOX, sealed, workflow_id=NOTICE, local_id=notice["id"]
        )
        if signed_by is None and notice["type"] == "release-date.changed":
            self.told["release-date.changed"]["data"] = notice["data"]
        return sent

    def changed_date(self, date: str) -> Event:
        """A new release date for the person of the story."""
        last = self.told["release-date.changed"]["data"]
        change = {"previousReleaseDate": last["releaseDate"], "releaseDate": date}
        return event("release-date.changed", PRISON, last | change)


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
        sent = self.post(notice)
        self.assertTrue(sent)

        police = self.inbox(POLICE)
        arrival = police.wait(lambda a: a.data.get("releaseDate") == "2027-03-12")
        got = arrival.event
        self.assertEqual(got["type"], "release-date.changed")
        self.assertEqual((got["source"], got["audience"]), (PRISON, POLICE))
        self.assertEqual(set(got["data"]), CHANGE)
        self.assertNotEqual(got["subject"], notice["subject"])
        self.assertEqual(arrival.message.workflow_id, NOTICE)
        for name, value in arrival.message.mex_headers():
            self.assertNotIn(notice["data"]["prisonNumber"], value, name)

        police.client.acknowledge_message(arrival.message.id())
        self.assertNotIn(arrival.message.id(), police.client.list_messages())
        police.client.acknowledge_message(arrival.message.id())

    def test_the_sender_gets_a_signed_receipt(self):
        notice = self.changed_date("2027-03-15")
        sent = self.post(notice)

        def answers(arrival: Arrival) -> bool:
            named = {arrival.event.get("correlationid"), arrival.event.get("causationid")}
            return arrival.message.workflow_id == ANSWER and notice["id"] in named

        receipt = self.inbox(PRISON).wait(answers)
        self.assertEqual(receipt.event["audience"], PRISON)
        status = self.client(PRISON).track_message(sent)["status"]
        self.assertIn(status, {"accepted", "acknowledged"})

    def test_a_notice_posted_twice_reaches_the_police_once(self):
        notice = self.changed_date("2027-03-16")
        self.post(notice)
        self.post(notice)
        self.post(self.changed_date("2027-03-17"))
        police = self.inbox(POLICE)
        police.wait(lambda a: a.data.get("releaseDate") == "2027-03-17")
        dates = [a.data.get("releaseDate") for a in police.arrived.values()]
        self.assertEqual(dates.count("2027-03-16"), 1)

    def test_a_notice_signed_by_another_party_reaches_nobody(self):
        self.post(self.changed_date("2027-03-18"), signed_by=POLICE)
        self.post(self.changed_date("2027-03-19"))
        police = self.inbox(POLICE)
        police.wait(lambda a: a.data.get("releaseDate") == "2027-03-19")
        dates = [a.data.get("releaseDate") for a in police.arrived.values()]
        self.assertNotIn("2027-03-18", dates)

    def test_only_sallyports_own_mailbox_can_be_written_to(self):
        mailbox, _ = self.story.mailbox(JOBCENTRE)
        sealed = self.story.seal(event("release-date.changed", PRISON, {}))
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

    def test_nobody_collects_from_anothers_mailbox(self):
        self.post(self.changed_date("2027-03-22"))
        police = self.inbox(POLICE)
        arrival = police.wait(lambda a: a.data.get("releaseDate") == "2027-03-22")
        prison = self.client(PRISON)
        with self.assertRaises(requests.HTTPError) as refused:
            prison.retrieve_message(arrival.message.id())
        self.assertIn(refused.exception.response.status_code, {403, 404})

    def test_a_changed_restriction_is_told_and_the_answer_reaches_probation(self):
        issued = self.told["mappa-j.issued.release"]["data"]
        known = {k: v for e in self.told.values() for k, v in e["data"].items()}
        identity = {name: known[name] for name in ("prisonNumber", "pncId", "crn") if name in known}
        notice = event(
            "mappa-j.changed",
            PROBATION,
            identity | issued | {"endDate": "2029-06-30", "offence": "an invented offence"},
        )
        self.post(notice)

        jobcentre = self.inbox(JOBCENTRE)
        told = jobcentre.wait(lambda a: a.data.get("endDate") == "2029-06-30")
        self.assertEqual(told.event["type"], "mappa-j.changed")
        self.assertEqual(set(told.event["data"]) - J.needed - J.allowed, set())
        self.assertEqual(J.needed - set(told.event["data"]), set())
        self.assertTrue(told.event.get("ackby"))
        jobcentre.client.acknowledge_message(told.message.id())

        answer = event(
            "mappa-j.change-acknowledged",
            JOBCENTRE,
            {},
            correlationid=told.event["id"],
            subject=told.event["subject"],
        )
        self.post(answer)
        probation = self.inbox(PROBATION)
        heard = probation.wait(
            lambda a: a.event.get("type") == answer["type"]
            and a.event.get("correlationid") == notice["id"]
        )
        self.assertEqual((heard.event["source"], heard.event["audience"]), (JOBCENTRE, PROBATION))


class Stopping(Partner):
    def test_the_daemon_stops_when_asked_and_keeps_what_it_has(self):
        with Daemon(self.story) as daemon:
            self.post(self.changed_date("2027-03-05"))
            before = self.inbox(POLICE).wait(lambda a: a.data.get("releaseDate") == "2027-03-05")
            daemon.stop()
            self.assertEqual(daemon.ended, 0)
        with Daemon(self.story):
            after = self.inbox(POLICE).wait(lambda a: a.message.id() == before.message.id())
        self.assertEqual(after.sealed, before.sealed)


if __name__ == "__main__":
    unittest.main()
