from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.collector.exporters.debug import SPANS_LIMIT, DebugExport
from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.sender import PermanentExportError
from otel_carbon.collector.signals import Batch, Signal
from otel_carbon.errors import MalformedBody
from tests.unit.otlp.messages import REQUESTS

CONTENT = "a secret question"


def request() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = "tests"
    span = scope_spans.spans.add(name="chat\nforged line", trace_id=b"\1" * 16, span_id=b"\2" * 8, kind=3)
    span.start_time_unix_nano, span.end_time_unix_nano = 1_000_000_000, 1_250_000_000
    span.attributes.add(key="gen_ai.prompt").value.string_value = CONTENT
    span.attributes.add(key="otel_carbon.of_somebody").value.string_value = CONTENT
    span.attributes.add(key="otel_carbon.status").value.string_value = "estimated"
    span.attributes.add(key="otel_carbon.energy_kwh").value.double_value = 0.5
    span.attributes.add(key="otel_carbon.tenant").value.string_value = "red\nforged line"
    assumptions = span.attributes.add(key="otel_carbon.assumptions").value.array_value
    assumptions.values.add(string_value="a")
    assumptions.values.add(string_value="b")
    return request


OURS = (
    "otel_carbon.status=estimated otel_carbon.energy_kwh=0.5 otel_carbon.tenant='red\\nforged line' "
    "otel_carbon.assumptions=[a, b]"
)
DETAILS = f"trace={'01' * 16} span={'02' * 8} parent=none kind=3 duration_ms=250 scope=tests"  # 1.25 s - 1 s


@pytest.mark.parametrize(
    ("verbosity", "lines"),
    [
        ("basic", []),
        ("normal", [f"debug:   'chat\\nforged line' {OURS}"]),
        ("detailed", [f"debug:   'chat\\nforged line' {DETAILS} {OURS}"]),
    ],
)
def test_each_verbosity_shows_what_it_says_and_never_content(
    caplog: pytest.LogCaptureFixture, verbosity: str, lines: list[str]
) -> None:
    caplog.set_level(logging.INFO)
    body = request().SerializeToString()
    assert DebugExport("debug", verbosity=verbosity).send(Batch(Signal.TRACES, body, 1)) == 0  # type: ignore[arg-type] # one of the three
    assert caplog.messages == [f"debug: traces: 1 spans, {len(body)} bytes", *lines]


def test_metrics_and_logs_are_a_line_for_a_batch(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    DebugExport("debug", verbosity="detailed").send(Batch(Signal.METRICS, b"12345", 2))
    assert caplog.messages == ["debug: metrics: 2 metric points, 5 bytes"]


def test_long_texts_and_long_batches_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    for _ in range(SPANS_LIMIT + 1):
        scope_spans.spans.add(name="n" * 200)
    DebugExport("debug", verbosity="normal").send(Batch(Signal.TRACES, request.SerializeToString(), SPANS_LIMIT + 1))
    assert len(caplog.messages) == 1 + SPANS_LIMIT
    assert caplog.messages[1] == f"debug:   '{'n' * 80}...'"


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(body=REQUESTS)
def test_whatever_comes_is_lines_of_their_own_or_refused(caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    caplog.set_level(logging.INFO)
    caplog.clear()
    try:
        items = count_items(Signal.TRACES, body)
        DebugExport("debug", verbosity="detailed").send(Batch(Signal.TRACES, body, items))
    except (MalformedBody, PermanentExportError):
        return
    assert all(message.startswith("debug: ") and "\n" not in message for message in caplog.messages)
