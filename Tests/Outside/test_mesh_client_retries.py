"""The public client's own retries: the same token again, through a proxy that fails."""

import unittest
from typing import ClassVar

import requests
from mesh_client import MeshClient, MeshError

from expected import POLICE
from hosted import Hosted
from program import NOTICE, SALLYPORT_MAILBOX, until
from proxy import Proxy


class Retries(Hosted):
    """The client sends the same token again after some answers and after a broken connection."""

    proxy: ClassVar[Proxy]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arrived = cls.fill(2)
        cls.proxy = cls.enterClassContext(
            Proxy(cls.story.host(), cls.caller(POLICE).tls(), cls.story.text("endpoint"))
        )

    def police(self, retries: int = 3) -> MeshClient:
        mailbox, password = self.story.mailbox(POLICE)
        client = MeshClient(
            self.proxy.url,
            mailbox,
            password,
            shared_key=self.story.text("shared-secret").encode(),
            verify=str(self.story.root),
            max_retries=retries,
            retry_backoff_factor=0.01,
            timeout=30,
        )
        self.addCleanup(client.close)
        return client

    def play(self, *script: str) -> None:
        self.proxy.script, self.proxy.seen = list(script), []

    def assert_same_token(self, attempts: int) -> None:
        seen = self.proxy.seen
        self.assertEqual(len(seen), attempts, seen)
        self.assertEqual(len({request.authorization for request in seen}), 1)

    def test_every_call_is_good_at_its_second_attempt(self):
        client = self.police()
        message = self.arrived[0]
        calls = {
            "list": client.list_messages,
            "handshake": client.handshake,
            "retrieve": lambda: client.retrieve_message(message).read(),
            "acknowledge": lambda: client.acknowledge_message(self.arrived[1]),
        }
        for trouble in ("503", "429", "502", "504", "425", "cut"):
            for name, call in calls.items():
                with self.subTest(trouble=trouble, call=name):
                    self.play(trouble)
                    call()
                    self.assert_same_token(2)

    def test_three_attempts_with_one_token(self):
        self.play("503", "cut", "503")
        self.assertTrue(self.police().list_messages())
        self.assert_same_token(4)

    def test_an_answer_that_was_lost_costs_its_token(self):
        """The request was answered once; the client has to make a new call."""
        client = self.police()
        self.play("lose")
        with self.assertRaises(requests.HTTPError) as refused:
            client.list_messages()
        self.assertEqual(refused.exception.response.status_code, 403)
        self.assert_same_token(2)
        self.assertTrue(client.list_messages())

    def test_a_send_is_never_repeated_by_itself(self):
        client = self.police()
        for trouble in ("503", "cut"):
            self.play(trouble)
            with self.assertRaises((requests.RequestException, MeshError, Exception)):
                client.send_message(SALLYPORT_MAILBOX, b"x", workflow_id=NOTICE)
            self.assertEqual(len(self.proxy.seen), 1)

    def test_a_part_is_repeated_and_the_message_comes_whole(self):
        client = self.police()
        self.play("pass", "503", "cut", "pass", "half", "pass")
        sent = client.send_message(
            SALLYPORT_MAILBOX, b"not sealed " * 1000, workflow_id=NOTICE, max_chunk_size=4000
        )
        until(lambda: client.track_message(sent)["status"] == "error")

if __name__ == "__main__":
    unittest.main()
