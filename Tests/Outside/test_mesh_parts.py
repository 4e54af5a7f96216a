"""Messages in parts and compressed, both ways, by raw calls."""

import gzip
import unittest
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from expected import POLICE, PRISON, PROBATION
from hosted import Hosted, changed_date
from mesh import Answer
from program import until

LIMIT = 2 * 1024 * 1024


def parts_of(content: bytes, count: int) -> list[bytes]:
    size = -(-len(content) // count)
    return [content[at : at + size] for at in range(0, len(content), size)]


class Parts(Hosted):
    changes: ClassVar[dict[str, dict[str, Any]]] = {"limits": {"message": f"{LIMIT // 1024}KiB"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.police, cls.prison = cls.caller(POLICE), cls.caller(PRISON)

    def begin(self, total: int, content: bytes = b"first", **headers: str) -> str:
        """Sends the first part of so many; the message's id."""
        sent = {"Mex-Chunk-Range": f"1:{total}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.prison.send(content, sent)
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json["message_id"]

    def part(self, message: str, number: int, total: int, content: bytes = b"part") -> Answer:
        return self.prison.send_part(message, number, content, f"{number}:{total}")

    def status(self, message: str) -> str:
        return self.prison.track(message).json["status"]

    def ended(self, message: str) -> str:
        """What became of a message that came whole."""
        until(lambda: self.status(message) not in {"accepted", "uploading"})
        return self.status(message)

    def police_have(self, date: str) -> bool:
        for message in self.police.listed():
            if message not in self.__class__.opened:
                sealed = self.police.get(f"/inbox/{message}").body
                self.__class__.opened[message] = self.story.open(POLICE, sealed)
        return date in {e["data"].get("releaseDate") for e in self.opened.values()}

    opened: ClassVar[dict[str, dict[str, Any]]] = {}

    # Sending in parts (section 6)

    def test_a_notice_in_parts_reaches_the_police_when_the_last_has_come(self):
        parts = parts_of(self.story.seal(changed_date("2028-01-01")), 4)
        message = self.begin(4, parts[0], Mex_LocalID="in-parts")
        for number, content in enumerate(parts[1:], 2):
            self.assertEqual(self.status(message), "uploading")
            answer = self.part(message, number, 4, content)
            self.assertEqual(answer.status, 202, answer.body)
        until(lambda: self.police_have("2028-01-01"))
        self.assertEqual(self.ended(message), "acknowledged")

    def test_each_part_is_answered_in_both_versions(self):
        message = self.begin(3)
        first = self.prison.send_part(message, 2, b"x", "2:3", version=1)
        self.assertEqual((first.status, first.json), (202, {"messageID": message, "blockID": 2}))
        second = self.prison.send_part(message.lower(), 2, iter((b"x", b"y")), "2:3")
        self.assertEqual(second.status, 202)

    def test_a_part_sent_again_replaces_the_earlier_one(self):
        parts = parts_of(self.story.seal(changed_date("2028-01-02")), 3)
        message = self.begin(3, parts[0])
        for content in (b"wrong" * 1000, b"w", parts[1]):
            self.assertEqual(self.part(message, 2, 3, content).status, 202)
        self.assertEqual(self.part(message, 3, 3, parts[2]).status, 202)
        until(lambda: self.police_have("2028-01-02"))

    def test_the_last_part_is_refused_while_one_is_missing(self):
        parts = parts_of(self.story.seal(changed_date("2028-01-03")), 4)
        message = self.begin(4, parts[0])
        self.assertEqual(self.part(message, 2, 4, parts[1]).status, 202)
        refused = self.part(message, 4, 4, parts[3])
        self.assertEqual((refused.status, refused.error[1]), (417, "InvalidHeaderChunks"))
        self.assertEqual(self.status(message), "uploading")
        self.assertEqual(self.part(message, 3, 4, parts[2]).status, 202)
        self.assertEqual(self.part(message, 4, 4, parts[3]).status, 202)
        until(lambda: self.police_have("2028-01-03"))

    def test_the_number_of_parts_stays_what_the_first_said(self):
        message = self.begin(3)
        for total in (2, 4):
            answer = self.part(message, 2, total)
            self.assertEqual((answer.status, answer.error[1]), (417, "InvalidHeaderChunks"))
        self.assertEqual(self.status(message), "uploading")
        self.assertEqual(self.part(message, 2, 3).status, 202)

    def test_a_wrong_range_is_told_first_and_with_the_message(self):
        message = self.begin(3)
        wrong = [None, "", "2", "2:", "two:3", "2:3:4", "0:3", "-2:3", "4:3", "3:3", "1:3"]
        for at in (message, "NOTHING"):
            for value in wrong:
                for version, name in ((1, "messageID"), (2, "message_id")):
                    answer = self.prison.send_part(at, 2, b"x", value, version=version)
                    with self.subTest(range=value, version=version):
                        self.assertEqual(answer.status, 417, answer.body)
                        self.assertEqual(answer.error[:2], ("SEND", "InvalidHeaderChunks"))
                        self.assertEqual(answer.json[name], at)

    def test_the_order_of_the_other_refusals_of_a_part(self):
        gzipped, body = {"Content-Encoding": "gzip"}, gzip.compress(b"x")
        message = self.begin(2)
        unknown = self.prison.send_part("NOTHING", 9, body, "9:9", gzipped)
        self.assertEqual(unknown.status, 404)
        stranger = self.police.send_part(message, 9, body, "9:9", gzipped)
        self.assertEqual(stranger.told, unknown.told)
        beyond = self.prison.send_part(message, 3, body, "3:3", gzipped)
        self.assertEqual(beyond.status, 406, beyond.body)
        self.assertTrue(beyond.error[2])
        other = self.prison.send_part(message, 2, body, "2:2", gzipped)
        self.assertEqual(other.status, 417)
        self.assertIn("cannot change content encoding", other.error[2])
        self.assertEqual(self.part(message, 2, 2).status, 202)
        for number in (2, 3):
            span = f"{number}:{number}"
            locked = self.prison.send_part(message, number, body, span, gzipped)
            self.assertEqual(locked.status, 423, locked.body)
            self.assertTrue(locked.error[2])

    def test_an_empty_part_is_refused_and_the_upload_goes_on(self):
        message = self.begin(2)
        refused = self.part(message, 2, 2, b"")
        self.assertEqual((refused.status, refused.error[1]), (417, "02"))
        self.assertEqual(self.status(message), "uploading")
        self.assertEqual(self.part(message, 2, 2).status, 202)

    def test_only_sallyports_mailbox_takes_parts(self):
        mailbox, _ = self.story.mailbox(POLICE)
        answer = self.prison.send(headers={"Mex-To": mailbox, "Mex-Chunk-Range": "1:2"})
        self.assertEqual((answer.status, answer.error[1]), (417, "12"))

    def test_what_is_being_uploaded_is_in_nobodys_inbox(self):
        message = self.begin(2)
        for caller in (self.prison, self.police):
            self.assertIn(caller.get(f"/inbox/{message}").status, {404, 410})
        self.assertEqual(self.police.head(f"/inbox/{message}").status, 404)

    def test_an_upload_goes_on_when_the_daemon_was_stopped_between(self):
        parts = parts_of(self.story.seal(changed_date("2028-01-04")), 3)
        message = self.begin(3, parts[0])
        self.assertEqual(self.part(message, 2, 3, parts[1]).status, 202)
        self.restart()
        self.assertEqual(self.status(message), "uploading")
        self.assertEqual(self.part(message, 3, 3, parts[2]).status, 202)
        until(lambda: self.police_have("2028-01-04"))

    def test_a_message_of_parts_keeps_the_limit_of_a_whole_one(self):
        message = self.begin(3, bytes(LIMIT // 2))
        self.assertEqual(self.part(message, 2, 3, bytes(LIMIT // 2)).status, 202)
        self.assertEqual(self.part(message, 3, 3, b"one more").status, 413)
        whole = self.begin(2, bytes(LIMIT // 2))
        self.assertEqual(self.part(whole, 2, 2, bytes(LIMIT // 2)).status, 202)

    def test_an_absurd_number_of_parts_is_refused(self):
        for total in (10**9, 10**15):
            answer = self.prison.send(headers={"Mex-Chunk-Range": f"1:{total}"})
            self.assertIn(answer.status, {413, 417}, answer.body)

    # Compression (section 7)

    def test_a_notice_sent_compressed_reaches_the_police(self):
        for number, encoding in enumerate(("gzip", "GZIP", " gzip ")):
            date = f"2028-02-{number + 1:02}"
            sealed = gzip.compress(self.story.seal(changed_date(date)))
            answer = self.prison.send(sealed, {"Content-Encoding": encoding})
            self.assertEqual(answer.status, 202, answer.body)
            until(lambda date=date: self.police_have(date))

    def test_parts_are_compressed_each_by_itself(self):
        parts = parts_of(self.story.seal(changed_date("2028-02-10")), 3)
        gzipped = {"Content-Encoding": "gzip"}
        message = self.begin(3, gzip.compress(parts[0]), Content_Encoding="gzip")
        for number, content in enumerate(parts[1:], 2):
            body = gzip.compress(content)
            answer = self.prison.send_part(message, number, body, f"{number}:3", gzipped)
            self.assertEqual(answer.status, 202, answer.body)
        until(lambda: self.police_have("2028-02-10"))

    def test_what_says_it_is_gzip_and_is_not_is_refused(self):
        good = gzip.compress(b"invented" * 1000)
        wrong = {
            "plain": b"not gzip at all",
            "truncated": good[:-20],
            "no trailer": good[:-8],
            "wrong checksum": good[:-8] + bytes(4) + good[-4:],
            "followed by rubbish": good + b"rubbish",
            "empty": b"",
        }
        for name, body in wrong.items():
            answer = self.prison.send(body, {"Content-Encoding": "gzip"})
            with self.subTest(name):
                self.assertTrue(400 <= answer.status < 500, answer.status)
                self.assertTrue(answer.error[2])

    def test_a_bomb_is_refused_at_its_bound(self):
        """100 MB of nothing in 100 kB, and the same once more inside gzip."""
        bomb = gzip.compress(bytes(100_000_000))
        for body in (bomb, gzip.compress(bytes(LIMIT + 1))):
            begun = datetime.now(UTC)
            answer = self.prison.send(body, {"Content-Encoding": "gzip"})
            self.assertEqual(answer.status, 413, answer.body)
            self.assertLess(datetime.now(UTC) - begun, timedelta(seconds=5))
        message = self.begin(2, gzip.compress(b"small"), Content_Encoding="gzip")
        answer = self.prison.send_part(message, 2, bomb, "2:2", {"Content-Encoding": "gzip"})
        self.assertEqual(answer.status, 413)

    def test_a_download_is_compressed_for_version_2_alone_and_only_when_offered(self):
        self.fill(1, "2028-03")
        message = self.police.listed()[-1]
        plain = self.police.get(f"/inbox/{message}")
        offered = {"Accept-Encoding": "gzip"}
        for version in (1, 2):
            answer = self.police.get(f"/inbox/{message}", headers=offered, version=version)
            body = answer.body
            if answer.headers.get("Content-Encoding"):
                self.assertEqual((version, answer.headers["Content-Encoding"]), (2, "gzip"))
                self.assertEqual(answer.mex["mex-content-compressed"], "Y")
                body = gzip.decompress(body)
            self.assertEqual(body, plain.body)
        for refused in ("identity", "gzip;q=0", "br", ""):
            answer = self.police.get(f"/inbox/{message}", headers={"Accept-Encoding": refused})
            self.assertNotIn("Content-Encoding", answer.headers)
            self.assertEqual(answer.body, plain.body)

class Downloads(Hosted):
    """Copies above the configured part size come in parts."""

    changes: ClassVar[dict[str, dict[str, Any]]] = {"host": {"part": "1KiB"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.message = cls.fill(1, "2028-05")[0]
        cls.police = cls.caller(POLICE)

    def test_a_large_copy_comes_in_parts_that_join_to_the_message(self):
        first = self.police.get(f"/inbox/{self.message}")
        self.assertEqual(first.status, 206)
        number, total = map(int, first.mex["mex-chunk-range"].split(":"))
        self.assertEqual((number, first.mex["mex-total-chunks"]), (1, str(total)))
        self.assertGreater(total, 1)
        joined = b""
        for part in range(1, total + 1):
            answer = self.police.get(f"/inbox/{self.message}/{part}")
            self.assertEqual(answer.status, 200 if part == total else 206)
            self.assertEqual(answer.mex["mex-chunk-range"], f"{part}:{total}")
            self.assertEqual(answer.kind, "application/octet-stream")
            again = self.police.get(f"/inbox/{self.message}/{part}", version=1)
            self.assertEqual((again.status, again.body), (answer.status, answer.body))
            joined += answer.body
        self.assertEqual(self.story.open(POLICE, joined)["data"]["releaseDate"], "2028-05-01")
        beyond = self.police.get(f"/inbox/{self.message}/{total + 1}")
        self.assertEqual((beyond.status, beyond.error[:2]), (404, ("RECEIVE", "20")))

    def test_head_tells_how_many_parts_there_are(self):
        got = self.police.get(f"/inbox/{self.message}")
        head = self.police.head(f"/inbox/{self.message}")
        self.assertEqual((head.status, head.body, head.mex), (200, b"", got.mex))

    def test_parts_can_still_be_fetched_after_acknowledgement(self):
        """The public client fetches later parts while its caller reads."""
        probation = self.caller(PROBATION)
        message = probation.listed()[-1]
        self.assertEqual(probation.get(f"/inbox/{message}").status, 206)
        self.assertEqual(probation.acknowledge(message).status, 200)
        self.assertIn(probation.get(f"/inbox/{message}/2").status, {200, 206})


if __name__ == "__main__":
    unittest.main()
