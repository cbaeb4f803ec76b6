from __future__ import annotations

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.collector.item_counts import MAX_ENVELOPES, MAX_ITEMS, count_items, refuse_crowds
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import BodyTooLarge, MalformedBody


def test_spans_of_all_resources_and_scopes_are_counted() -> None:
    request = ExportTraceServiceRequest()
    for spans_in_scope in (2, 3):
        scope_spans = request.resource_spans.add().scope_spans.add()
        for number in range(spans_in_scope):
            scope_spans.spans.add(name=f"span {number}")
    assert count_items(Signal.TRACES, request.SerializeToString()) == 2 + 3


def test_log_records_are_counted() -> None:
    request = ExportLogsServiceRequest()
    scope_logs = request.resource_logs.add().scope_logs.add()
    for _ in range(4):
        scope_logs.log_records.add(severity_text="INFO")
    assert count_items(Signal.LOGS, request.SerializeToString()) == 4


def test_points_of_every_kind_of_metric_are_counted() -> None:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    kinds = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
    for points, kind in enumerate(kinds, start=1):
        metric = metrics.add(name=kind, description="text", unit="s")
        for _ in range(points):
            getattr(metric, kind).data_points.add(start_time_unix_nano=1)
    assert count_items(Signal.METRICS, request.SerializeToString()) == 1 + 2 + 3 + 4 + 5


@pytest.mark.parametrize("signal", list(Signal))
def test_an_empty_request_holds_nothing(signal: Signal) -> None:
    assert count_items(signal, b"") == 0


@pytest.mark.parametrize("signal", list(Signal))
@pytest.mark.parametrize("body", [b"hello", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05ab"])
def test_bytes_that_are_no_request_are_malformed(signal: Signal, body: bytes) -> None:
    with pytest.raises(MalformedBody, match=f"not an OTLP {signal.value} request"):
        count_items(signal, body)


def field(number: int, content: bytes) -> bytes:
    """A field of bytes as protobuf writes it."""
    length, size = len(content), b""
    while length > 0x7F:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


EMPTY_RESOURCE = field(1, b"")
EMPTY_SCOPE = EMPTY_ITEM = field(2, b"")


@pytest.mark.parametrize("signal", list(Signal))
@pytest.mark.parametrize(
    "body",
    [
        EMPTY_RESOURCE * (MAX_ENVELOPES + 1),
        field(1, EMPTY_SCOPE * (MAX_ENVELOPES + 1)),
        field(1, EMPTY_SCOPE * (MAX_ENVELOPES // 2 + 1)) * 2,
        field(1, field(2, EMPTY_ITEM * (MAX_ITEMS + 1))),
    ],
    ids=["resources", "scopes", "scopes of two resources", "items"],
)
def test_a_request_of_next_to_nothing_very_many_times_is_refused(signal: Signal, body: bytes) -> None:
    with pytest.raises(BodyTooLarge, match="the body holds more than"):
        count_items(signal, body)


def test_as_many_as_are_allowed_are_counted() -> None:
    assert count_items(Signal.TRACES, field(1, field(2, EMPTY_ITEM * MAX_ITEMS))) == MAX_ITEMS
    assert count_items(Signal.TRACES, EMPTY_RESOURCE * MAX_ENVELOPES) == 0


@pytest.mark.parametrize(
    ("signal", "body"),
    [
        (Signal.TRACES, EMPTY_RESOURCE * (MAX_ENVELOPES + 1)),
        (Signal.LOGS, field(1, EMPTY_SCOPE * (MAX_ENVELOPES + 1))),
        (Signal.TRACES, field(1, field(2, EMPTY_ITEM * (MAX_ITEMS + 1)))),
        (Signal.TRACES, field(1, b"\x08\x01" + EMPTY_SCOPE) * (MAX_ENVELOPES // 2 + 1)),
        (Signal.METRICS, field(1, field(2, field(2, field(5, EMPTY_RESOURCE * (MAX_ITEMS + 1)))))),
    ],
    ids=["resources", "scopes", "items", "one scope each", "points"],
)
def test_very_many_fields_are_refused_before_a_parser_makes_objects_of_them(signal: Signal, body: bytes) -> None:
    with pytest.raises(BodyTooLarge, match="the body holds more than"):
        refuse_crowds(signal, body)


def test_a_large_request_of_ordinary_items_is_counted() -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(30_000):
        spans.add(name=f"span {number:0100}")
    assert count_items(Signal.TRACES, request.SerializeToString()) == 30_000  # of 113 bytes or so: more than 2 MiB


@pytest.mark.parametrize("end", [b"\x0a", b"\x0a\xff\xff\xff\xff\x0f", b"\x07\x07"])
def test_a_large_body_that_makes_no_sense_is_malformed(end: bytes) -> None:
    with pytest.raises(MalformedBody):
        count_items(Signal.TRACES, field(1, field(2, EMPTY_ITEM * 400_000)) + end)
