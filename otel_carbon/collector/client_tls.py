"""TLS towards backends: contexts and credentials from files, made anew when the files change."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import grpc
import httpx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
TlsProblem = (OSError, ValueError)
"""What making a context or credentials raises for files that cannot be used; `ssl.SSLError` is an `OSError`."""


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How TLS is spoken to one backend.

    Attributes:
        ca_file: authorities to trust, PEM; None takes those that are known.
        cert_file: certificate for mutual TLS, PEM.
        key_file: its private key, PEM.
        server_name: name that the certificate must have; None takes that of the endpoint.
        verify: whether the certificate is looked at.
        min_version: `1.2` or `1.3`.
        reload_interval_s: how often to look for changed files, in seconds; 0 is never.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None
    verify: bool = True
    min_version: str = "1.2"
    reload_interval_s: float = 0.0

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is made of."""
        return tuple(file for file in (self.ca_file, self.cert_file, self.key_file) if file is not None)

    def context(self) -> ssl.SSLContext:
        """Make a context from the files as they are now.

        Raises:
            OSError: a file cannot be read, holds no certificate, or the key is not that of the certificate.
            ValueError: the key has a password.
        """
        if self.ca_file is None:
            context = httpx.create_ssl_context()
        else:
            context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = _VERSIONS[self.min_version]
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file, password=_no_password)
        return context

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Make gRPC credentials from the files as they are now; raises as `context` does.

        gRPC takes any bytes and fails at the first connection, so that the files are tried on a context first.
        """
        self.context()
        return grpc.ssl_channel_credentials(
            root_certificates=_bytes_of(self.ca_file),
            private_key=_bytes_of(self.key_file),
            certificate_chain=_bytes_of(self.cert_file),
        )


class ChangedFiles:
    """Tells when files have changed since they were last looked at.

    Args:
        files: the files.
        interval_s: how often they are looked at, in seconds; 0 is never.
        clock_s: a clock that does not run backwards, in seconds.
    """

    def __init__(
        self, files: tuple[Path, ...], interval_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._files = files
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._looked_s = clock_s()
        self._seen = self._states()
        self._looking = Lock()

    def use_changed(self, use: Callable[[], None]) -> None:
        """Call `use` if it is time to look and they have changed; when it raises, not again until they change anew."""
        if not self._interval_s or self._clock_s() - self._looked_s < self._interval_s:
            return
        if not self._looking.acquire(blocking=False):
            return  # another thread looks right now
        try:
            self._looked_s = self._clock_s()
            states = self._states()
            if states != self._seen:
                self._seen = states
                use()
        finally:
            self._looking.release()

    def _states(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_state(file) for file in self._files)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _bytes_of(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()


def _no_password() -> str:
    """Without this, OpenSSL would ask on the terminal."""
    raise ValueError("the private key has a password; name one without")
