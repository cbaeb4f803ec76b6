"""Send serialized requests to a backend by OTLP/HTTP or OTLP/gRPC."""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import grpc
import httpx
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.status import (
    RETRYABLE_GRPC_CODES,
    RETRYABLE_HTTP_STATUSES,
    STATUS_DETAILS_KEY,
    Encoding,
    retry_delay_from_details,
    retry_delay_from_header,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.collector.signals import Batch

GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_RESPONSE_LIMIT_BYTES = 4 * 1024 * 1024
_MESSAGE_LIMIT_CHARACTERS = 300
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """Where and how an OTLP exporter sends.

    Attributes:
        exporter: component id, for the log.
        endpoint: a URL for OTLP/HTTP, `host:port` for OTLP/gRPC.
        headers: sent with every request; may hold secrets, so they are never logged.
        gzip: whether bodies are compressed (level 1 over HTTP; gRPC's library chooses its own level).
        timeout_s: longest time for one attempt, in seconds.
        secure: whether OTLP/gRPC uses TLS; for OTLP/HTTP the URL says so.
    """

    exporter: str
    endpoint: str
    headers: Mapping[str, str]
    gzip: bool
    timeout_s: float
    secure: bool = False
    behind_proxy: bool = True
    """Whether proxies named in the environment apply; they cannot reach this machine's loopback."""


class OtlpHttpExport:
    """OTLP/HTTP with protobuf bodies over one kept-alive connection."""

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        headers = {**settings.headers, "content-type": Encoding.PROTOBUF.value, "accept-encoding": "identity"}
        if settings.gzip:
            headers["content-encoding"] = "gzip"
        self._client = httpx.Client(
            headers=headers, timeout=settings.timeout_s, follow_redirects=False, trust_env=settings.behind_proxy
        )
        self._base_url = settings.endpoint.rstrip("/")

    def send(self, batch: Batch) -> int:
        """Send one batch; see `Export.send`."""
        content = gzip_body(batch.body) if self._settings.gzip else batch.body
        try:
            with self._client.stream("POST", self._base_url + batch.signal.http_path, content=content) as response:
                answer = _read_bounded(response)
        except httpx.HTTPError as error:
            raise RetryableExportError(f"{self._settings.endpoint}: {error or type(error).__name__}") from error
        if response.is_success:
            return _rejected_items(batch.signal, answer, self._settings.exporter)
        raise self._refusal(response, answer)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _refusal(self, response: httpx.Response, answer: bytes) -> Exception:
        message = f"{self._settings.endpoint} answered {response.status_code}{_status_text(answer)}"
        if response.status_code not in RETRYABLE_HTTP_STATUSES:
            return PermanentExportError(message)
        wish_s = retry_delay_from_header(response.headers.get("retry-after"), datetime.now(UTC))
        return RetryableExportError(message, wish_s)


class OtlpGrpcExport:
    """OTLP/gRPC with bytes as messages; generated serializers would decode and encode every span again."""

    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        compression = grpc.Compression.Gzip if settings.gzip else grpc.Compression.NoCompression
        # Retries are the sender's, which counts them; two layers of retries would multiply.
        options = [("grpc.enable_retries", 0), ("grpc.enable_http_proxy", int(settings.behind_proxy))]
        if settings.secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(settings.endpoint, credentials, options, compression)
        else:
            self._channel = grpc.insecure_channel(settings.endpoint, options, compression)
        self._metadata = tuple((name.lower(), value) for name, value in settings.headers.items())
        self._calls = {signal: self._channel.unary_unary(f"/{signal.grpc_service}/Export") for signal in Signal}

    def send(self, batch: Batch) -> int:
        """Send one batch; see `Export.send`."""
        try:
            answer = self._calls[batch.signal](batch.body, timeout=self._settings.timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise _grpc_refusal(self._settings.endpoint, error) from error
        return _rejected_items(batch.signal, answer, self._settings.exporter)

    def close(self) -> None:
        """Close the channel; a call in flight is cancelled."""
        self._channel.close()


def gzip_body(body: bytes) -> bytes:
    """Compress at level 1, which costs half of level 6 and gives up a tenth of its ratio."""
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


class _GrpcFailure(Protocol):
    """What a failed call of the sync client tells; grpcio ships no types."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Iterable[tuple[str, bytes]] | None: ...


def _grpc_refusal(endpoint: str, error: _GrpcFailure) -> Exception:
    code = error.code().name
    message = f"{endpoint} answered {code}: {(error.details() or '')[:_MESSAGE_LIMIT_CHARACTERS]}"
    details = dict(error.trailing_metadata() or ()).get(STATUS_DETAILS_KEY)
    wish_s = retry_delay_from_details(details) if details else None
    # RESOURCE_EXHAUSTED is final unless the backend says when to come back.
    if code in RETRYABLE_GRPC_CODES or (code == "RESOURCE_EXHAUSTED" and wish_s is not None):
        return RetryableExportError(message, wish_s)
    return PermanentExportError(message)


def _read_bounded(response: httpx.Response) -> bytes:
    """Read an answer up to a limit, and never expanded: a backend must not be able to fill our memory.

    Raises:
        PermanentExportError: it is longer, which by OTLP is an error that stays.
    """
    answer = bytearray()
    for piece in response.iter_raw():
        answer += piece
        if len(answer) > _RESPONSE_LIMIT_BYTES:
            raise PermanentExportError(f"the answer is longer than {_RESPONSE_LIMIT_BYTES} bytes")
    return bytes(answer)


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
    return f": {message[:_MESSAGE_LIMIT_CHARACTERS]}" if message else ""
