"""The public MESH client and the public sandbox work together here, over mutual TLS.

What these two do on their own is what the program must be able to stand in for, on either side.
"""

import shutil
import tempfile
import unittest
from pathlib import Path

import requests
from mesh_client import MeshClient, MeshError

from pki import Authority
from sandbox import PASSWORD, SHARED_SECRET, Sandbox


class TheSandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = Path(tempfile.mkdtemp(prefix="mesh-sandbox-"))
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.authority = Authority(directory / "pki")
        cls.root = cls.authority.root.certificate
        cls.tls = cls.authority.issue("client", "tls")
        server = cls.authority.issue("server", "tls")
        cls.sandbox = cls.enterClassContext(Sandbox(server, cls.root, directory / "data"))

    def client(self, mailbox: str, **other: object) -> MeshClient:
        settings = {
            "shared_key": SHARED_SECRET.encode(),
            "cert": tuple(map(str, self.tls)),
            "verify": str(self.root),
            "max_retries": 0,
        }
        client = MeshClient(self.sandbox.url, mailbox, PASSWORD, **(settings | other))
        self.addCleanup(client.close)
        return client

    def test_a_message_is_put_listed_fetched_and_acknowledged(self):
        sender, recipient = self.client("X26ABC1"), self.client("X26ABC2")
        sender.handshake()
        sent = sender.send_message(
            "X26ABC2", b"\x30\x80sealed", workflow_id="SALLYPORT_NOTICE", local_id="invented-1"
        )
        self.assertEqual(recipient.list_messages(), [sent])
        message = recipient.retrieve_message(sent)
        self.assertEqual(message.read(), b"\x30\x80sealed")
        self.assertEqual(message.workflow_id, "SALLYPORT_NOTICE")
        self.assertEqual(message.sender, "X26ABC1")
        self.assertEqual(sender.track_message(sent)["status"], "accepted")
        message.acknowledge()
        self.assertEqual(recipient.list_messages(), [])
        self.assertEqual(sender.track_message(sent)["status"], "acknowledged")

    def test_an_unknown_recipient_is_refused(self):
        with self.assertRaisesRegex(MeshError, "Unregistered to address"):
            self.client("X26ABC1").send_message("NOBODY", b"x", workflow_id="SALLYPORT_NOTICE")

    def test_a_wrong_secret_is_refused(self):
        with self.assertRaises(requests.HTTPError) as refused:
            self.client("X26ABC1", shared_key=b"another").list_messages()
        self.assertEqual(refused.exception.response.status_code, 403)

    def test_nobody_gets_in_without_a_certificate(self):
        with self.assertRaises(requests.ConnectionError):
            self.client("X26ABC1", cert=None).list_messages()


if __name__ == "__main__":
    unittest.main()
