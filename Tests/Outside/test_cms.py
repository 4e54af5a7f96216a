"""Messages made with the `openssl` command open only for their recipient and signer."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import cms
from pki import Authority

NOTE = b'{"note":"invented"}\r\n\n\0\xff'


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="cms-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.ours = Authority(cls.directory / "ours")
        cls.theirs = Authority(cls.directory / "theirs", "Another Root")
        cls.root = cls.ours.root.certificate
        cls.signers = [cls.ours.issue(f"prison-{a}", "signing", a) for a in ("ec", "rsa")]
        cls.readers = [cls.ours.issue(f"police-{a}", "encryption", a) for a in ("ec", "rsa")]
        cls.strangers = [cls.ours.issue(f"other-{a}", "encryption", a) for a in ("ec", "rsa")]
        cls.signer, cls.reader = cls.signers[0], cls.readers[0]

    def test_the_recipient_reads_what_the_signer_wrote(self):
        for signer in self.signers:
            for reader in self.readers:
                sealed = cms.sign_and_encrypt(NOTE, *signer, reader.certificate)
                opened = cms.open_and_verify(sealed, *reader, signer.certificate, self.root)
                self.assertEqual(opened, NOTE)

    def test_nobody_else_can_open_it(self):
        for reader in self.readers:
            sealed = cms.sign_and_encrypt(NOTE, *self.signer, reader.certificate)
            self.assertTrue(cms.can_open(sealed, *reader))
            for other in {*self.strangers, *self.readers, *self.signers} - {reader}:
                self.assertFalse(cms.can_open(sealed, *other), other)

    def test_a_changed_byte_is_refused(self):
        sealed = cms.sign_and_encrypt(NOTE, *self.signer, self.reader.certificate)
        for at in (len(sealed) - 1, len(sealed) - 60):
            changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
            self.assertFalse(cms.can_open(changed, *self.reader))
        signed = cms.sign(NOTE, *self.signer)
        changed = signed.replace(b"invented", b"inventeD")
        with self.assertRaises(subprocess.CalledProcessError):
            cms.verify(changed, self.signer.certificate, self.root)

    def test_another_signer_or_authority_is_refused(self):
        forged = self.theirs.issue("prison-ec", "signing")
        not_for_signing = self.ours.issue("prison-ec", "tls")
        cases = [
            (self.signer, self.signers[1], self.root),
            (self.signer, self.signer, self.theirs.root.certificate),
            (forged, forged, self.root),
            (not_for_signing, not_for_signing, self.root),
        ]
        for signer, expected, authority in cases:
            with self.assertRaises(subprocess.CalledProcessError):
                cms.verify(cms.sign(NOTE, *signer), expected.certificate, authority)

    def test_the_algorithms_are_those_agreed(self):
        wrapping = ("dhSinglePass-stdDH-sha256kdf-scheme", "rsaesOaep")
        for reader, expected in zip(self.readers, wrapping, strict=True):
            signed = cms.sign(NOTE, *self.signer)
            outer = cms.structure(cms.encrypt(signed, reader.certificate))
            for word in ("id-smime-ct-authEnvelopedData", "aes-256-gcm", expected):
                self.assertIn(word, outer)
            inner = cms.structure(signed)
            for word in ("ecdsa-with-SHA256", "d.subjectKeyIdentifier", "signingTime"):
                self.assertIn(word, inner)
            self.assertRegex(inner, r"certificates:\s+<ABSENT>")


if __name__ == "__main__":
    unittest.main()
