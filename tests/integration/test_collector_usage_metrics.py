"""The collector counts a service from its metrics, once, whatever else that service sends of the same calls."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_carbon import attributes as ours
from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.config.load import parse_config
from tests.integration.collector_under_test import PROTOBUF, Running, counter
from tests.support.corpus import capture
from tests.support.otlp_sink import attributes_of
from tests.support.sdk_meter import CUMULATIVE, DELTA, SdkMeter
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.metrics.export import AggregationTemporality

    from tests.support.otlp_sink import OtlpSink

CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "localhost:0"}}, http: {{endpoint: "localhost:0"}}}}}}
processors:
  carbon: {{usage_source: {{services: {services}}}}}
exporters:
  otlp_http: {{endpoint: "{backend}"}}
  prometheus: {{endpoint: "localhost:0"}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [otlp_http, prometheus]}}
    metrics: {{receivers: [otlp], processors: [carbon], exporters: [otlp_http, prometheus]}}
    logs: {{receivers: [otlp], exporters: [otlp_http]}}
"""
APP = "corpus-app"
RECORDED = "genai-google"
"""A capture with spans, metrics and logs of the same four calls."""
CLAUDE, SONNET = "claude_code.token.usage", "claude-sonnet-4-5-20250929"


@contextmanager
def running(sink: OtlpSink, services: str) -> Iterator[Running]:
    """A collector as the command line builds it."""
    config = parse_config(CONFIG.format(services=services, backend=sink.http_endpoint), "test.yaml", {}).config
    collector = Collector(config, build_carbon=carbon_builder(None))
    collector.start()
    try:
        endpoints = collector.endpoints
        yield Running(collector, str(endpoints["receivers.otlp.grpc"]), f"http://{endpoints['receivers.otlp.http']}")
    finally:
        collector.stop(grace_s=1, drain_s=5)


def send(collector: Running, signal: str, body: bytes) -> None:
    answer = httpx.post(f"{collector.http}/v1/{signal}", content=body, headers=PROTOBUF)
    assert answer.status_code == 200, answer.text


def page(collector: Running) -> str:
    return httpx.get(f"{collector.page_url('exporters.prometheus')}/metrics").text


def as_if_just_started(body: bytes) -> bytes:
    """A recorded metrics request moved to now, so that its series begin after the collector."""
    request = ExportMetricsServiceRequest.FromString(body)
    now_ns = time.time_ns()
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        kind = metric.WhichOneof("data")
        assert kind is not None
        for point in getattr(metric, kind).data_points:
            point.start_time_unix_nano, point.time_unix_nano = now_ns, now_ns + 10**9
    return request.SerializeToString()


def recorded_metrics() -> bytes:
    (body,) = capture(RECORDED).metrics
    return as_if_just_started(body)


def test_spans_metrics_and_logs_of_the_same_calls_are_counted_once(otlp_sink: OtlpSink) -> None:
    recorded, metrics = capture(RECORDED), b""
    with running(otlp_sink, f"{{{APP}: metrics}}") as collector:
        metrics = recorded_metrics()
        for body in recorded.traces:
            send(collector, "traces", body)
        for body in recorded.logs:
            send(collector, "logs", body)
        send(collector, "metrics", metrics)
        text = page(collector)
        otlp_sink.wait_for_spans(recorded.span_count)
        wait_until(lambda: len(otlp_sink.bodies("metrics")) == 1, timeout_s=10, what="metrics at the backend")
        wait_until(lambda: otlp_sink.bodies("logs"), timeout_s=10, what="logs at the backend")
    truth = recorded.truth
    assert counter(text, "otel_carbon_tokens_total") == truth.calls_in_spans.input + truth.calls_in_spans.output
    assert counter(text, "otel_carbon_operations_total") == truth.calls_with_usage_in_spans
    assert counter(text, "otel_carbon_emissions_grams_total", otel_carbon_tier="token_physical") > 0
    assert b"".join(otlp_sink.bodies("metrics")) == metrics
    assert b"".join(otlp_sink.bodies("logs")) == b"".join(recorded.logs)


def test_the_spans_of_such_a_service_say_why_they_are_not_counted(otlp_sink: OtlpSink) -> None:
    recorded = capture(RECORDED)
    with running(otlp_sink, f"{{{APP}: metrics}}") as collector:
        for body in recorded.traces:
            send(collector, "traces", body)
        spans = otlp_sink.wait_for_spans(recorded.span_count)
        assert counter(page(collector), "otel_carbon_operations_total") == 0
    marked = [span for span in spans if ours.STATUS in span.attributes]
    assert len(marked) == truth_of_marked(recorded.traces)
    for span in marked:
        own = {key: value for key, value in span.attributes.items() if key.startswith(ours.ROOT)}
        assert own == {ours.STATUS: ours.STATUS_DUPLICATE, ours.REASON: "usage_from_metrics"}


def truth_of_marked(bodies: tuple[bytes, ...]) -> int:
    """How many spans are inferences, by their operation."""
    spans = [
        span
        for body in bodies
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    return sum(attributes_of(span.attributes).get("gen_ai.operation.name") == "generate_content" for span in spans)


def test_by_default_spans_count_and_metrics_pass_unread(otlp_sink: OtlpSink) -> None:
    recorded = capture(RECORDED)
    with running(otlp_sink, "{another: metrics}") as collector:
        metrics = recorded_metrics()
        send(collector, "metrics", metrics)
        assert counter(page(collector), "otel_carbon_tokens_total") == 0
        for body in recorded.traces:
            send(collector, "traces", body)
        text = page(collector)
        wait_until(lambda: otlp_sink.bodies("metrics") == [metrics], timeout_s=10, what="metrics at the backend")
    truth = recorded.truth
    assert (
        counter(text, "otel_carbon_operations_total", otel_carbon_status="estimated") == truth.calls_with_usage_in_spans
    )
    assert counter(text, "otel_carbon_tokens_total") == truth.calls_in_spans.input + truth.calls_in_spans.output
    assert counter(text, "otel_carbon_collector_usage_points_total") == 0


def claude_code_log() -> bytes:
    """The event that Claude Code logs for each request, with the usage that its metric counts too."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.add(key="service.name", value=AnyValue(string_value="claude-code"))
    texts = {"event.name": "api_request", "model": SONNET, "input_tokens": "8", "output_tokens": "1000"}
    resource_logs.scope_logs.add().log_records.add(
        body=AnyValue(string_value="claude_code.api_request"),
        attributes=[KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in texts.items()],
    )
    return request.SerializeToString()


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
def test_claude_code_is_counted_by_kind_of_token_and_its_events_are_not_added(
    otlp_sink: OtlpSink, temporality: AggregationTemporality
) -> None:
    with (
        running(otlp_sink, "{claude-code: metrics}") as collector,
        SdkMeter("claude-code", temporality=temporality) as meter,
    ):
        bodies = []
        for _ in range(2):
            for kind, tokens in (("input", 8), ("cacheRead", 118_000), ("cacheCreation", 9_000), ("output", 1_000)):
                meter.add(CLAUDE, tokens, type=kind, model=SONNET, session__id="s")
            bodies.append(meter.body())
        for body in (*bodies, *bodies):  # every request is delivered twice
            send(collector, "metrics", body)
        send(collector, "logs", claude_code_log())
        text = page(collector)
    kinds = {
        kind: counter(text, "otel_carbon_tokens_total", otel_carbon_token_type=kind, service_name="claude-code")
        for kind in ("input_uncached", "cache_read", "cache_write", "output_visible")
    }
    assert kinds == {
        "input_uncached": 2 * 8,
        "cache_read": 2 * 118_000,
        "cache_write": 2 * 9_000,
        "output_visible": 2 * 1_000,
    }
    points = {
        outcome: counter(text, "otel_carbon_collector_usage_points_total", outcome=outcome)
        for outcome in ("added", "repeated", "base_line")
    }
    assert points == {"added": 2 * 4, "repeated": 2 * 4, "base_line": 0}
    assert counter(text, "otel_carbon_collector_usage_series") == (0 if temporality is DELTA else 4)


def test_metrics_in_json_are_counted_too(otlp_sink: OtlpSink) -> None:
    with running(otlp_sink, '{"*": metrics}') as collector, SdkMeter("claude-code", temporality=DELTA) as meter:
        meter.add(CLAUDE, 1_000, type="output", model=SONNET)
        text = json_format.MessageToJson(ExportMetricsServiceRequest.FromString(meter.body()))
        answer = httpx.post(f"{collector.http}/v1/metrics", content=text, headers={"content-type": "application/json"})
        assert answer.status_code == 200
        assert counter(page(collector), "otel_carbon_tokens_total") == 1_000


def test_a_model_without_a_figure_is_told_of_once(otlp_sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING),
        running(otlp_sink, "{claude-code: metrics}") as collector,
        SdkMeter("claude-code", temporality=DELTA) as meter,
    ):
        for _ in range(2):
            meter.add(CLAUDE, 1_000, type="output", model="whisper-99")
            send(collector, "metrics", meter.body())
        text = page(collector)
    told = [record.getMessage() for record in caplog.records if "whisper-99" in record.getMessage()]
    (line,) = told
    assert line == (
        "metrics of claude-code name the model 'whisper-99', whose tokens are counted without a figure: "
        "model_not_registered: The registry has no energy coefficient for this model."
    )
    assert counter(text, "otel_carbon_tokens_total", gen_ai_response_model="whisper-99") == 2_000
    assert counter(text, "otel_carbon_energy_joules_total", gen_ai_response_model="whisper-99") == 0
