"""The backend of the demo: an OTLP receiver that keeps what the collector sends it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    AttributeValue = str | int | float | bool | tuple[str, ...]

_CONTENT_TYPE = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class ArrivedSpan:
    """A span as it came out of the pipeline; `start_ns` is Unix time in nanoseconds."""

    service: str
    scope: str
    name: str
    start_ns: int
    attributes: Mapping[str, AttributeValue]


class Backend:
    """Takes OTLP/HTTP on a free port of this machine and remembers the spans; use it in a `with` block."""

    def __init__(self) -> None:
        self._arrived: list[ArrivedSpan] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="demo backend", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where a collector's `otlp_http` exporter sends to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, body: bytes) -> None:
        """Remember the spans of one request."""
        spans = spans_from_request(ExportTraceServiceRequest.FromString(body))
        with self._changed:
            self._arrived += spans
            self._changed.notify_all()

    def wait_for(self, count: int, timeout_s: float) -> Sequence[ArrivedSpan]:
        """The spans that arrived, once there are `count` of them or `timeout_s` seconds have passed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._arrived) >= count, timeout_s)
            return tuple(self._arrived)


def spans_from_request(request: ExportTraceServiceRequest) -> list[ArrivedSpan]:
    """The spans of a request, each with the service of its resource."""
    spans = []
    for resource_spans in request.resource_spans:
        service = str(_attributes(resource_spans.resource.attributes).get("service.name", ""))
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                attributes = _attributes(span.attributes)
                spans.append(
                    ArrivedSpan(service, scope_spans.scope.name, span.name, span.start_time_unix_nano, attributes)
                )
    return spans


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, AttributeValue]:
    return {pair.key: _typed(pair.value) for pair in pairs}


def _typed(value: AnyValue) -> AttributeValue:
    match value.WhichOneof("value"):
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "array_value":
            return tuple(entry.string_value for entry in value.array_value.values)
        case _:
            return value.string_value


def _handler_for(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            backend.take(self.rfile.read(int(self.headers["content-length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", _CONTENT_TYPE)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Nothing: stderr belongs to the progress of the demo."""

    return Handler
