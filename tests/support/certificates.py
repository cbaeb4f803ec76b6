"""Certificates of an authority of the test's own, in files as a collector reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The files of one certificate."""

    cert_file: Path
    key_file: Path

    @property
    def pem(self) -> tuple[bytes, bytes]:
        """Key and certificate chain, in the order that gRPC takes them."""
        return self.key_file.read_bytes(), self.cert_file.read_bytes()


class Authority:
    """Signs certificates, and writes them into a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.ca_file = folder / f"{name}.pem"
        self.pem = self._authority.cert_pem.bytes()
        self.ca_file.write_bytes(self.pem)

    def issue(self, name: str, *identities: str) -> CertificateFiles:
        """Write `NAME.pem` and `NAME.key`, over those of before; for a server of this machine by default."""
        files = CertificateFiles(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        certificate = self._authority.issue_cert(*(identities or SERVER_NAMES))
        files.key_file.write_bytes(certificate.private_key_pem.bytes())
        files.cert_file.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        return files
