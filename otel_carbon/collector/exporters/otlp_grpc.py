"""Send serialized requests to a backend by OTLP/gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import grpc

from otel_carbon.collector.client_tls import GENERATIONS, ClientTls, watched_tls
from otel_carbon.collector.exporters.partial_success import Rejections
from otel_carbon.collector.exporters.redaction import Redaction
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import (
    RETRYABLE_GRPC_CODES,
    STATUS_DETAILS_KEY,
    UNAUTHORIZED_GRPC_CODES,
    retry_delay_from_details,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_carbon.collector.exporters.backend import BackendSettings
    from otel_carbon.collector.signals import Batch


class OtlpGrpcExport:
    """OTLP/gRPC with bytes as messages; generated serializers would decode and encode every span again.

    Raises:
        ConfigError: the files of TLS cannot be used.
    """

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        self._rejections = Rejections(settings.exporter)
        self._metadata = tuple((name.lower(), value) for name, value in settings.headers.items())
        self._channels: list[grpc.Channel] = []
        """The one in use, and the one before it: what that was sending when the certificates changed goes on."""
        self._calls = watched_tls(
            settings.tls if settings.secure else None, self._new_calls, exporter=settings.exporter
        )

    def send(self, batch: Batch) -> int:
        """Send one batch; see `Export.send`."""
        authorize = self._settings.authorization
        sent = (*self._metadata, ("authorization", authorize())) if authorize is not None else self._metadata
        try:
            answer = self._calls.value[batch.signal](batch.body, timeout=self._settings.timeout_s, metadata=sent)
        except grpc.RpcError as error:
            raise _grpc_refusal(self._settings, error, _redaction(sent)) from error
        return self._rejections.note(batch, answer, _redaction(sent))

    def close(self) -> None:
        """Close the channel; a call in flight is cancelled."""
        self._rejections.close()
        for channel in self._channels:
            channel.close()

    def _new_calls(self) -> dict[Signal, Callable[..., bytes]]:
        channel = self._new_channel()
        self._channels.append(channel)
        while len(self._channels) > GENERATIONS:
            self._channels.pop(0).close()
        return {signal: channel.unary_unary(f"/{signal.grpc_service}/Export") for signal in Signal}

    def _new_channel(self) -> grpc.Channel:
        settings, tls = self._settings, self._settings.tls or ClientTls()
        compression = grpc.Compression.Gzip if settings.gzip else grpc.Compression.NoCompression
        # Retries are the sender's, which counts them; two layers of retries would multiply.
        options: list[tuple[str, int | str]] = [
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", int(settings.behind_proxy)),
        ]
        if not settings.secure:
            return grpc.insecure_channel(settings.endpoint, options, compression)
        if tls.server_name:
            options.append(("grpc.ssl_target_name_override", tls.server_name))
        return grpc.secure_channel(settings.endpoint, tls.channel_credentials(), options, compression)


class _GrpcFailure(Protocol):
    """What a failed call of the sync client tells; grpcio ships no types."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Iterable[tuple[str, bytes]] | None: ...


def _redaction(sent: Iterable[tuple[str, str]]) -> Redaction:
    return Redaction("", (value for _, value in sent))


def _grpc_refusal(settings: BackendSettings, error: _GrpcFailure, redaction: Redaction) -> Exception:
    code = error.code().name
    message = f"{settings.endpoint} answered {code}: {redaction.clean(error.details() or '')}"
    details = dict(error.trailing_metadata() or ()).get(STATUS_DETAILS_KEY)
    wish_s = retry_delay_from_details(details) if details else None
    # RESOURCE_EXHAUSTED is final unless the backend says when to come back.
    may_pass = code in RETRYABLE_GRPC_CODES or (code == "RESOURCE_EXHAUSTED" and wish_s is not None)
    if may_pass or (settings.retries_unauthorized and code in UNAUTHORIZED_GRPC_CODES):
        return RetryableExportError(message, wish_s)
    return PermanentExportError(message)
