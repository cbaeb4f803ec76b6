"""Certificates of receivers and pages, for HTTP and gRPC, reloaded from their files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_carbon.collector.watched_files import WatchedFiles
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import grpc

MIN_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What a server shows, and of whom it asks the same.

    Attributes:
        key: key path of the section, for messages.
        cert_file: PEM with the certificate, and the intermediate ones after it.
        key_file: PEM with the private key, without a password.
        client_ca_file: PEM with the authorities whose clients may connect; None lets all connect.
        min_version: `1.2` or `1.3`; for HTTP only, because grpcio cannot be told.
        reload_interval_s: how often to look for new files, in seconds; None never does.
    """

    key: str
    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    min_version: str = "1.2"
    reload_interval_s: float | None = None

    @property
    def files(self) -> dict[str, Path]:
        """The files by their keys."""
        found = {"cert_file": self.cert_file, "key_file": self.key_file}
        return found if self.client_ca_file is None else {**found, "client_ca_file": self.client_ca_file}


@dataclass(frozen=True, slots=True)
class _Material:
    """What was read at one time, known to fit together."""

    context: ssl.SSLContext
    texts: dict[str, bytes]


class ServerTls:
    """The TLS of one server.

    Connections that exist go on with what they began with; only new ones get what was reloaded.

    Args:
        settings: which files.

    Raises:
        ConfigError: the files cannot be read, or do not fit together.
    """

    def __init__(self, settings: TlsSettings) -> None:
        self._asks_clients = settings.client_ca_file is not None
        self._watched = WatchedFiles(
            settings.files.values(),
            lambda: _load(settings),
            key=settings.key,
            interval_s=settings.reload_interval_s,
        )
        self._given_to_grpc: _Material | None = None
        self.context = _CurrentContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.material = self._watched

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """The same for a gRPC server."""
        import grpc  # of those who listen by HTTP alone it takes no memory

        self._given_to_grpc = self._watched.value
        return grpc.dynamic_ssl_server_credentials(
            _grpc_certificates(self._given_to_grpc), self._changed_certificates, self._asks_clients
        )

    def _changed_certificates(self) -> grpc.ServerCertificateConfiguration | None:
        """Asked by grpcio before each handshake; None leaves things as they are."""
        current = self._watched.value
        if current is self._given_to_grpc:
            return None
        self._given_to_grpc = current
        return _grpc_certificates(current)


class _CurrentContext(ssl.SSLContext):
    """Stands for whichever context is the newest; loading into a context in use could leave it half loaded."""

    material: WatchedFiles[_Material]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401 -- as the base class has it
        return self.material.value.context.wrap_bio(*arguments, **options)


def tls_problems(settings: TlsSettings) -> Iterator[tuple[str, str]]:
    """Find what is wrong with the files: the key of one, and what is wrong with it."""
    try:
        _load(settings)
    except _TlsProblem as problem:
        yield problem.file_key, problem.message


class _TlsProblem(ConfigError):
    """A file that cannot be used; messages never quote from it."""

    def __init__(self, settings: TlsSettings, file_key: str, message: str) -> None:
        super().__init__((f"{settings.key}.{file_key}: {message}",))
        self.file_key = file_key
        self.message = message


def _load(settings: TlsSettings) -> _Material:
    texts = {file_key: _read(settings, file_key) for file_key in settings.files}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = MIN_VERSIONS[settings.min_version]
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password of ours OpenSSL would ask for one on the terminal.
        context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _TlsProblem(settings, *_why_no_pair(settings, error)) from error
    if settings.client_ca_file is not None:
        try:
            context.load_verify_locations(settings.client_ca_file)
        except (ssl.SSLError, OSError) as error:
            what = f"holds no PEM certificates: {settings.client_ca_file}"
            raise _TlsProblem(settings, "client_ca_file", what) from error
        context.verify_mode = ssl.CERT_REQUIRED
    if texts != {file_key: _read(settings, file_key) for file_key in settings.files}:
        raise _TlsProblem(settings, "cert_file", f"changed while it was read: {settings.cert_file}")
    return _Material(context, texts)


def _read(settings: TlsSettings, file_key: str) -> bytes:
    path = settings.files[file_key]
    try:
        return path.read_bytes()
    except OSError as error:
        raise _TlsProblem(settings, file_key, f"cannot be read: {path}: {error.strerror}") from error


def _why_no_pair(settings: TlsSettings, error: Exception) -> tuple[str, str]:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "key_file", f"is not the key of {settings.cert_file}: {settings.key_file}"
    if b"-----BEGIN CERTIFICATE-----" not in settings.cert_file.read_bytes():
        return "cert_file", f"holds no PEM certificate: {settings.cert_file}"
    return "key_file", f"holds no PEM private key that can be read without a password: {settings.key_file}"


def _grpc_certificates(material: _Material) -> grpc.ServerCertificateConfiguration:
    import grpc

    pair = (material.texts["key_file"], material.texts["cert_file"])
    return grpc.ssl_server_certificate_configuration([pair], material.texts.get("client_ca_file"))
