"""The listings with metadata, of the inbox and of the outbox, by raw calls."""

import unittest
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from expected import POLICE, PRISON
from hosted import Hosted
from mesh import ACCEPT, Caller
from program import NOTICE, SALLYPORT_MAILBOX


class Rich(Hosted):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.police, cls.prison = cls.caller(POLICE), cls.caller(PRISON)

    def rich(self, caller: Caller, which: str, query: str = "") -> dict[str, Any]:
        answer = caller.get(f"/{which}/rich{query}")
        self.assertEqual((answer.status, answer.kind), (200, ACCEPT[2]), answer.body)
        self.assertLessEqual({"valid_at", "messages", "links"}, set(answer.json))
        self.assertIn("self", answer.json["links"])
        return answer.json

    def test_the_rich_inbox_shows_every_state_newest_first(self):
        self.fill(4, "2028-04")
        listed = self.police.listed()
        self.police.acknowledge(listed[-2])
        found = self.rich(self.police, "inbox")["messages"]
        ids = [m["message_id"] for m in found]
        self.assertEqual([m for m in ids if m in listed], listed[::-1])
        times = [m["sent_date"] for m in found]
        self.assertEqual(times, sorted(times, reverse=True))
        states = {m["message_id"]: m["status"].lower() for m in found}
        self.assertEqual(states[listed[-1]], "accepted")
        self.assertEqual(states[listed[-2]], "acknowledged")
        first = found[0]
        self.assertEqual((first["message_type"], first["workflow_id"]), ("DATA", NOTICE))
        self.assertEqual(first["recipient"], self.police.mailbox)
        self.assertEqual(first["sender"], SALLYPORT_MAILBOX)
        self.assertEqual(first["total_chunks"], 1)
        for name in ("sent_date", "expiry_timestamp"):
            datetime.fromisoformat(first[name])

    def test_a_sender_finds_by_the_rich_outbox_what_became_of_a_lost_answer(self):
        sent = self.prison.send(headers={"Mex-LocalID": "lost-answer"}).json["message_id"]
        half = {"Mex-LocalID": "half", "Mex-Chunk-Range": "1:2"}
        open_upload = self.prison.send(headers=half).json["message_id"]
        messages = self.rich(self.prison, "outbox")["messages"]
        found = {message.get("local_id"): message for message in messages}
        self.assertEqual(found["lost-answer"]["message_id"], sent)
        self.assertEqual(found["half"]["message_id"], open_upload)
        self.assertEqual(found["half"]["status"].lower(), "uploading")
        self.assertEqual(found["half"]["total_chunks"], 2)
        others = {m["message_id"] for m in self.rich(self.police, "outbox")["messages"]}
        self.assertNotIn(sent, others)

    def test_a_rich_listing_is_paged_and_begins_at_a_time(self):
        for _ in range(5):
            self.prison.send()
        every = self.rich(self.prison, "outbox", "?max_results=500")["messages"]
        page = self.rich(self.prison, "outbox", "?max_results=3")
        seen = page["messages"]
        while following := page["links"].get("next"):
            self.assertTrue(following.startswith(self.prison.own("/outbox/rich?")), following)
            self.assertEqual(parse_qs(urlsplit(following).query)["max_results"], ["3"])
            page = self.prison.call("GET", following).json
            self.assertLessEqual(len(page["messages"]), 3)
            seen += page["messages"]
        self.assertEqual([m["message_id"] for m in seen], [m["message_id"] for m in every])
        tomorrow = quote((datetime.now(UTC) + timedelta(days=1)).isoformat())
        later = self.rich(self.prison, "outbox", f"?start_time={tomorrow}")
        self.assertEqual(later["messages"], [])
        long_ago = "2026-01-01T00:00:00Z"
        again = self.rich(self.prison, "outbox", f"?max_results=500&start_time={long_ago}")
        self.assertEqual(len(again["messages"]), len(every))

    def test_the_limits_of_the_rich_parameters(self):
        for which in ("inbox", "outbox"):
            for query in ("max_results=0", "max_results=x", "start_time=today", "continue_from=x"):
                answer = self.prison.get(f"/{which}/rich?{query}")
                self.assertEqual(answer.status, 400, (which, query))
                self.assertIsInstance(answer.json["detail"], list)

if __name__ == "__main__":
    unittest.main()
