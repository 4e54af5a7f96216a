"""Everything that the public MESH client (PyPI `mesh-client`) can do, done at our host."""

import io
import json
import random
import tempfile
import unittest
import warnings
from typing import Any, ClassVar

import requests
from mesh_client import AuthTokenGenerator, MeshError

from expected import JOBCENTRE, POLICE, PRISON, PROBATION
from hosted import Hosted, changed_date
from program import NOTICE, SALLYPORT_MAILBOX, run, until

MIB = 1024 * 1024
TOO_LARGE = "EXCH-005"  # the signature holds, and what it signs is above 1 MiB


class EveryMethod(Hosted):
    """Each call of the client, one by one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arrived = cls.fill(12)

    def setUp(self):
        self.prison, self.police = self.client(PRISON), self.client(POLICE)

    def sent(self, data: Any = b"not sealed", **how: Any) -> str:
        return self.prison.send_message(SALLYPORT_MAILBOX, data, workflow_id=NOTICE, **how)

    def notice(self, date: str) -> bytes:
        return self.story.seal(changed_date(date))

    def police_get(self, date: str) -> None:
        opened: dict[str, str] = {}

        def there() -> bool:
            for message in self.police.iterate_message_ids():
                if message not in opened:
                    sealed = self.police.retrieve_message(message).read()
                    opened[message] = self.story.open(POLICE, sealed)["data"]["releaseDate"]
            return date in opened.values()

        until(there)

    def assert_http(self, status: int, call: Any, *arguments: Any) -> None:
        with self.assertRaises(requests.HTTPError) as refused:
            call(*arguments)
        self.assertEqual(refused.exception.response.status_code, status)

    def test_ping(self):
        self.assertEqual(self.prison.ping()["outcome"], "Yes")

    def test_handshake(self):
        self.assertEqual(self.prison.handshake(), b"hello")
        named = self.client(PRISON, application_name="invented case system")
        self.assertEqual(named.handshake(), b"hello")

    def test_count_messages(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.assertEqual(self.police.count_messages(), len(self.police.list_messages()))

    def test_list_messages(self):
        listed = self.police.list_messages()
        self.assertLessEqual(set(self.arrived), set(listed))
        self.assertEqual(self.police.list_messages(max_results=10), listed[:10])
        for form in (NOTICE, "SALLY*", "*NOTICE*", "!NOTHING", "!X*", "!*_ACK*"):
            self.assertEqual(self.police.list_messages(workflow_filter=form), listed, form)
        for form in ("NOTHING", "X*", "*_ACK*", f"!{NOTICE}", "!SALLY*", "!*NOTICE*"):
            self.assertEqual(self.police.list_messages(workflow_filter=form), [], form)
        self.assertEqual(self.client(JOBCENTRE).list_messages(), [])

    def test_iterate_message_ids(self):
        listed = self.police.list_messages()
        self.assertGreater(len(listed), 10)
        self.assertEqual(list(self.police.iterate_message_ids(batch_size=10)), listed)
        both = self.police.iterate_message_ids(workflow_filter="!*_ACK*", batch_size=10)
        self.assertEqual(list(both), listed)

    def test_iterate_messages_and_iterate_all_messages(self):
        listed = self.police.list_messages()
        for iterated in (
            self.police.iterate_messages(batch_size=10),
            self.police.iterate_messages(workflow_filter=NOTICE),
            self.police.iterate_all_messages(),
        ):
            self.assertEqual([message.id() for message in iterated], listed)

    def test_retrieve_message_and_its_properties(self):
        message = self.police.retrieve_message(self.arrived[0])
        self.assertEqual(message.id(), self.arrived[0])
        self.assertEqual(message.message_id, self.arrived[0])
        self.assertEqual((message.message_type, message.workflow_id), ("DATA", NOTICE))
        self.assertEqual((message.sender, message.recipient), (SALLYPORT_MAILBOX, "POLICEDUR1"))
        self.assertEqual(message.filename, f"{self.arrived[0]}.dat")
        self.assertEqual((message.compressed, message.encrypted), (False, True))
        self.assertEqual(message.mex_header("chunk-range"), "1:1")
        self.assertEqual(message.mex_header("statussuccess"), "SUCCESS")
        self.assertIn("statuscode", dict(message.mex_headers()))
        whole = message.read()
        pieces = self.police.retrieve_message(message)
        begun = pieces.read(100)
        self.assertEqual(len(begun), 100)
        self.assertEqual(begun + pieces.read(), whole)
        pieces.close()
        self.assertEqual(b"".join(self.police.retrieve_message(message).readlines()), whole)
        self.assertEqual(b"".join(self.police.retrieve_message(message)), whole)
        chunk = self.police.retrieve_message_chunk(self.arrived[0], 1)
        self.assertEqual(chunk.status_code, 200)
        self.assert_http(404, self.police.retrieve_message_chunk, self.arrived[0], 2)
        self.assert_http(404, self.police.retrieve_message, "NOTHING")

    def test_acknowledge_message_and_the_message_as_a_context(self):
        probation = self.client(PROBATION)
        first, second, third = probation.list_messages()[:3]
        probation.acknowledge_message(first)
        probation.acknowledge_message(first)
        probation.retrieve_message(second).acknowledge()
        with probation.retrieve_message(third) as message:
            self.assertTrue(message.read())
        self.assertFalse({first, second, third} & set(probation.list_messages()))
        self.assert_http(404, probation.acknowledge_message, "NOTHING")

    def test_send_message_with_all_that_can_be_said_about_it(self):
        said = {
            "filename": "invented.p7m",
            "local_id": "invented-full",
            "subject": "invented",
            "encrypted": True,
            "compressed": False,
            "checksum": "sha-256 00ff",
            "partner_id": "partner",
            "content_type": "application/pkcs7-mime",
        }
        sent = self.sent(**said)
        tracked = self.prison.track_message(sent)
        self.assertEqual(tracked["local_id"], "invented-full")
        self.assertEqual(tracked["recipient"], SALLYPORT_MAILBOX)

    def test_send_message_of_every_kind_of_data(self):
        with tempfile.TemporaryFile() as file:
            file.write(self.notice("2028-06-01"))
            file.seek(0)
            self.sent(file)
        self.police_get("2028-06-01")
        body = io.BytesIO(self.notice("2028-06-02"))
        self.sent({"Body": body, "ContentLength": len(body.getvalue())})
        self.police_get("2028-06-02")

    def test_send_chunk(self):
        parts = [self.notice("2028-06-03")[at : at + 500] for at in range(0, 10_000, 500)]
        parts = [part for part in parts if part]
        message = None
        for number, part in enumerate(parts, 1):
            answer = self.prison.send_chunk(
                recipient=SALLYPORT_MAILBOX,
                chunk=part,
                chunk_num=number,
                total_chunks=len(parts),
                message_id=message,
                **({"workflow_id": NOTICE} if number == 1 else {}),
            )
            self.assertIn(answer.status_code, {200, 202})
            message = message or answer.json()["message_id"]

    def test_send_message_compressed(self):
        self.sent(self.notice("2028-06-04"), compress=True)
        self.police_get("2028-06-04")
        always = self.client(PRISON, transparent_compress=True)
        always.send_message(SALLYPORT_MAILBOX, self.notice("2028-06-05"), workflow_id=NOTICE)
        self.police_get("2028-06-05")

    def test_send_message_in_parts(self):
        for number, compress in enumerate((False, True)):
            date = f"2028-07-0{number + 1}"
            sealed = self.notice(date)
            self.sent(sealed, max_chunk_size=len(sealed) // 3, compress=compress)
            self.police_get(date)

    def test_track_message(self):
        sent = self.sent(self.notice("2028-06-06"), local_id="tracked")
        self.police_get("2028-06-06")
        until(lambda: self.prison.track_message(sent)["status"] == "acknowledged")
        tracked = self.prison.track_message(sent)
        self.assertEqual((tracked["message_id"], tracked["local_id"]), (sent, "tracked"))
        self.assertIs(tracked["status_success"], True)
        self.assert_http(404, self.prison.track_message, "NOTHING")
        self.assert_http(404, self.police.track_message, sent)

    def test_lookup_endpoint(self):
        found = self.prison.lookup_endpoint("SALLYPORT", NOTICE)["results"]
        self.assertLessEqual({entry["mailbox_id"] for entry in found}, {SALLYPORT_MAILBOX})
        self.assertEqual(self.prison.lookup_endpoint("X26", "NOTHING")["results"], [])

    def test_what_is_refused_is_told_as_the_client_tells_it(self):
        with self.assertRaisesRegex(MeshError, "Unregistered to address"):
            self.prison.send_message("NOBODY0001", b"x", workflow_id=NOTICE)
        with self.assertRaisesRegex(MeshError, "Field required|required|missing"):
            self.prison.send_message(SALLYPORT_MAILBOX, b"x")
        with self.assertRaisesRegex(MeshError, "Invalid checksum"):
            self.sent(checksum="a_b")
        with self.assertRaisesRegex(MeshError, "Data file is missing"):
            self.sent(b"")

    def test_a_wrong_password_secret_certificate_mailbox_or_clock(self):
        wrong = [
            {"password": "wrong"},
            {"shared_key": b"wrong"},
            {"cert": tuple(map(str, self.story.identity(POLICE, "tls")))},
            {"mailbox": "NOBODY0001"},
            {"mailbox": "POLICEDUR1"},
        ]
        for settings in wrong:
            client = self.client(PRISON, **settings)
            with self.subTest(settings=list(settings)):
                for call in (client.list_messages, client.handshake):
                    self.assert_http(403, call)
                with self.assertRaises(MeshError):
                    client.send_message(SALLYPORT_MAILBOX, b"x", workflow_id=NOTICE)
        self.assertEqual(self.client(PRISON).list_messages(), self.prison.list_messages())

    def test_a_token_that_comes_again(self):
        once = AuthTokenGenerator(
            self.story.text("shared-secret").encode(), *self.story.mailbox(PRISON)
        )()

        def again(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = once
            return request

        self.prison._session.auth = again
        self.prison.list_messages()
        self.assert_http(403, self.prison.list_messages)

    def test_ten_megabytes_in_parts_come_whole(self):
        """No notice is so large: it is opened, found too large, and kept as it came."""
        large = changed_date("2028-08-01")
        large["data"]["padding"] = random.Random(1).randbytes(5 * MIB).hex()
        sealed = self.story.seal(large)
        self.assertGreater(len(sealed), 10 * MIB)
        for compress in (False, True):
            sent = self.sent(sealed, max_chunk_size=4 * MIB, compress=compress)
            until(lambda sent=sent: self.prison.track_message(sent)["status"] == "error")
            newest = self.operator("set-aside", "list")["exchanges"][0]
            shown = self.operator("set-aside", "show", newest["id"])
            # What the seal would not open would have a code of the seal's.
            self.assertEqual((shown["code"], shown["keptBytes"]), (TOO_LARGE, len(sealed)))

    def operator(self, *command: str) -> Any:
        return json.loads(run(*command, "--json", "--config", self.configuration).stdout)


class InParts(Hosted):
    """The host gives long copies out in parts; the client joins them while its caller reads."""

    changes: ClassVar[dict[str, dict[str, Any]]] = {"host": {"part": "1KiB"}}

    def test_a_copy_in_parts_is_read_as_one(self):
        copy = self.fill(1, "2028-09")[0]
        police = self.client(POLICE)
        with police.retrieve_message(copy) as message:
            self.assertRegex(message.mex_header("chunk-range"), "^1:[2-9]$")
            police.acknowledge_message(copy)  # before the later parts are asked for
            opened = self.story.open(POLICE, message.read())
        self.assertEqual(opened["data"]["releaseDate"], "2028-09-01")


if __name__ == "__main__":
    unittest.main()
