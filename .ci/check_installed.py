"""Checks an installed otel-carbon from outside the repository: one span enriched and counted, one exported.

Needs only what the base install brings, at any version it allows; run it with the Python of that installation.
"""

from __future__ import annotations

import math
import os
import sys
from importlib.metadata import version

from opentelemetry.sdk import _configuration as sdk_configuration
from opentelemetry.sdk.environment_variables import OTEL_TRACES_SAMPLER_ARG
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_carbon import (
    CarbonSampler,
    CarbonSpanExporter,
    CarbonSpanProcessor,
    Footprint,
    TokenUsage,
    estimate,
    instrument,
)

CALL: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-11-20",
    "gen_ai.usage.input_tokens": 800,
    "gen_ai.usage.output_tokens": 300,
}
ATTRIBUTE_LIMIT = 128
NOT_FOR_THE_BASE = ("pydantic", "ruamel", "rich", "grpc", "uvicorn", "httpx", "prometheus_client")


def main() -> None:
    """Exit with a message that says what is wrong, if anything is."""
    footprint = estimate(TokenUsage(provider="openai", model="gpt-4o-2024-11-20", input_tokens=800, output_tokens=300))
    if not isinstance(footprint, Footprint):
        sys.exit(f"no estimate: {footprint}")
    check_processor(footprint)
    check_exporter(footprint)
    check_full_span(footprint)
    check_sampler()
    check_instrument()
    loaded = [package for package in NOT_FOR_THE_BASE if package in sys.modules]
    expect(not loaded, f"the span processor loaded {loaded}")
    sdk = version("opentelemetry-sdk")
    sys.stdout.write(f"otel-carbon {version('otel-carbon')} works with opentelemetry-sdk {sdk}\n")


def check_processor(footprint: Footprint) -> None:
    """The exporter registered before our processor sees the attributes, and the counters hold the amounts."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    provider.add_span_processor(CarbonSpanProcessor(meter_provider=MeterProvider([reader])))
    make_call(provider)
    check_span(spans, footprint)
    metrics = reader.get_metrics_data()
    if metrics is None:
        sys.exit("the processor made no metrics")
    (scope,) = metrics.resource_metrics[0].scope_metrics
    totals: dict[str, float] = {}
    for metric in scope.metrics:
        totals[metric.name] = math.fsum(getattr(point, "value", math.nan) for point in metric.data.data_points)
    expect(totals["otel_carbon.emissions"] == footprint.emissions_gco2e.mid, f"found {totals}")
    expect(totals["otel_carbon.operations"] == 1, f"found {totals}")


def check_exporter(footprint: Footprint) -> None:
    """Spans reach the delegate enriched."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(CarbonSpanExporter(spans)))
    make_call(provider)
    check_span(spans, footprint)


def check_full_span(footprint: Footprint) -> None:
    """On a span that is full of attributes neither the model nor the figure is lost."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    provider.add_span_processor(CarbonSpanProcessor())
    make_call(provider, details=ATTRIBUTE_LIMIT - len(CALL))
    check_span(spans, footprint)


def check_sampler() -> None:
    """The SDK's own loader makes the sampler by its name; what is not sampled is counted and not exported."""
    os.environ[OTEL_TRACES_SAMPLER_ARG] = "parentbased_traceidratio:0"
    sampler = sdk_configuration._import_sampler("otel_carbon")  # as `opentelemetry-instrument` does
    del os.environ[OTEL_TRACES_SAMPLER_ARG]
    if not isinstance(sampler, CarbonSampler):
        sys.exit(f"OTEL_TRACES_SAMPLER=otel_carbon yields {sampler}")
    spans = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    carbon = CarbonSpanProcessor(meter_provider=MeterProvider([]))
    provider.add_span_processor(carbon)
    make_call(provider)
    expect(not spans.get_finished_spans(), "a span that was not sampled was exported")
    operations = carbon.totals.snapshot().operations
    expect(sum(operations.values()) == 1, f"found {operations}")


def check_instrument() -> None:
    """`instrument` finds a processor's place in a provider of the user's own."""
    provider = TracerProvider()
    expect(instrument(provider), "no processor was added")
    expect(instrument(provider), "a second call must change nothing")


def expect(holds: bool, otherwise: str) -> None:
    """Exit with a message unless it holds."""
    if not holds:
        sys.exit(otherwise)


def make_call(provider: TracerProvider, details: int = 0) -> None:
    """One span as an instrumentation writes it, with some more attributes."""
    with provider.get_tracer("check").start_as_current_span("chat gpt-4o") as span:
        for key, value in CALL.items():
            span.set_attribute(key, value)
        for i in range(details):
            span.set_attribute(f"app.detail.{i}", i)


def check_span(spans: InMemorySpanExporter, footprint: Footprint) -> None:
    """The one span has what `estimate` says."""
    (span,) = spans.get_finished_spans()
    attributes = dict(span.attributes or {})
    expect(attributes.get("otel_carbon.status") == "estimated", f"found {attributes}")
    expect(attributes["otel_carbon.emissions_gco2e"] == footprint.emissions_gco2e.mid, f"found {attributes}")
    expect(attributes["gen_ai.response.model"] == CALL["gen_ai.response.model"], f"found {attributes}")


if __name__ == "__main__":
    main()
