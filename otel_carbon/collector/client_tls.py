"""TLS towards backends: contexts and credentials from files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from otel_carbon.collector.watched_files import WatchedFiles
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import grpc

Value = TypeVar("Value")
GENERATIONS = 2
"""How many connections are kept while one is made anew: what the old one is sending may go on."""
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


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
            import httpx  # only who sends pays for it

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
        import grpc

        self.context()
        return grpc.ssl_channel_credentials(
            root_certificates=_bytes_of(self.ca_file),
            private_key=_bytes_of(self.key_file),
            certificate_chain=_bytes_of(self.cert_file),
        )


def watched_tls(tls: ClientTls | None, connect: Callable[[], Value], *, exporter: str) -> WatchedFiles[Value]:
    """What connects to a backend, made anew when the files of its TLS have changed.

    Args:
        tls: names the files; None where there are none.
        connect: makes it from the files as they are now.
        exporter: component id, for messages.

    Raises:
        ConfigError: the files cannot be used.
    """
    key = f"exporters.{exporter}.tls"

    def load() -> Value:
        try:
            return connect()
        except (OSError, ValueError) as error:  # `ssl.SSLError` is an `OSError`
            raise ConfigError((f"{key}: the files cannot be used: {error}",)) from error

    if tls is None:
        return WatchedFiles((), load, key=key, interval_s=None)
    return WatchedFiles(tls.files, load, key=key, interval_s=tls.reload_interval_s or None)


def _bytes_of(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()


def _no_password() -> str:
    """Without this, OpenSSL would ask on the terminal."""
    raise ValueError("the private key has a password; name one without")
