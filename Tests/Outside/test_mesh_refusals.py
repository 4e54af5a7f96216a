"""Every refusal of the MESH API that is not about the token: each row of its table of errors."""

import http.client
import unittest
from typing import Any

from expected import POLICE, PRISON
from hosted import Hosted
from mesh import Answer, Upload

NOT_THERE = ("RECEIVE", "20", "Message does not exist")

LIMIT = 4 * 1024 * 1024


class Refusals(Hosted):
    changes = {"limits": {"message": f"{LIMIT // 1024}KiB"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.police, cls.prison = cls.caller(POLICE), cls.caller(PRISON)

    def listing(self, **how: Any) -> Answer:
        return self.police.get("/inbox", **how)

    def test_metadata_with_control_characters_or_addresses_is_malformed(self):
        wrong = {
            "Mex-Subject": "a\tb",
            "Mex-LocalID": "a\x01b",
            "Mex-FileName": "a\x1fb",
            "Mex-To": "http://invented.example",
            "Mex-WorkflowID": "https://invented.example",
            "Mex-Content-Checksum": "HTTP://invented",
        }
        for name, value in wrong.items():
            with self.subTest(name=name):
                answer = self.prison.send(headers={name: value})
                self.assertEqual(answer.status, 400, answer.body)
                if answer.body:  # a server may refuse the request before it reads the header
                    self.assertEqual(answer.error[:2], ("TRANSFER", "06"))

    def test_an_empty_recipient(self):
        for value in ("", "  "):
            self.assert_refused(
                lambda version, value=value: self.prison.send(
                    headers={"Mex-To": value}, version=version
                ),
                400,
                "SEND",
                "08",
                "TO_DTS missing",
            )

    def test_a_checksum_of_other_characters(self):
        for value in ("abc_def", "a;b", "a=b", "ä"):
            headers = {"Mex-Content-Checksum": value.encode().decode("latin-1")}
            self.assert_refused(
                lambda version, headers=headers: self.prison.send(headers=headers, version=version),
                400,
                "SEND",
                "Invalid checksum",
                "Invalid checksum",
            )

    def test_an_accept_header_that_is_none(self):
        for accept in ("application/vnd.mesh+json", "application/vnd.mesh.v2+xml", "vnd.mesh"):
            answer = self.listing(version=None, headers={"Accept": accept})
            self.assertEqual(answer.status, 400, accept)
            self.assertEqual(answer.error[2], "Accept header api format incorrect")

    def test_what_does_not_exist(self):
        calls = {
            "download": lambda version: self.police.get("/inbox/NOTHING", version=version),
            "part": lambda version: self.police.get("/inbox/NOTHING/2", version=version),
            "acknowledge": lambda version: self.police.acknowledge("NOTHING", version=version),
        }
        for name, call in calls.items():
            with self.subTest(name=name):
                self.assert_refused(call, 404, *NOT_THERE)
        self.assertEqual(self.police.head("/inbox/NOTHING").status, 404)

    def test_nothing_to_track_or_to_go_on_with(self):
        calls = {
            "track": lambda version: self.police.track("NOTHING", version=version),
            "local id": lambda version: self.police.get("/outbox/tracking/none", version=version),
            "part": lambda version: self.police.send_part("NONE", 2, b"x", "2:2", version=version),
        }
        for name, call in calls.items():
            with self.subTest(name=name):
                self.assert_refused(call, 404, "", "", "Not Found")
        self.assert_invalid(self.police.get("/outbox/tracking"), ["query", "messageid"])

    def test_an_unknown_recipient(self):
        mailboxes = [self.story.mailbox(POLICE)[0], self.prison.mailbox, "NOBODY0001"]
        for to in mailboxes:
            self.assert_refused(
                lambda version, to=to: self.prison.send(headers={"Mex-To": to}, version=version),
                417,
                "SEND",
                "12",
                "Unregistered to address",
            )

    def test_a_workflow_that_is_not_registered(self):
        answer = self.prison.send(headers={"Mex-WorkflowID": "INVENTED"})
        self.assertEqual((answer.status, answer.error[:2]), (417, ("SEND", "17")))

    def test_an_empty_body(self):
        for body in (b"", iter(())):
            self.assert_refused(
                lambda version, body=body: self.prison.send(body, version=version),
                417,
                "COLLECT",
                "02",
                "Data file is missing or inaccessible.",
            )

    def test_a_range_that_is_none(self):
        for value in ("2:1", "0:1", "1", "1:", "a:b", "1:1:1", "-1:1", "2:2", ":", "1;1"):
            answer = self.prison.send(headers={"Mex-Chunk-Range": value})
            with self.subTest(value=value):
                self.assertEqual(answer.status, 417, answer.body)
                self.assertEqual(answer.error[:2], ("SEND", "InvalidHeaderChunks"))

    def test_another_encoding_than_gzip(self):
        for value in ("deflate", "br", "gzip, gzip", "identity"):
            headers = {"Content-Encoding": value}
            answer = self.prison.send(headers=headers)
            with self.subTest(value=value):
                self.assertEqual(answer.status, 422, answer.body)
                self.assertEqual(answer.error[:2], ("SEND", "UnsupportedContentEncoding"))

    def test_a_body_over_the_limit(self):
        for body in (b"\0" * (LIMIT + 1), iter([b"\0" * 65536] * (LIMIT // 65536 + 1))):
            answer = over = None
            try:
                answer = self.prison.send(body)
            except (OSError, http.client.HTTPException) as error:
                over = error  # the host may end the connection instead of reading on
            if answer:
                self.assertEqual(answer.status, 413)
                self.assertIsInstance(answer.json["detail"], list)
            self.assertTrue(answer or over)
        self.assertEqual(self.prison.send(b"\0" * LIMIT).status, 202)

    def test_the_largest_body_announced_is_refused_before_it_is_sent(self):
        with Upload(self.prison, 10**12) as announced:
            self.assertEqual(announced.status(), 413)

    def test_unknown_paths_and_methods(self):
        for method, path, status in (
            ("GET", "/nothing", 404),
            ("GET", "/inbox/A/B/C/D", 404),
            ("DELETE", "/inbox", 405),
            ("POST", "/inbox", 405),
            ("GET", "/outbox", 405),
        ):
            answer = self.police.call(method, self.police.own(path))
            self.assertEqual(answer.status, status, path)
            self.assertTrue(answer.error[2])

    def test_every_refusal_of_a_send_can_be_read_by_the_public_client(self):
        """It parses the body of every answer below 500 there and takes `detail[0].msg`."""
        answers = [
            self.prison.send(authorization=None),
            self.prison.send(headers={"Mex-To": None}),
            self.prison.send(headers={"Mex-To": "NOBODY0001"}),
            self.prison.send(headers={"Content-Encoding": "br"}),
            self.prison.send(b""),
        ]
        for answer in answers:
            self.assertTrue(400 <= answer.status < 500)
            self.assertTrue(answer.json["detail"][0]["msg"], answer.body)

    def test_a_refusal_says_nothing_about_the_host(self):
        for answer in (self.police.get("/inbox/NOTHING"), self.listing(authorization=None)):
            text = (answer.body + str(answer.headers).encode()).lower()
            for word in (b"swift", b"sqlite", b"hummingbird", b"sallyport", b"/work", b"host-0"):
                self.assertNotIn(word, text)


if __name__ == "__main__":
    unittest.main()
