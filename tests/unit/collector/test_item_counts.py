from __future__ import annotations

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import MalformedBody


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
