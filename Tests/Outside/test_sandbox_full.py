"""The public MESH sandbox as an agency's service, with all that it can be made to do, polled by us.

A proxy stands between the two, to fail as networks and busy services do. What the public client
puts into the sandbox in parts or compressed has to reach the police as if it had come whole.
"""

import json
import random
import unittest
from collections.abc import Callable
from typing import Any, ClassVar

import requests
import yaml
from mesh_client import MeshClient

from expected import POLICE, PRISON
from hosted import changed_date
from mesh import Caller
from program import NOTICE, SALLYPORT, Daemon, Story, run, until
from proxy import Proxy, Seen
from sandbox import PASSWORD, SHARED_SECRET, Sandbox
from test_sandbox import POLLED, SENDER, with_sandbox

MIB = 1024 * 1024
SOON = 60  # the growing pauses after troubles included


class Upstream(unittest.TestCase):
    story: ClassVar[Story]
    sandbox: ClassVar[Sandbox]
    proxy: ClassVar[Proxy]
    days: ClassVar[Any] = iter(range(1, 29))

    @classmethod
    def setUpClass(cls):
        cls.story = Story.shared().copied()
        cls.addClassCleanup(cls.story.remove)
        cls.sandbox = cls.enterClassContext(
            Sandbox(cls.story.host(), cls.story.root, cls.story.directory / "sandbox")
        )
        upstream = Caller(cls.story, PRISON)
        upstream.identity = cls.story.identity(SALLYPORT, "tls")
        cls.proxy = cls.enterClassContext(
            Proxy(cls.story.host(), upstream.tls(), cls.sandbox.url)
        )
        cls.configuration = with_sandbox(cls.story, cls.proxy.url)
        document = yaml.safe_load(cls.configuration.read_text(encoding="utf-8"))
        document["inboxes"] = document["inboxes"][-1:]
        cls.configuration.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        cls.daemon = cls.enterClassContext(Daemon(cls.story, cls.configuration))
        cls.police = Caller(cls.story, POLICE)
        cls.addClassCleanup(cls.police.close)
        cls.opened: dict[str, str | None] = {}

    def setUp(self):
        self.sender = MeshClient(
            self.sandbox.url,
            SENDER,
            PASSWORD,
            shared_key=SHARED_SECRET.encode(),
            cert=tuple(map(str, self.story.identity(PRISON, "tls"))),
            verify=str(self.story.root),
            max_retries=0,
        )
        self.addCleanup(self.sender.close)
        self.addCleanup(setattr, self.proxy, "before", None)

    def notice(self) -> tuple[str, bytes]:
        """A notice with a date of its own, and the date."""
        date = f"2029-01-{next(self.days):02}"
        return date, self.story.seal(changed_date(date))

    def put(self, sealed: bytes, **how: Any) -> str:
        return self.sender.send_message(POLLED, sealed, workflow_id=NOTICE, **how)

    def police_have(self) -> list[str | None]:
        """The dates that have reached the police, once for each copy."""
        for message in self.police.listed("?max_results=5000"):
            if message not in self.opened:
                sealed = self.police.get(f"/inbox/{message}").body
                self.opened[message] = self.story.open(POLICE, sealed)["data"].get("releaseDate")
        return list(self.opened.values())

    def assert_arrives(self, date: str) -> None:
        until(lambda: date in self.police_have(), SOON)
        self.assertEqual(self.police_have().count(date), 1)

    def admin(self, path: str, body: dict[str, Any]) -> Any:
        """A call of the sandbox that no real service has."""
        answer = requests.post(
            f"{self.sandbox.url}/messageexchange/admin/{path}",
            json=body,
            cert=tuple(map(str, self.story.identity(PRISON, "tls"))),
            verify=str(self.story.root),
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def assert_acknowledged(self, message: str) -> None:
        until(lambda: self.sender.track_message(message)["status"] == "acknowledged", SOON)

    def operator(self, *command: str) -> Any:
        done = run(*command, "--json", "--config", self.configuration)
        return json.loads(done.stdout)

    def set_aside(self) -> list[dict[str, Any]]:
        return self.operator("set-aside", "list")["exchanges"]

    # What the public client puts there

    def test_parts_and_compression_in_every_combination(self):
        for parts, compress in ((1, True), (4, False), (4, True)):
            date, sealed = self.notice()
            size = -(-len(sealed) // parts)
            sent = self.put(sealed, max_chunk_size=size, compress=compress)
            with self.subTest(parts=parts, compress=compress):
                self.assert_arrives(date)
                self.assert_acknowledged(sent)

    def test_ten_megabytes_in_parts_come_whole(self):
        """Opened, found to be no notice of a size that is taken, and kept as it came."""
        large = changed_date("2029-02-01")
        large["data"]["padding"] = random.Random(2).randbytes(5 * MIB).hex()
        sealed = self.story.seal(large)
        for compress in (False, True):
            sent = self.put(sealed, max_chunk_size=4 * MIB, compress=compress)
            self.assert_acknowledged(sent)
            newest = self.operator("set-aside", "show", self.set_aside()[0]["id"])
            self.assertEqual((newest["code"], newest["keptBytes"]), ("EXCH-005", len(sealed)))

    def test_a_part_that_is_lost_there_holds_up_nothing(self):
        broken = self.put(b"first, second and third part", max_chunk_size=10)
        lost = self.story.directory / "sandbox" / POLLED / "in" / broken / "2"

        def lose(seen: Seen) -> str | None:
            if seen.method == "GET" and seen.path.endswith(f"/inbox/{broken}"):
                lost.unlink(missing_ok=True)
            return None

        self.proxy.before = lose
        date, sealed = self.notice()
        self.put(sealed)
        self.assert_arrives(date)
        self.assertFalse(lost.exists())

    # Its repeats

    def test_a_message_that_comes_again_has_no_second_effect(self):
        date, sealed = self.notice()
        sent = self.put(sealed)
        self.assert_arrives(date)
        for _ in range(2):
            self.assert_acknowledged(sent)
            self.admin(f"message/{sent}/event", {"status": "accepted"})
        self.assert_acknowledged(sent)
        last, sealed = self.notice()
        self.put(sealed)
        self.assert_arrives(last)
        self.assertEqual(self.police_have().count(date), 1)

    def test_the_same_bytes_under_another_id_are_a_repeat(self):
        date, sealed = self.notice()
        sent = [self.put(sealed), self.put(sealed)]
        for message in sent:
            self.assert_acknowledged(message)
        self.assert_arrives(date)

    # Its forced errors

    def test_an_acknowledgement_that_fails_is_made_again(self):
        date, sealed = self.notice()
        self.sandbox.fail_acknowledgements(503)
        sent = self.put(sealed)
        self.assert_arrives(date)
        self.assert_acknowledged(sent)
        self.assertTrue(self.sandbox.forced())
        self.assertEqual(self.police_have().count(date), 1)

    def test_a_message_that_fails_there_after_it_was_listed_is_let_go(self):
        gone = self.put(b"never to be read")

        def fail(seen: Seen) -> str | None:
            if seen.method == "GET" and seen.path.endswith(f"/inbox/{gone}"):
                self.admin(f"message/{gone}/event", {"status": "error", "code": "14"})
            return None

        self.proxy.before = fail
        date, sealed = self.notice()
        self.put(sealed)
        self.assert_arrives(date)

    def test_reports_are_acknowledged_and_kept_from_the_notices(self):
        report = {"mailbox_id": POLLED, "code": "14", "workflow_id": NOTICE}
        report |= {"description": "Message not collected by recipient after 5 days"}
        made = []
        for extra in (
            {"linked_message_id": "20200529155357895317_3573F8", "local_id": "unknown"},
            {"subject": "invented", "status": "error", "file_name": "invented.dat"},
            {"status": "undeliverable"},
        ):
            made.append(self.admin("report", report | extra)["message_id"])
        date, sealed = self.notice()
        self.put(sealed)
        self.assert_arrives(date)
        until(lambda: {self.state(message) for message in made} == {"acknowledged"}, SOON)

    def state(self, message: str) -> str:
        """What the sandbox says of a message."""
        answer = requests.get(
            f"{self.sandbox.url}/messageexchange/admin/message/{message}",
            cert=tuple(map(str, self.story.identity(PRISON, "tls"))),
            verify=str(self.story.root),
            timeout=30,
        )
        return answer.json()["status"].lower()

    # Networks and busy services

    def once(self, wanted: Callable[[Seen], bool], action: str) -> list[str]:
        """The next request of a kind ends so; empty when it has."""
        left = [action]
        self.proxy.before = lambda seen: left.pop() if left and wanted(seen) else None
        return left

    def test_lists_downloads_and_acknowledgements_survive_every_trouble(self):
        kinds: dict[str, Callable[[Seen], bool]] = {
            "list": lambda s: s.method == "GET" and "/inbox/" not in s.path,
            "download": lambda s: s.method == "GET" and "/inbox/" in s.path,
            "acknowledge": lambda s: s.method == "PUT",
        }
        troubles = {"list": ("503", "cut"), "download": ("429", "lose")}
        troubles["acknowledge"] = ("502", "lose")
        for name, actions in troubles.items():
            for action in actions:
                left = self.once(kinds[name], action)
                date, sealed = self.notice()
                sent = self.put(sealed)
                with self.subTest(name, action=action):
                    self.assert_arrives(date)
                    self.assert_acknowledged(sent)
                    self.assertEqual(left, [])

    def test_every_attempt_has_a_token_of_its_own(self):
        date, sealed = self.notice()
        self.put(sealed)
        self.assert_arrives(date)
        tokens = [seen.authorization for seen in self.proxy.seen]
        self.assertEqual(len(tokens), len(set(tokens)))
        self.assertTrue(all(token.startswith(f"NHSMESH {POLLED}:") for token in tokens))

    def test_the_first_call_is_the_handshake(self):
        first = self.proxy.seen[0]
        self.assertEqual((first.method, first.path), ("POST", f"/messageexchange/{POLLED}"))


if __name__ == "__main__":
    unittest.main()
