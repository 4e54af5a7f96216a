"""Seals and opens messages as a partner agency may: with the `openssl cms` command alone.

A message is CMS SignedData (ECDSA P-256 or RSA, SHA-256, no certificates inside, signer named by
key id) inside AuthEnvelopedData (AES-256-GCM, one recipient by ECDH with a SHA-256 KDF or by
RSA-OAEP with SHA-256), both as DER. Works with OpenSSL 3.0. Nothing passes through a file.
"""

import subprocess
from pathlib import Path

from pki import openssl

# Trust nothing of the machine's own store.
ONLY_OURS = ["-no-CApath", "-no-CAstore"]


def is_rsa(certificate: Path) -> bool:
    text = openssl("x509", "-in", certificate, "-noout", "-text")
    return b"Public Key Algorithm: rsaEncryption" in text


def sign(content: bytes, certificate: Path, key: Path) -> bytes:
    return openssl(
        *("cms", "-sign", "-binary", "-nodetach", "-noindef", "-nosmimecap", "-nocerts", "-keyid"),
        *("-md", "sha256", "-signer", certificate, "-inkey", key, "-outform", "DER"),
        data=content,
    )


def encrypt(content: bytes, recipient: Path) -> bytes:
    # Without these options OpenSSL 3.0 takes PKCS#1 v1.5, or a key derivation with SHA-1.
    wrapping = ["-keyopt", "ecdh_kdf_md:sha256"]
    if is_rsa(recipient):
        wrapping = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"]
    return openssl(
        *("cms", "-encrypt", "-binary", "-noindef", "-aes-256-gcm", "-recip", recipient),
        *(*wrapping, "-outform", "DER"),
        data=content,
    )


def decrypt(sealed: bytes, certificate: Path, key: Path) -> bytes:
    return openssl(
        *("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", certificate, "-inkey", key),
        data=sealed,
    )


def verify(signed: bytes, signer: Path, authority: Path) -> bytes:
    """The content, if `signer` signed it and chains to `authority`. Ignores certificates inside."""
    return openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-nointern", "-certfile", signer),
        *("-CAfile", authority, *ONLY_OURS),
        data=signed,
    )


def sign_and_encrypt(
    content: bytes, signer_certificate: Path, signer_key: Path, recipient: Path
) -> bytes:
    return encrypt(sign(content, signer_certificate, signer_key), recipient)


def open_and_verify(
    sealed: bytes, certificate: Path, key: Path, signer: Path, authority: Path
) -> bytes:
    return verify(decrypt(sealed, certificate, key), signer, authority)


def joined(envelope: bytes, *documents: bytes) -> bytes:
    """What is signed: the JSON, then each document behind the byte 1E, its length and a line feed."""
    return envelope + b"".join(b"\x1e%d\n%b" % (len(each), each) for each in documents)


def parted(content: bytes) -> tuple[bytes, list[bytes]]:
    """The JSON and the documents of what was signed."""
    envelope, mark, rest = content.partition(b"\x1e")
    documents = []
    while mark:
        length, mark, rest = rest.partition(b"\n")
        documents.append(rest[: int(length)])
        if len(documents[-1]) != int(length):
            raise ValueError("a document is cut off")
        rest = rest[int(length) :]
        mark, rest = rest[:1], rest[1:]
        if mark not in (b"", b"\x1e"):
            raise ValueError("something follows the last document")
    return envelope, documents


def can_open(sealed: bytes, certificate: Path, key: Path, named: bool = True) -> bool:
    """Whether the key opens the envelope: tried on each recipient, and named as one if `named`."""
    for how in [["-recip", certificate], ["-debug_decrypt"]] if named else [["-debug_decrypt"]]:
        command = ["cms", "-decrypt", "-binary", "-inform", "DER", *how, "-inkey", key]
        try:
            if openssl(*command, data=sealed):
                return True
        except subprocess.CalledProcessError:
            continue
    return False


def structure(message: bytes) -> str:
    """OpenSSL's print of a message, to look at its algorithms and recipients."""
    return openssl("cms", "-cmsout", "-print", "-noout", "-inform", "DER", data=message).decode()
