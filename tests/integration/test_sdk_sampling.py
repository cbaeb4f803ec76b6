"""Sampling with the SDK as applications set it up: by environment, and with thresholds that a collector reads."""

from __future__ import annotations

import itertools
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import SpanKind

from otel_carbon import metric_names
from otel_carbon.metrics.points import points_of
from otel_carbon.otlp.traces import TracesEnricher
from tests.unit.otlp.messages import fresh_enricher
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import call_attributes

if TYPE_CHECKING:
    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.totals import Totals
    from tests.support.otlp_sink import OtlpSink

INSTRUMENT = Path(sys.executable).parent / "opentelemetry-instrument"
CALLS = 100
APPLICATION = f"""
from opentelemetry import trace
tracer = trace.get_tracer("app")
for number in range({CALLS}):
    with tracer.start_as_current_span("work", kind=trace.SpanKind.SERVER):
        with tracer.start_as_current_span("chat gpt-4o") as span:  # internal, and its attributes come later
            span.set_attributes({{
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300, "gen_ai.response.id": str(number),
            }})
"""
OF_OTHERS = ",".join({each.name for each in entry_points(group="opentelemetry_instrumentor")} - {"otel_carbon"})


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application that knows the OpenTelemetry API only."""
    path = tmp_path / "app.py"
    path.write_text(APPLICATION, encoding="utf-8")
    return path


def run(app: Path, sink: OtlpSink, argument: str) -> str:
    """Run it sampled as the argument says; returns what it complains about."""
    variables = {
        "OTEL_TRACES_SAMPLER": "otel_carbon",
        "OTEL_TRACES_SAMPLER_ARG": argument,
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OF_OTHERS,  # which take seconds to load
    }
    return programs.run([INSTRUMENT, sys.executable, app], variables).stderr


def booked_operations(sink: OtlpSink) -> int:
    """Calls in the last metrics that arrived."""
    [request] = sink.metric_requests()[-1:]
    return sum(
        point.as_int
        for resource_metrics in request.resource_metrics
        for scope_metrics in resource_metrics.scope_metrics
        for metric in scope_metrics.metrics
        if metric.name == "otel_carbon.operations"
        for point in metric.sum.data_points
    )


def test_with_one_trace_in_ten_all_calls_are_booked_and_the_sampled_spans_exported(
    app: Path, otlp_sink: OtlpSink
) -> None:
    assert run(app, otlp_sink, "parentbased_traceidratio:0.1") == ""
    assert booked_operations(otlp_sink) == CALLS
    names = [received.span.name for received in otlp_sink.spans()]
    assert len(names) < 2 * CALLS  # that all of a hundred traces are sampled happens once in 10^100
    assert names.count("chat gpt-4o") == names.count("work")  # only whole traces


def test_with_nothing_sampled_all_calls_are_booked(app: Path, otlp_sink: OtlpSink) -> None:
    assert run(app, otlp_sink, "always_off;kinds=internal") == ""
    assert (booked_operations(otlp_sink), otlp_sink.spans()) == (CALLS, [])


def test_a_mistake_in_the_argument_is_logged_and_the_application_runs(app: Path, otlp_sink: OtlpSink) -> None:
    said = run(app, otlp_sink, "parentbased_traceidratio:ten")
    assert "otel_carbon: the sampler parentbased_traceidratio needs a probability from 0 to 1" in said
    assert booked_operations(otlp_sink) == CALLS


class EvenIds(RandomIdGenerator):
    """Trace ids evenly spread over the 56 bits of randomness."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def generate_trace_id(self) -> int:
        return (1 << 64) + ((2 * next(self._numbers) + 1 << 56) // (2 * CALLS))


def collected(sampler: Sampler) -> Totals:
    """What a collector books of `CALLS` equal calls, each in a trace of its own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, id_generator=EvenIds(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for _ in range(CALLS):
        with provider.get_tracer("app").start_as_current_span("chat", kind=SpanKind.CLIENT) as span:
            span.set_attributes(call_attributes())  # this sampler does not hand on those given at the start
    enricher = fresh_enricher()
    TracesEnricher(enricher)(encode_spans(exporter.get_finished_spans()).SerializeToString())
    return enricher.totals


def total(totals: Totals, metric: Metric) -> float:
    return sum(point.amount for point in points_of(totals.snapshot(), metric))


@pytest.mark.parametrize(("ratio", "sampled"), [(0.1, 10), (0.25, 25), (1.0, 100)])
def test_what_a_collector_extrapolates_from_the_thresholds_of_the_sdk_is_what_was_dropped(
    ratio: float, sampled: int
) -> None:
    experimental = pytest.importorskip("opentelemetry.sdk.trace._sampling_experimental", reason="needs a newer SDK")
    everything = collected(ALWAYS_ON)
    found = collected(experimental.composite_sampler(experimental.composable_traceid_ratio_based(ratio)))
    assert total(found, metric_names.OPERATIONS) == sampled
    for booked, unseen in (
        (metric_names.OPERATIONS, metric_names.SAMPLING_UNSEEN_OPERATIONS),
        (metric_names.ENERGY, metric_names.SAMPLING_UNSEEN_ENERGY),
        (metric_names.EMISSIONS, metric_names.SAMPLING_UNSEEN_EMISSIONS),
    ):
        assert total(found, booked) + total(found, unseen) == pytest.approx(total(everything, booked), rel=1e-6)
    assert total(everything, metric_names.SAMPLING_UNSEEN_OPERATIONS) == 0
