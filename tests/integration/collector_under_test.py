"""A collector on loopback ports, the requests it is sent, and a backend that answers as scripted."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from otel_carbon.collector.app import Collector
from otel_carbon.collector.assembly import CarbonStage
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import MalformedBody

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from google.protobuf.message import Message

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
MARK = ExportTraceServiceRequest()
MARK.resource_spans.add(schema_url="appended by the carbon stage of the test")
RECEIVER = 'otlp: {protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}}'
DEAD_BACKEND = "otlp_http: {endpoint: 'http://127.0.0.1:9', sending_queue: {queue_size_bytes: 1}}"

_REQUESTS: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}


def trace_request(*names: str) -> bytes:
    """A request with one span for each name, and a field that no current version of OTLP knows."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    for name in names:
        scope_spans.spans.add(name=name, trace_id=b"t" * 16, span_id=b"s" * 8)
    unknown_field_1000 = b"\xc2\x3e\x03new"
    return request.SerializeToString() + unknown_field_1000


def metric_request() -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(as_int=1)
    return request.SerializeToString()


def log_request() -> bytes:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    return request.SerializeToString()


def append_mark(body: bytes) -> bytes:
    """A carbon stage that visibly changes the bytes."""
    return body + MARK.SerializeToString()


def config_text(exporters: str, *, names: str, processors: str = "", receiver: str = RECEIVER) -> str:
    """All three signals from one receiver to the named exporters."""
    return f"""
receivers:
  {receiver}
processors:
  carbon:
exporters:
  {exporters}
extensions:
  health_check: {{endpoint: "localhost:0"}}
service:
  extensions: [health_check]
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [{names}]}}
    metrics: {{receivers: [otlp], exporters: [{names}]}}
    logs: {{receivers: [otlp], exporters: [{names}]}}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A started collector and the addresses of its parts."""

    collector: Collector
    grpc: str
    http: str

    def page_url(self, name: str) -> str:
        return f"http://{self.collector.endpoints[name]}"


@contextmanager
def running_collector(text: str, *, drain_s: float = 5.0) -> Iterator[Running]:
    """Start a collector from the text of a configuration; the carbon stage is `append_mark`."""
    config = parse_config(text, "test.yaml", {}).config
    collector = Collector(
        config,
        build_carbon=lambda _config: CarbonStage(append_mark, lambda _accept: (b"", "text/plain; version=0.0.4")),
        json_decoders={signal: decoder(signal) for signal in Signal},
    )
    collector.start()
    try:
        endpoints = collector.endpoints
        yield Running(collector, str(endpoints["receivers.otlp.grpc"]), f"http://{endpoints['receivers.otlp.http']}")
    finally:
        collector.stop(grace_s=1, drain_s=drain_s)


def decoder(signal: Signal) -> Any:
    """OTLP JSON without ids, by protobuf's own JSON mapping: the transport does not care which codec it calls."""

    def decode(body: bytes) -> bytes:
        try:
            return json_format.Parse(body, _REQUESTS[signal]()).SerializeToString()
        except json_format.ParseError as error:
            raise MalformedBody("the body is no OTLP JSON") from error

    return decode


def counter(page: str, name: str, **labels: str) -> float:
    """Sum of the samples of one name on a metrics page that carry the labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@dataclass(slots=True)
class ScriptedBackend:
    """An OTLP/HTTP backend whose answers are scripted: (status, headers, body); afterwards it accepts all."""

    endpoint: str = ""
    script: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    accepting: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            self.requests.append((path, headers, body))
            if not self.accepting.is_set():
                return 503, {"retry-after": "0"}, b""
            return self.script.pop(0) if self.script else (200, {}, b"")


@contextmanager
def scripted_backend(
    *script: tuple[int, dict[str, str], bytes], accepting: bool = True, tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedBackend]:
    backend = ScriptedBackend(script=list(script))
    if accepting:
        backend.accepting.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the client gave up before it had sent all
                self.close_connection = True
                return
            sent = {name.lower(): value for name, value in self.headers.items()}
            status, headers, answer = backend.answer(self.path, sent, body)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        backend.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        try:
            yield backend
        finally:
            server.shutdown()
            thread.join()
