"""The demo's backend keeps what it is sent."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from otel_carbon.demo.arrivals import ArrivedSpan, Backend, spans_from_request

if TYPE_CHECKING:
    from otel_carbon.demo.arrivals import AttributeValue


def request(*names: str) -> ExportTraceServiceRequest:
    attributes = [
        KeyValue(key="text", value=AnyValue(string_value="t")),
        KeyValue(key="count", value=AnyValue(int_value=3)),
        KeyValue(key="amount", value=AnyValue(double_value=0.5)),
        KeyValue(key="flag", value=AnyValue(bool_value=True)),
        KeyValue(key="many", value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="x")]))),
    ]
    spans = [Span(name=name, start_time_unix_nano=7, attributes=attributes) for name in names]
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="svc"))])
    scoped = ScopeSpans(scope=InstrumentationScope(name="scope"), spans=spans)
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scoped])])


def test_spans_keep_service_scope_time_and_typed_attributes() -> None:
    attributes: dict[str, AttributeValue] = {"text": "t", "count": 3, "amount": 0.5, "flag": True, "many": ("x",)}
    assert spans_from_request(request("a")) == [ArrivedSpan("svc", "scope", "a", 7, attributes)]


def test_spans_of_several_requests_are_kept_and_waited_for() -> None:
    with Backend() as backend:
        sender = threading.Thread(target=post, args=(backend.url, request("a", "b"), request("c")))
        sender.start()
        arrived = backend.wait_for(3, timeout_s=10.0)
        sender.join()
    assert [span.name for span in arrived] == ["a", "b", "c"]


def test_waiting_ends_at_the_deadline_with_what_there_is() -> None:
    with Backend() as backend:
        assert backend.wait_for(1, timeout_s=0.01) == ()


def post(url: str, *messages: ExportTraceServiceRequest) -> None:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    for message in messages:
        connection.request("POST", "/v1/traces", message.SerializeToString())
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()
