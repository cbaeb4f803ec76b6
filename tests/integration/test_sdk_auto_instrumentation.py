"""`opentelemetry-instrument python app.py`: nothing of ours in the application's code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.automatic import COMMAND, OF_OTHERS, QUIET
from tests.support.exported_calls import printed_spans
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import CORE_KEYS, ours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink, ReceivedSpan

APPLICATION = """
from opentelemetry import trace
with trace.get_tracer("app").start_as_current_span("work"):
    with trace.get_tracer("app").start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300,
        })
"""
SAID_BY_THE_SDK = "OTEL_CONFIG_FILE is set; ignoring configurator kwargs"
WITHOUT_PROCESSOR = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"{OF_OTHERS},otel_carbon"}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application that knows the OpenTelemetry API only."""
    path = tmp_path / "app.py"
    path.write_text(APPLICATION, encoding="utf-8")
    return path


def run(app: Path, **variables: str) -> str:
    """What the application prints, when run as its documentation says; it may not complain."""
    done = programs.run([COMMAND, sys.executable, app], QUIET | variables)
    assert [line for line in done.stderr.splitlines() if not line.startswith(SAID_BY_THE_SDK)] == []
    return done.stdout


def printed_attributes(text: str) -> dict[str, dict[str, Any]]:
    """The attributes of the spans that a console exporter printed, by span name."""
    return {each["name"]: each["attributes"] for each in printed_spans(text)}


def received_attributes(spans: Sequence[ReceivedSpan]) -> dict[str, Mapping[str, Any]]:
    return {each.span.name: ours(each.attributes) for each in spans}


def test_the_span_in_the_backend_carries_its_footprint(app: Path) -> None:
    spans = printed_attributes(run(app, OTEL_TRACES_EXPORTER="console"))
    assert set(spans) == {"work", "chat gpt-4o"}
    assert set(ours(spans["chat gpt-4o"])) == CORE_KEYS
    assert spans["chat gpt-4o"]["otel_carbon.emissions_gco2e"] > 0
    assert ours(spans["work"]) == {}


@pytest.mark.parametrize("off", [WITHOUT_PROCESSOR, {"OTEL_CARBON_DISABLED": "true"}])
def test_it_can_be_switched_off_without_touching_the_application(app: Path, off: dict[str, str]) -> None:
    spans = printed_attributes(run(app, OTEL_TRACES_EXPORTER="console", **off))
    assert set(spans) == {"work", "chat gpt-4o"}
    assert ours(spans["chat gpt-4o"]) == {}


def test_the_exporter_is_chosen_by_its_name(app: Path, otlp_sink: OtlpSink) -> None:
    run(
        app,
        OTEL_TRACES_EXPORTER="otel_carbon",
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.http_endpoint,
        **WITHOUT_PROCESSOR,  # so that the exporter alone enriches
    )
    found = received_attributes(otlp_sink.wait_for_spans(2))
    assert (set(found["chat gpt-4o"]), found["work"]) == (CORE_KEYS, {})


def test_processor_and_exporter_together_count_once(app: Path, otlp_sink: OtlpSink) -> None:
    metrics = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    run(app, OTEL_TRACES_EXPORTER="otel_carbon", OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.http_endpoint, **metrics)
    assert set(received_attributes(otlp_sink.wait_for_spans(2))["chat gpt-4o"]) == CORE_KEYS
    operations = [
        point.as_int
        for request in otlp_sink.metric_requests()
        for resource_metrics in request.resource_metrics
        for scope_metrics in resource_metrics.scope_metrics
        for metric in scope_metrics.metrics
        if metric.name == "otel_carbon.operations"
        for point in metric.sum.data_points
    ]
    assert operations[-1:] == [1]


DECLARED = """
file_format: "1.0"
tracer_provider:
  processors:
    - {processor}:
        exporter:
          otel_carbon:
            exporter: {{{protocol}: {{endpoint: "{endpoint}"}}}}
"""


@pytest.mark.parametrize(("protocol", "processor"), [("otlp_http", "batch"), ("otlp_grpc", "simple")])
def test_the_exporter_can_be_declared_in_a_file(
    app: Path, otlp_sink: OtlpSink, tmp_path: Path, protocol: str, processor: str
) -> None:
    endpoint = f"{otlp_sink.http_endpoint}/v1/traces" if protocol == "otlp_http" else otlp_sink.grpc_endpoint
    config = tmp_path / "otel.yaml"
    config.write_text(DECLARED.format(processor=processor, protocol=protocol, endpoint=endpoint), encoding="utf-8")
    run(app, OTEL_CONFIG_FILE=str(config), **WITHOUT_PROCESSOR)
    found = received_attributes(otlp_sink.wait_for_spans(2))
    assert (set(found["chat gpt-4o"]), found["work"]) == (CORE_KEYS, {})


def test_a_mistake_in_the_file_is_named_and_the_application_runs(app: Path, tmp_path: Path) -> None:
    config = tmp_path / "otel.yaml"
    config.write_text(DECLARED.format(processor="simple", protocol="zipkin", endpoint="http://x"), encoding="utf-8")
    done = programs.run([COMMAND, sys.executable, app], QUIET | {"OTEL_CONFIG_FILE": str(config)})
    assert "exporter of otel_carbon must be one of otlp_http, otlp_grpc, console; got zipkin" in done.stderr
