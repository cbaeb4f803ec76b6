"""Send serialized requests to a backend by OTLP/HTTP or OTLP/gRPC."""

from __future__ import annotations

import logging
import zlib
from typing import TYPE_CHECKING, Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_carbon.collector.client_tls import GENERATIONS, ClientTls, watched_tls
from otel_carbon.collector.exporters.http_backend import HttpBackend
from otel_carbon.collector.exporters.redaction import Redaction
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import (
    RETRYABLE_GRPC_CODES,
    RETRYABLE_HTTP_STATUSES,
    STATUS_DETAILS_KEY,
    UNAUTHORIZED_GRPC_CODES,
    UNAUTHORIZED_HTTP_STATUSES,
    Encoding,
    retry_delay_from_details,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_carbon.collector.exporters.backend import BackendSettings
    from otel_carbon.collector.signals import Batch

GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_MESSAGE_LIMIT_CHARACTERS = 300
_logger = logging.getLogger(__name__)


class OtlpHttpExport:
    """OTLP/HTTP with protobuf bodies over one kept-alive connection.

    Raises:
        ConfigError: the files of TLS cannot be used.
    """

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        headers = {"content-type": Encoding.PROTOBUF.value}
        if settings.gzip:
            headers["content-encoding"] = "gzip"
        unauthorized = UNAUTHORIZED_HTTP_STATUSES if settings.retries_unauthorized else frozenset()
        retryable = RETRYABLE_HTTP_STATUSES | unauthorized
        self._backend = HttpBackend(settings, headers, is_retryable=retryable.__contains__, explain=_status_text)

    def send(self, batch: Batch) -> int:
        """Send one batch; see `Export.send`."""
        content = gzip_body(batch.body) if self._settings.gzip else batch.body
        answer = self._backend.post(batch.signal.http_path, content)
        return _rejected_items(batch.signal, answer, self._settings.exporter)

    def close(self) -> None:
        """Close the connection."""
        self._backend.close()


class OtlpGrpcExport:
    """OTLP/gRPC with bytes as messages; generated serializers would decode and encode every span again.

    Raises:
        ConfigError: the files of TLS cannot be used.
    """

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
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
            redaction = Redaction("", (value for _, value in sent))
            raise _grpc_refusal(self._settings, error, redaction) from error
        return _rejected_items(batch.signal, answer, self._settings.exporter)

    def close(self) -> None:
        """Close the channel; a call in flight is cancelled."""
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


def gzip_body(body: bytes) -> bytes:
    """Compress at level 1, which costs half of level 6 and gives up a tenth of its ratio."""
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


class _GrpcFailure(Protocol):
    """What a failed call of the sync client tells; grpcio ships no types."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Iterable[tuple[str, bytes]] | None: ...


def _grpc_refusal(settings: BackendSettings, error: _GrpcFailure, redaction: Redaction) -> Exception:
    code = error.code().name
    why = redaction.clean(error.details() or "")
    message = f"{settings.endpoint} answered {code}: {why[:_MESSAGE_LIMIT_CHARACTERS]}"
    details = dict(error.trailing_metadata() or ()).get(STATUS_DETAILS_KEY)
    wish_s = retry_delay_from_details(details) if details else None
    # RESOURCE_EXHAUSTED is final unless the backend says when to come back.
    may_pass = code in RETRYABLE_GRPC_CODES or (code == "RESOURCE_EXHAUSTED" and wish_s is not None)
    if may_pass or (settings.retries_unauthorized and code in UNAUTHORIZED_GRPC_CODES):
        return RetryableExportError(message, wish_s)
    return PermanentExportError(message)


def _rejected_items(signal: Signal, answer: bytes, exporter: str) -> int:
    """Read a partial success; an answer in another form (JSON, nothing) rejects nothing."""
    try:
        match signal:
            case Signal.TRACES:
                traces = ExportTraceServiceResponse.FromString(answer).partial_success
                rejected, message = traces.rejected_spans, traces.error_message
            case Signal.METRICS:
                metrics = ExportMetricsServiceResponse.FromString(answer).partial_success
                rejected, message = metrics.rejected_data_points, metrics.error_message
            case Signal.LOGS:
                logs = ExportLogsServiceResponse.FromString(answer).partial_success
                rejected, message = logs.rejected_log_records, logs.error_message
    except DecodeError:
        return 0
    if rejected or message:
        _logger.debug("%s: rejected %d items: %s", exporter, rejected, message[:_MESSAGE_LIMIT_CHARACTERS])
    return max(0, rejected)


def _status_text(answer: bytes) -> str:
    """The message of a `google.rpc.Status` body, if it is one."""
    try:
        message = status_pb2.Status.FromString(answer).message
    except DecodeError:
        return ""
    return str(message[:_MESSAGE_LIMIT_CHARACTERS])
