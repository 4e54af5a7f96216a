"""A small certification authority of invented parties, made with the `openssl` command."""

import subprocess
from pathlib import Path
from typing import NamedTuple

EXTENSIONS = {
    "signing": ("digitalSignature", "emailProtection"),
    "encryption": ("keyAgreement,keyEncipherment", "emailProtection"),
    "tls": ("digitalSignature", "serverAuth,clientAuth"),
}

ALGORITHMS = {
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}


class Identity(NamedTuple):
    """A certificate and its private key, as paths of PEM files."""

    certificate: Path
    key: Path


def openssl(*arguments: object, data: bytes | None = None) -> bytes:
    """Runs one `openssl` command without configuration from outside; its standard output."""
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout


class Authority:
    """A root, and certificates that it issues into `directory`."""

    def __init__(self, directory: Path, name: str = "Invented Root"):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.root = Identity(directory / "root.pem", directory / "root.key")
        openssl("genpkey", *ALGORITHMS["ec"], "-out", self.root.key)
        openssl(
            *("req", "-x509", "-new", "-key", self.root.key, "-sha256", "-days", 30),
            *("-subj", f"/O=Invented/CN={name}", "-out", self.root.certificate),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def issue(self, party: str, purpose: str, algorithm: str = "ec") -> Identity:
        """A certificate for `signing`, `encryption` or `tls`, with an `ec` or `rsa` key."""
        folder = self.directory / party
        folder.mkdir(exist_ok=True)
        made = Identity(folder / f"{purpose}.pem", folder / f"{purpose}.key")
        openssl("genpkey", *ALGORITHMS[algorithm], "-out", made.key)
        request = openssl(
            *("req", "-new", "-key", made.key, "-sha256"),
            *("-subj", f"/O=Invented/CN={party} {purpose}"),
        )
        self.certify(request, purpose, made.certificate)
        return made

    def certify(self, request: bytes, purpose: str, certificate: Path) -> None:
        """Writes a certificate for the key of a PKCS #10 request."""
        usage, extended = EXTENSIONS[purpose]
        extensions = [
            "basicConstraints=critical,CA:FALSE",
            f"keyUsage=critical,{usage}",
            f"extendedKeyUsage={extended}",
            "subjectKeyIdentifier=hash",
            "authorityKeyIdentifier=keyid",
        ]
        if purpose == "tls":
            extensions.append("subjectAltName=DNS:localhost,IP:127.0.0.1")
        listed = certificate.with_name("extensions")
        listed.write_text("\n".join(extensions) + "\n")
        openssl(
            *("x509", "-req", "-CA", self.root.certificate, "-CAkey", self.root.key),
            *("-CAcreateserial", "-days", 20, "-sha256", "-extfile", listed),
            *("-out", certificate),
            data=request,
        )
