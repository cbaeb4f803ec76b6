from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_codec import logs_from_json, metrics_from_json, traces_from_json
from otel_carbon.otlp.json_writer import json_from_logs, json_from_metrics, json_from_traces
from tests.support.corpus import captures
from tests.unit.otlp.messages import REQUESTS, canonical


def test_a_span_is_written_as_otlp_json_demands() -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes(range(16)), span_id=b"\xff" * 8)
    span.parent_span_id, span.name, span.kind = b"\1" * 8, "ü\u2028", span.SPAN_KIND_CLIENT
    span.start_time_unix_nano = 1_780_000_000_000_000_001
    span.status.code = span.status.STATUS_CODE_ERROR
    span.attributes.add(key="traceId").value.int_value = 2**60
    span.attributes.add(key="raw").value.bytes_value = b"\0\1"
    span.links.add(trace_id=b"\2" * 16, span_id=b"\3" * 8)
    written = json_from_traces(request.SerializeToString())
    assert b"\n" not in written
    assert json.loads(written)["resourceSpans"][0]["scopeSpans"][0]["spans"] == [
        {
            "traceId": "000102030405060708090a0b0c0d0e0f",
            "spanId": "ffffffffffffffff",
            "parentSpanId": "0101010101010101",
            "name": "ü\u2028",
            "kind": 3,
            "startTimeUnixNano": "1780000000000000001",
            "attributes": [
                {"key": "traceId", "value": {"intValue": str(2**60)}},
                {"key": "raw", "value": {"bytesValue": "AAE="}},
            ],
            "links": [{"traceId": "02" * 16, "spanId": "03" * 8}],
            "status": {"code": 2},
        }
    ]


@settings(suppress_health_check=[HealthCheck.too_slow])  # the requests are drawn slowly on a busy machine
@given(body=REQUESTS)
def test_every_request_that_can_be_read_comes_back_from_its_json(body: bytes) -> None:
    try:
        written = json_from_traces(body)
    except MalformedBody:
        return  # drawn with text that is not UTF-8, which JSON cannot hold
    assert canonical(traces_from_json(written)) == without_unknown_fields(body)


def without_unknown_fields(body: bytes) -> bytes:
    """JSON has names for the fields of this version of OTLP only."""
    request = ExportTraceServiceRequest.FromString(body)
    request.DiscardUnknownFields()
    return request.SerializeToString(deterministic=True)


def test_every_recording_comes_back_from_its_json() -> None:
    for body in (each for recorded in captures() for each in recorded.traces):
        assert canonical(traces_from_json(json_from_traces(body))) == canonical(body)


def test_metrics_and_logs_come_back_with_the_ids_of_their_exemplars() -> None:
    metrics = ExportMetricsServiceRequest()
    point = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").histogram.data_points.add(count=3)
    point.exemplars.add(as_double=float("inf"), trace_id=b"\4" * 16, span_id=b"\5" * 8)
    body = metrics.SerializeToString()
    written = json_from_metrics(body)
    assert b'"traceId":"' + b"04" * 16 in written
    assert ExportMetricsServiceRequest.FromString(metrics_from_json(written)) == metrics
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO", trace_id=b"\6" * 16)
    assert ExportLogsServiceRequest.FromString(logs_from_json(json_from_logs(logs.SerializeToString()))) == logs


@pytest.mark.parametrize("write", [json_from_traces, json_from_metrics, json_from_logs])
def test_what_is_no_request_is_refused(write: object) -> None:
    assert callable(write)
    with pytest.raises(MalformedBody, match="that JSON can hold"):
        write(b"\x0a\xff\xff")
