"""An OTLP receiver inside the test process that keeps what arrived, byte for byte and decoded."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.emissions_watch import check_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

Signal = Literal["traces", "metrics", "logs"]
Scalar = str | bool | int | float | bytes
AttributeValue = Scalar | list[Scalar] | None

_WAIT_TIMEOUT_S = 15.0
_GRPC_WORKERS = 4
_RESPONSES: Mapping[Signal, bytes] = {
    "traces": ExportTraceServiceResponse().SerializeToString(),
    "metrics": ExportMetricsServiceResponse().SerializeToString(),
    "logs": ExportLogsServiceResponse().SerializeToString(),
}
_SIGNAL_BY_HTTP_PATH: Mapping[str, Signal] = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
_SIGNAL_BY_GRPC_METHOD: Mapping[str, Signal] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "metrics",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
}


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """One span as it arrived, with the resource and scope it came under."""

    span: Span
    scope: str
    resource: Mapping[str, AttributeValue]

    @property
    def attributes(self) -> dict[str, AttributeValue]:
        """The span's attributes as Python values; of a repeated key the last one wins."""
        return attributes_of(self.span.attributes)


@dataclass(slots=True)
class OtlpSink:
    """Keeps every OTLP body it was sent, over HTTP and over gRPC; `*_endpoint` are what a client is given."""

    http_endpoint: str = ""
    grpc_endpoint: str = ""
    _bodies: dict[Signal, list[bytes]] = field(default_factory=lambda: {"traces": [], "metrics": [], "logs": []})
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, signal: Signal, body: bytes) -> bytes:
        """Store one uncompressed body and return the encoded answer for the client."""
        if signal == "traces":
            check_body(body)  # what other processes emit is held against the convention where it arrives
        with self._lock:
            self._bodies[signal].append(body)
        return _RESPONSES[signal]

    def bodies(self, signal: Signal) -> list[bytes]:
        """The bodies received so far, uncompressed, in order of arrival."""
        with self._lock:
            return list(self._bodies[signal])

    def trace_requests(self) -> list[ExportTraceServiceRequest]:
        """The trace bodies received so far, decoded."""
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies("traces")]

    def metric_requests(self) -> list[ExportMetricsServiceRequest]:
        """The metric bodies received so far, decoded."""
        return [ExportMetricsServiceRequest.FromString(body) for body in self.bodies("metrics")]

    def log_requests(self) -> list[ExportLogsServiceRequest]:
        """The log bodies received so far, decoded."""
        return [ExportLogsServiceRequest.FromString(body) for body in self.bodies("logs")]

    def spans(self) -> list[ReceivedSpan]:
        """Every span received so far, repeats included."""
        return [span for request in self.trace_requests() for span in received_spans(request)]

    def wait_for_spans(self, count: int, *, timeout_s: float = _WAIT_TIMEOUT_S) -> list[ReceivedSpan]:
        """All spans, once at least `count` have arrived.

        Raises:
            TimeoutError: when fewer arrived within `timeout_s` seconds.
        """
        return self.wait_for(lambda spans: len(spans) >= count, timeout_s=timeout_s, what=f"{count} spans")

    def wait_for(
        self, enough: Callable[[list[ReceivedSpan]], bool], *, timeout_s: float = _WAIT_TIMEOUT_S, what: str
    ) -> list[ReceivedSpan]:
        """All spans, once `enough` says so of what has arrived.

        Raises:
            TimeoutError: when it did not say so within `timeout_s` seconds.
        """

        def enough_spans() -> list[ReceivedSpan] | None:
            spans = self.spans()
            return spans if enough(spans) else None

        try:
            return wait_until(enough_spans, timeout_s=timeout_s, what=what)
        except TimeoutError as late:
            raise TimeoutError(f"{late}; spans here: {[each.span.name for each in self.spans()]}") from None


def received_spans(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    """Every span of one request, with its scope name and resource attributes."""
    for resource_spans in request.resource_spans:
        resource = attributes_of(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield ReceivedSpan(span, scope_spans.scope.name, resource)


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, AttributeValue]:
    """OTLP key-value pairs as a dictionary of Python values; of a repeated key the last one wins."""
    return {pair.key: _plain(pair.value) for pair in pairs}


@contextmanager
def running_otlp_sink() -> Iterator[OtlpSink]:
    """A sink that listens on two loopback ports of its own, for OTLP over HTTP and over gRPC."""
    sink = OtlpSink()
    with _http_server(sink) as http_port, _grpc_server(sink) as grpc_port:
        sink.http_endpoint = f"http://127.0.0.1:{http_port}"
        sink.grpc_endpoint = f"http://127.0.0.1:{grpc_port}"
        yield sink


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """An OTLP receiver in this process that starts empty."""
    with running_otlp_sink() as sink:
        yield sink


@contextmanager
def _http_server(sink: OtlpSink) -> Iterator[int]:
    class Handler(_OtlpHandler):
        receiver = sink

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _OtlpHandler(BaseHTTPRequestHandler):
    """OTLP/HTTP with protobuf bodies, plain or gzipped."""

    receiver: OtlpSink

    def do_POST(self) -> None:
        signal = _SIGNAL_BY_HTTP_PATH.get(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if signal is None or self.headers["Content-Type"] != "application/x-protobuf":
            self.send_error(404 if signal is None else 415)
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = self.receiver.keep(signal, body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Stay silent: a line per request would drown the output of a failing test."""


class _GrpcServices(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc ships no types
    """The three OTLP services on raw bytes, so that what arrived is kept as it arrived."""

    def __init__(self, sink: OtlpSink) -> None:
        self._sink = sink

    def service(self, handler_call_details: Any) -> Any:
        signal = _SIGNAL_BY_GRPC_METHOD.get(handler_call_details.method)
        if signal is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda body, _context: self._sink.keep(signal, body))


@contextmanager
def _grpc_server(sink: OtlpSink) -> Iterator[int]:
    with ThreadPoolExecutor(_GRPC_WORKERS) as workers:
        server = grpc.server(workers, handlers=[_GrpcServices(sink)])
        port: int = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(grace=None).wait()


def _plain(value: AnyValue) -> AttributeValue:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_scalar(each) for each in value.array_value.values]
    return None if kind is None else _scalar(value)


def _scalar(value: AnyValue) -> Scalar:
    kind = value.WhichOneof("value")
    if kind is None or kind in {"array_value", "kvlist_value"}:
        raise ValueError(f"an attribute of kind {kind} is not expected here")
    scalar: Scalar = getattr(value, kind)
    return scalar
