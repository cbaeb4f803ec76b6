"""A collector with one of everything, and traffic that gives every panel of the dashboards something to show."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_carbon.demo.playback import play_service
from otel_carbon.demo.traffic import plan_traffic
from otel_carbon.registry.catalog import Registry
from tests.support.sdk_meter import SdkMeter

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

LAST_DAY = date(2026, 11, 22)
PROTOBUF = {"content-type": "application/x-protobuf"}
FROM_METRICS = "claude-code"
SAMPLED_CALLS = 4
EACH_STANDS_FOR = 4
"""The threshold `ot=th:c` lets through 1 in 4."""


def collector_config(backend: str, grid_table: str) -> str:
    """Everything that the collector has metrics of; one of its backends is not there."""
    return f"""
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: localhost:4317}}, http: {{endpoint: localhost:4318}}}}}}
processors:
  carbon:
    already_enriched: count
    hold: 200ms
    usage_source: {{services: {{{FROM_METRICS}: metrics}}}}
    grid_table: {grid_table}
exporters:
  otlp_http: {{endpoint: "{backend}"}}
  otlp_http/away:
    endpoint: "http://127.0.0.1:9"
    sending_queue: {{queue_size_bytes: 1}}
    retry_on_failure: {{initial_interval: 1ms, max_elapsed_time: 1ms}}
  prometheus: {{endpoint: localhost:9464}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [otlp_http, otlp_http/away, prometheus]}}
    metrics: {{receivers: [otlp], processors: [carbon], exporters: [otlp_http, otlp_http/away, prometheus]}}
    logs: {{receivers: [otlp], exporters: [otlp_http, otlp_http/away]}}
"""


def send_traffic(endpoint: str, seed: int) -> None:
    """Sample services at work, sampled calls, a service counted from its metrics, logs, and requests that are refused.

    Args:
        endpoint: of OTLP over HTTP.
        seed: of the sample services; another one makes other calls.
    """
    registry = Registry.bundled()
    for service in plan_traffic(LAST_DAY, seed=seed, scale=0.03).services:
        play_service(service, f"{endpoint}/v1/traces", registry)
    sampled = _sampled_calls(seed).SerializeToString()
    for _ in range(2):  # the second time they are repetitions
        _post(endpoint, "traces", sampled)
    with SdkMeter(FROM_METRICS) as meter:
        for _ in range(2):
            for kind in ("input", "output"):
                meter.add("claude_code.token.usage", 1000, type=kind, model="claude-sonnet-4-5-20250929")
            _post(endpoint, "metrics", meter.body())
    _post(endpoint, "logs", _log().SerializeToString())
    refused = httpx.post(f"{endpoint}/v1/traces", content=b"no protobuf", headers=PROTOBUF)
    assert refused.status_code == 400


def _post(endpoint: str, signal: str, body: bytes) -> None:
    answer = httpx.post(f"{endpoint}/v1/{signal}", content=body, headers=PROTOBUF)
    assert answer.status_code == 200, answer.text


def _sampled_calls(seed: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(_text("service.name", "sampled-app"))
    scope = resource.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.genai.openai"
    for number in range(SAMPLED_CALLS):
        _call(scope.spans.add(), f"{seed}-{number}")
    return request


def _call(span: Span, name: str) -> None:
    span.name, span.trace_state = "chat gpt-4o-mini", "ot=th:c"
    span.trace_id, span.span_id = f"{name:>16}".encode(), f"{name:>8}".encode()
    span.end_time_unix_nano = time.time_ns()
    span.start_time_unix_nano = span.end_time_unix_nano - 1_000_000_000
    texts = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.response.id": f"chatcmpl-{name}",
    }
    span.attributes.extend(_text(key, text) for key, text in texts.items())
    for key, tokens in (("gen_ai.usage.input_tokens", 800), ("gen_ai.usage.output_tokens", 300)):
        span.attributes.append(KeyValue(key=key, value=AnyValue(int_value=tokens)))


def _log() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    return request


def _text(key: str, text: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=text))
