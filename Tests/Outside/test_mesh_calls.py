"""Every call of the mailbox host, as the MESH API says it: both versions, every header and limit.

The section numbers are those of the conformance table in docs/protocol.md.
"""

import json
import re
import unittest
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

from expected import POLICE, PRISON, PROBATION
from hosted import Hosted
from mesh import ACCEPT, ROOT
from program import NOTICE, SALLYPORT_MAILBOX

HANDSHAKE = {
    "mex-ClientVersion": "invented==1.0",
    "mex-OSName": "Linux",
    "mex-OSVersion": "6.1",
}
MINUTES = timedelta(minutes=5)

class EveryCall(Hosted):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arrived = cls.fill(13)
        cls.police, cls.prison = cls.caller(POLICE), cls.caller(PRISON)

    # Transport (section 2)

    def test_the_mailbox_and_the_message_in_a_path_are_read_in_any_case_and_encoding(self):
        message = self.arrived[0]
        wanted = self.police.get(f"/inbox/{message}").body
        name = self.police.mailbox
        encoded = "".join(f"%{ord(c):02x}" for c in name)
        for mailbox in (name.lower(), encoded):
            answer = self.police.call("GET", f"{ROOT}/{mailbox}/inbox/{message.lower()}")
            self.assertEqual((answer.status, answer.body), (200, wanted), mailbox)

    def test_header_names_are_read_in_any_case_and_bodies_in_either_framing(self):
        names = {"MEX-TO": SALLYPORT_MAILBOX, "mex-workflowid": NOTICE, "mEx-lOcAlId": "case-1"}
        for body in (b"whole", iter((b"in ", b"pieces"))):
            answer = self.prison.send(body, names | {"Mex-To": None, "Mex-WorkflowID": None})
            self.assertEqual(answer.status, 202, answer.body)
            tracked = self.prison.track(answer.json["message_id"]).json
            self.assertEqual(tracked["local_id"], "case-1")

    def test_a_connection_is_kept_for_many_calls(self):
        self.police.get("/inbox")
        kept = self.police.connection().sock
        for path in ("/inbox", "/count", f"/inbox/{self.arrived[0]}", "/inbox/0", "/nothing"):
            self.police.get(path)
            self.assertIs(self.police.connection().sock, kept, path)
        self.police.head(f"/inbox/{self.arrived[0]}")
        self.assertIs(self.police.connection().sock, kept)

    def test_answers_set_no_cookie_and_send_nobody_elsewhere(self):
        for path in ("", "/inbox", "/count", f"/inbox/{self.arrived[0]}"):
            answer = self.police.get(path, headers=HANDSHAKE)
            self.assertEqual(answer.status, 200)
            for name in ("Set-Cookie", "Location"):
                self.assertNotIn(name, answer.headers)

    # Versions (section 4)

    def test_the_accept_header_chooses_the_version(self):
        first = [None, "", "*/*", "application/json", ACCEPT[1]]
        second = [ACCEPT[2], "application/vnd.mesh.v3+json", f"text/html, {ACCEPT[2]}"]
        second += [f"{ACCEPT[1]}, {ACCEPT[2]}", f"application/json;{ACCEPT[2]}"]
        for version, accepts in ((1, first), (2, second)):
            for accept in accepts:
                headers = {} if accept is None else {"Accept": accept}
                answer = self.police.get("/count", headers=headers, version=None)
                with self.subTest(accept=accept):
                    self.assertEqual(answer.status, 200, answer.body)
                    self.assertEqual("internalID" in answer.json, version == 1)

    def test_the_content_type_of_each_answer(self):
        sent = self.prison.send()
        mesh, plain = ACCEPT[2], "application/json"
        kinds = {
            "/inbox": mesh,
            "/count": plain,
            f"/outbox/tracking?messageID={sent.json['message_id']}": mesh,
            "/outbox/tracking?messageID=NOTHING": mesh,
            "/outbox/tracking": plain,
            "/inbox?max_results=1": plain,
        }
        self.assertEqual(sent.kind, plain)
        for path, kind in kinds.items():
            self.assertEqual(self.prison.get(path).kind, kind, path)
        for path in ("/inbox", "/count", "/outbox/tracking?messageID=NOTHING"):
            self.assertEqual(self.prison.get(path, version=1).kind, plain, path)

    # Handshake, ping, update (5.1, 11)

    def test_the_handshake_by_post_and_by_get_in_both_versions(self):
        for method in ("POST", "GET"):
            first = self.police.call(method, self.police.own(), headers=HANDSHAKE, version=1)
            self.assertEqual((first.status, first.json), (200, {"mailboxId": self.police.mailbox}))
            second = self.police.call(method, self.police.own(), headers=HANDSHAKE)
            self.assertEqual((second.status, second.body), (200, b""))

    def test_the_handshake_says_who_calls(self):
        for name in HANDSHAKE:
            headers = {k: v for k, v in HANDSHAKE.items() if k != name}
            answer = self.police.call("POST", self.police.own(), headers=headers)
            self.assert_invalid(answer, ["header", name.lower()])

    def test_the_ping_and_the_old_clients_update(self):
        answer = self.police.call("GET", f"{ROOT}/_ping", authorization=None)
        self.assertEqual(answer.status, 200)
        self.assertEqual(set(answer.json), {"env", "build_label", "status", "outcome"})
        self.assertEqual((answer.json["status"], answer.json["outcome"]), ("running", "Yes"))
        update = self.police.call("POST", self.police.own("/update"))
        self.assertEqual((update.status, update.body), (200, b""))

    # Inbox (5.2)

    def test_the_inbox_in_both_versions(self):
        first = self.police.get("/inbox", version=1).json
        second = self.police.get("/inbox").json
        self.assertEqual(set(first), {"messages"})
        self.assertEqual(set(second), {"messages", "links", "approx_inbox_count"})
        self.assertEqual(first["messages"], second["messages"])
        self.assertEqual(set(second["links"]), {"self"})
        self.assertTrue(second["links"]["self"].startswith(self.police.own("/inbox")))
        self.assertGreaterEqual(second["approx_inbox_count"], len(self.arrived))
        empty = self.caller("police:northumbria")
        self.assertEqual(empty.get("/inbox").json["messages"], [])
        self.assertEqual(empty.get("/inbox", version=1).json, {"messages": []})

    def test_the_inbox_is_paged_oldest_first_by_links(self):
        everything = self.police.listed()
        answer = self.police.get("/inbox?max_results=10&workflow_filter=" + quote("!*_ACK*"))
        seen = answer.json["messages"]
        while following := answer.json["links"].get("next"):
            self.assertTrue(following.startswith(self.police.own("/inbox?")), following)
            query = parse_qs(urlsplit(following).query)
            self.assertEqual(query["max_results"], ["10"])
            self.assertEqual(query["workflow_filter"], ["!*_ACK*"])
            self.assertTrue(24 <= len(query["continue_from"][0]) <= 1000)
            answer = self.police.call("GET", following)
            self.assertLessEqual(len(answer.json["messages"]), 10)
            seen += answer.json["messages"]
        self.assertEqual(seen, everything)
        times = [self.police.head(f"/inbox/{m}").mex["mex-statustimestamp"] for m in seen]
        self.assertEqual(times, sorted(times))

    def test_in_version_1_a_page_goes_on_from_a_message(self):
        everything = self.police.listed()
        page = self.police.get("/inbox?max_results=10", version=1).json["messages"]
        self.assertEqual(page, everything[:10])
        query = f"/inbox?max_results=10&continue_from={page[-1]}"
        self.assertEqual(self.police.get(query, version=1).json["messages"], everything[10:20])

    def test_the_limits_of_the_inbox_parameters(self):
        wrong = {
            "max_results": ["9", "5001", "-1", "ten", "10.5", "99999999999999999999"],
            "continue_from": ["x" * 23, "x" * 1001, "x" * 24, quote("é" * 24)],
            "workflow_filter": ["A", "A" * 256],
        }
        for name, values in wrong.items():
            for value in values:
                for version in (1, 2):
                    answer = self.police.get(f"/inbox?{name}={value}", version=version)
                    with self.subTest(name=name, value=value[:30], version=version):
                        self.assertEqual(answer.status, 400, answer.body)
                        self.assertIsInstance(answer.json["detail"], list)
        for query in ("max_results=10", "max_results=5000", "workflow_filter=" + "A" * 255):
            self.assertEqual(self.police.get(f"/inbox?{query}").status, 200, query)

    def test_every_form_of_the_workflow_filter(self):
        every = self.police.listed()
        workflows = {m: self.police.head(f"/inbox/{m}").mex["mex-workflowid"] for m in every}
        self.assertEqual(set(workflows.values()), {NOTICE})
        matching = {
            NOTICE: True,
            f"!{NOTICE}": False,
            "SALLY*": True,
            "!SALLY*": False,
            "*PORT_NO*": True,
            "!*PORT_NO*": False,
            "SALLYPORT": False,
            "!SALLYPORT": True,
            "PORT*": False,
            "!PORT*": True,
            "*_ACK*": False,
            "!*_ACK*": True,
            "sallyport_notice": False,
        }
        for form, found in matching.items():
            answer = self.police.get(f"/inbox?workflow_filter={quote(form)}").json
            with self.subTest(form=form):
                self.assertEqual(answer["messages"], every if found else [])
                self.assertEqual(answer["approx_inbox_count"], len(every))

    # Download (5.3)

    def test_the_headers_of_a_download(self):
        message = self.arrived[1]
        answer = self.police.get(f"/inbox/{message}")
        self.assertEqual(answer.status, 200)
        wanted = {
            "mex-messageid": message,
            "mex-messagetype": "DATA",
            "mex-from": SALLYPORT_MAILBOX,
            "mex-to": self.police.mailbox,
            "mex-workflowid": NOTICE,
            "mex-chunk-range": "1:1",
            "mex-total-chunks": "1",
            "mex-filename": f"{message}.dat",
            "mex-addresstype": "ALL",
            "mex-version": "1.0",
            "mex-statuscode": "00",
            "mex-statusevent": "TRANSFER",
            "mex-statusdescription": "Transferred to recipient mailbox",
            "mex-statussuccess": "SUCCESS",
        }
        for name, value in wanted.items():
            self.assertEqual(answer.mex.get(name), value, name)
        self.assertNotIn("", answer.mex.values())
        written = datetime.strptime(answer.mex["mex-statustimestamp"], "%Y%m%d%H%M%S")
        self.assertLess(abs(datetime.now(UTC) - written.replace(tzinfo=UTC)), MINUTES)
        self.assertNotIn("Content-Encoding", answer.headers)
        first = self.police.get(f"/inbox/{message}", version=1)
        self.assertEqual((first.body, first.kind), (answer.body, "application/octet-stream"))

    def test_the_first_part_is_the_message_and_what_lies_beyond_is_not_there(self):
        message = self.arrived[1]
        whole, first = (self.police.get(f"/inbox/{message}{part}") for part in ("", "/1"))
        self.assertEqual((whole.status, whole.body, whole.mex), first[:1] + (first.body, first.mex))
        absent = self.police.get(f"/inbox/{message}/2")
        self.assertEqual((absent.status, absent.error[:2]), (404, ("RECEIVE", "20")))
        for number in ("0", "-1", "x", "1.5", "99999999999999999999"):
            answer = self.police.get(f"/inbox/{message}/{number}")
            self.assertIn(answer.status, {400, 404}, number)
            self.assertIsInstance(answer.json["detail"], list)
        self.assertEqual(self.police.get(f"/inbox/{message}/0").status, 400)

    def test_head_gives_the_headers_to_the_recipient(self):
        message = self.arrived[2]
        got, head = self.police.get(f"/inbox/{message}"), self.police.head(f"/inbox/{message}")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.mex, got.mex)

    # Acknowledge, count (5.4, 5.5)

    def test_what_is_acknowledged_leaves_the_list_and_can_still_be_read(self):
        message = self.arrived[3]
        before = self.police.get(f"/inbox/{message}")
        count = self.police.get("/count").json["count"]
        for version, body in ((2, b""), (1, json.dumps({"messageId": message}).encode())):
            for _ in range(2):
                answer = self.police.acknowledge(message, version=version)
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.body and answer.json, body and json.loads(body))
        self.assertNotIn(message, self.police.listed())
        self.assertEqual(self.police.get("/count").json["count"], count - 1)
        after = self.police.get(f"/inbox/{message}")
        self.assertEqual((after.status, after.body), (200, before.body))

    def test_the_count_in_both_versions(self):
        listed = len(self.police.listed())
        self.assertEqual(self.police.get("/count").json, {"count": listed})
        first = self.police.get("/count", version=1).json
        self.assertEqual((first["count"], first["allResultsIncluded"]), (listed, True))
        self.assertEqual(set(first), {"count", "internalID", "allResultsIncluded"})

class Cursors(Hosted):
    """A cursor outlives the message that it points at, and the daemon that gave it."""

    def test_a_cursor_survives_acknowledgement_and_restart(self):
        self.fill(13, "2027-07")
        probation = self.caller(PROBATION)
        everything = probation.listed()
        page = probation.get("/inbox?max_results=10").json
        last = page["messages"][-1]
        following = {
            1: probation.own(f"/inbox?max_results=10&continue_from={last}"),
            2: page["links"]["next"],
        }
        self.assertEqual(probation.acknowledge(last).status, 200)
        self.restart()
        for version, path in following.items():
            answer = probation.call("GET", path, version=version).json
            self.assertEqual(answer["messages"], everything[10:20], version)

    def test_a_cursor_opens_nothing_to_another(self):
        self.fill(12, "2027-10")
        police, probation = self.caller(POLICE), self.caller(PROBATION)
        following = police.get("/inbox?max_results=10").json["links"]["next"]
        query = re.sub(r"^.*\?", "?", following)
        answer = probation.get("/inbox" + query)
        told = set(answer.json.get("messages") or [])
        self.assertLessEqual(told, set(probation.listed()))


if __name__ == "__main__":
    unittest.main()
