"""The token of the MESH API: what it must be, how long it is good, and that it is good once."""

import http.client
import ssl
import unittest
from datetime import timedelta
from typing import Any

from expected import POLICE, PRISON
from hosted import Hosted
from mesh import ROOT, Answer, Upload
from program import until

UNREADABLE = "Error reading from Authorization header"
MISMATCH = "Mailbox id does not match token"
INVALID = "Invalid Authentication Token"
REPEATED = "Error Duplicated Authentication Token"
NO_MAILBOX = ("SEND", "EPL-151", "No mailbox matched")

LIMIT = 4 * 1024 * 1024
IN_FLIGHT = 6 * 1024 * 1024


class Token(Hosted):
    changes = {"limits": {"message": f"{LIMIT // 1024}KiB", "in_flight": f"{IN_FLIGHT // 1024}KiB"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.police, cls.prison = cls.caller(POLICE), cls.caller(PRISON)

    def listing(self, **how: Any) -> Answer:
        return self.police.get("/inbox", **how)

    def test_a_token_that_is_absent_or_malformed(self):
        good = self.police.token()
        fields = good.removeprefix("NHSMESH ").split(":")
        wrong: list[str | None] = [
            None,
            " ",
            "NHSMESH",
            "NHSMESH ",
            "Basic " + good.split(" ", 1)[1],
            good.removeprefix("NHSMESH "),
            good.replace("NHSMESH ", "NHSMESH"),
            "NHSMESH " + ":".join(fields[:4]),
            good + ":more",
            "NHSMESH " + ":".join([*fields[:2], "zero", *fields[3:]]),
            "NHSMESH " + ":".join([*fields[:2], "", *fields[3:]]),
            "NHSMESH " + ":".join([*fields[:2], "-1", *fields[3:]]),
            "NHSMESH " + ":".join([*fields[:3], fields[3][:11], fields[4]]),
            "NHSMESH " + ":".join([*fields[:3], "202613010000", fields[4]]),
            "NHSMESH " + "x" * 4000,
        ]
        for value in wrong:
            with self.subTest(value=value and value[:60]):
                self.assert_refused(
                    lambda version, value=value: self.listing(version=version, authorization=value),
                    403,
                    "",
                    "",
                    UNREADABLE,
                )

    def test_a_token_of_another_mailbox(self):
        mailbox, _ = self.story.mailbox(PRISON)
        self.assert_refused(
            lambda version: self.listing(
                version=version, authorization=self.police.token(mailbox)
            ),
            403,
            "",
            "",
            MISMATCH,
        )

    def test_a_wrong_password_secret_or_hash(self):
        good = self.police.token()
        wrong = {
            "password": lambda: self.police.token(password="wrong"),
            "secret": lambda: self.police.token(secret=b"wrong"),
            "hash": lambda: good[:-64] + "0" * 64,
            "short": lambda: good[:-1],
            "empty": lambda: good[:-64],
        }
        for name, made in wrong.items():
            with self.subTest(name=name):
                for version in (1, 2):
                    answer = self.listing(version=version, authorization=made())
                    self.assertEqual(answer.status, 403)
                    self.assertIn(answer.error[2], {INVALID, UNREADABLE})

    def test_the_hash_is_read_in_any_case_and_the_count_may_be_any(self):
        good = self.police.token()
        upper = good[:-64] + good[-64:].upper()
        self.assertEqual(self.listing(authorization=upper).status, 200)
        for count in (1, 2, 7, 10**9 - 1):
            again = self.police.token(nonce="bd0e2bd5-218e-41d0-83a9-73fdec414803", count=count)
            self.assertEqual(self.listing(authorization=again).status, 200, count)

    def test_a_token_is_good_for_two_hours_either_way(self):
        for minutes, status in ((118, 200), (-118, 200), (123, 403), (-123, 403), (60 * 24, 403)):
            made = self.police.token(ahead=timedelta(minutes=minutes))
            self.assertEqual(self.listing(authorization=made).status, status, minutes)

    def test_a_token_is_good_for_one_request_of_any_kind(self):
        for first, then in (("/inbox", "/inbox"), ("/count", "/inbox"), ("/inbox/NONE", "/count")):
            used = self.police.token()
            self.assertNotEqual(self.police.get(first, authorization=used).status, 403)
            self.assert_refused(
                lambda version, used=used, then=then: self.police.get(
                    then, version=version, authorization=used
                ),
                403,
                "",
                "",
                REPEATED,
            )

    def test_a_refused_token_is_not_used_up_by_a_forger(self):
        """Somebody who only saw nonce and count cannot spend them."""
        good = self.police.token()
        self.assertEqual(self.listing(authorization=good[:-64] + "0" * 64).status, 403)
        self.assertEqual(self.listing(authorization=good).status, 200)

    def test_a_token_answered_with_503_is_good_again(self):
        """The public client sends the same one once more."""
        used = self.prison.token()
        body = b"\0" * LIMIT
        with Upload(self.prison, LIMIT, sent=LIMIT - 1):
            until(lambda: self.prison.send(body).status == 503)
            self.assertEqual(self.prison.send(body, authorization=used).status, 503)
        until(lambda: self.prison.send(body, authorization=used).status == 202)
        self.assertEqual(self.prison.send(body, authorization=used).status, 403)

    def test_a_token_of_a_request_that_broke_off_is_good_again(self):
        used = self.prison.token()
        with Upload(self.prison, 100_000, used, sent=50_000):
            # The host cannot know yet whether the first attempt is lost.
            self.assertEqual(self.prison.send(authorization=used).status, 503)
        until(lambda: self.prison.send(authorization=used).status == 202)
        self.assertEqual(self.prison.send(authorization=used).status, 403)

    def test_an_unknown_mailbox_and_a_known_one_of_somebody_else_read_the_same(self):
        known, password = self.story.mailbox(PRISON)
        for version in (1, 2):
            told = []
            for mailbox in (known, "NOBODY0001"):
                made = self.police.token(mailbox, password=password)
                path = f"{ROOT}/{mailbox}/inbox"
                answer = self.police.call("GET", path, version=version, authorization=made)
                self.assertEqual((answer.status, answer.error), (403, NO_MAILBOX))
                told.append(answer.told)
            self.assertEqual(told[0], told[1])

    def test_a_certificate_of_nobody_gets_no_answer(self):
        context = ssl.create_default_context(cafile=str(self.story.root))
        host, port = self.police.address
        connection = http.client.HTTPSConnection(host, port, timeout=10, context=context)
        self.addCleanup(connection.close)
        with self.assertRaises((ssl.SSLError, OSError, http.client.HTTPException)):
            connection.request("GET", f"{ROOT}/_ping")
            connection.getresponse()

if __name__ == "__main__":
    unittest.main()
