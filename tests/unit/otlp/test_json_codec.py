from __future__ import annotations

import json
import time
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.json_codec import MAX_NODES, logs_from_json, metrics_from_json, traces_from_json
from tests.support.corpus import captures
from tests.unit.otlp.messages import REQUESTS, inference_span, otlp_json, request_of


def canonical_traces(body: bytes) -> bytes:
    request = ExportTraceServiceRequest.FromString(body)
    request.DiscardUnknownFields()  # which JSON cannot carry
    return request.SerializeToString(deterministic=True)


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_recordings_are_the_same_through_json(capture: Any) -> None:
    for bodies, kind, read in (
        (capture.traces, ExportTraceServiceRequest, traces_from_json),
        (capture.metrics, ExportMetricsServiceRequest, metrics_from_json),
        (capture.logs, ExportLogsServiceRequest, logs_from_json),
    ):
        for body in bodies:
            message = kind.FromString(body)
            message.DiscardUnknownFields()
            assert kind.FromString(read(otlp_json(message))) == message


@pytest.mark.parametrize("names", [False, True], ids=["camelCase", "snake_case"])
@given(body=REQUESTS)
@settings(max_examples=60, deadline=None, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
def test_any_request_is_the_same_through_json(body: bytes, *, names: bool) -> None:
    message = ExportTraceServiceRequest.FromString(body)
    encoded = otlp_json(message, preserving_proto_field_name=names)
    assert canonical_traces(traces_from_json(encoded)) == canonical_traces(body)


def one_span(**fields: Any) -> bytes:
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"} | fields
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def read_span(body: bytes) -> Any:
    return ExportTraceServiceRequest.FromString(traces_from_json(body)).resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize("time", ["1780000000000000001", 1780000000000000001])
def test_64_bit_integers_come_as_text_or_number(time: Any) -> None:
    attributes = [{"key": "k", "value": {"intValue": time}}]
    span = read_span(one_span(startTimeUnixNano=time, attributes=attributes))
    assert (span.start_time_unix_nano, span.attributes[0].value.int_value) == (1780000000000000001,) * 2


@pytest.mark.parametrize("kind", [3, "SPAN_KIND_CLIENT"])
def test_enums_come_by_number_or_name(kind: Any) -> None:
    assert read_span(one_span(kind=kind)).kind == 3


def test_unknown_fields_are_ignored() -> None:
    span = read_span(one_span(later={"traceState": [1, {"x": None}]}, name="n"))
    assert (span.name, span.span_id.hex()) == ("n", "b7ad6b7169203331")


@pytest.mark.parametrize("parent", ["", None])
def test_an_absent_parent_may_be_spelled_out(parent: Any) -> None:
    assert read_span(one_span(parentSpanId=parent)).parent_span_id == b""


@pytest.mark.parametrize("trace_id", ["0AF7651916CD43DD8448EB211C80319C", "0af7651916cd43dd8448eb211c80319c"])
def test_ids_are_hex_in_either_case(trace_id: str) -> None:
    assert read_span(one_span(traceId=trace_id)).trace_id == bytes.fromhex(trace_id)


def test_an_empty_object_is_an_empty_request() -> None:
    assert traces_from_json(b"{}") == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"12",
        b'"text"',
        b"{",
        b"<html></html>",
        b"\xff\xfe{}",
        b'{"resourceSpans": 5}',
        b'{"resourceSpans": [5]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": {}}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "-1"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": {}}]}]}]}',
        b'{"resourceSpans": ' + b"[" * 100_000,
        b'{"x": ' * 200 + b"1" + b"}" * 200,
        b'{"resourceSpans": [{"schemaUrl": "\\ud800"}]}',
        b'{"resourceSpans": ["\\ud800"]}',
        b'{"resourceSpans": [{"\\ud800": 1}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 1e999}]}]}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"intValue": "99999999999999999999"}}]}}]}',
    ],
)
def test_what_is_no_request_in_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        traces_from_json(body)


def test_base64_ids_are_refused_unless_they_are_hex_by_chance() -> None:
    official = json_format.MessageToJson(request_of(inference_span()))
    with pytest.raises(MalformedBody, match="an id is no hex text"):
        traces_from_json(official.encode())


@pytest.mark.parametrize("unit", [b"{},", b"[],"])
def test_more_objects_than_any_request_has_are_refused_before_they_are_made(unit: bytes) -> None:
    body = b'{"resourceSpans":[' + unit * MAX_NODES + b"{}]}"
    began_s = time.process_time()
    with pytest.raises(BodyTooLarge, match="more than 4000000 objects and lists"):
        traces_from_json(body)
    assert time.process_time() - began_s < 1.0  # making them takes many seconds
