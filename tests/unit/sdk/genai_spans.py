"""GenAI spans made with the real SDK, and what the SDK's own exporters and metric readers saw of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState, set_span_in_context

from otel_carbon.sdk.processor import CarbonSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


OURS = "otel_carbon."
INPUT_TOKENS = 800
OUTPUT_TOKENS = 300
MODEL = "gpt-4o-2024-08-06"
_numbers = itertools.count()

CORE_KEYS = {
    "otel_carbon.status",
    "otel_carbon.energy_kwh",
    "otel_carbon.energy_kwh_low",
    "otel_carbon.energy_kwh_high",
    "otel_carbon.emissions_gco2e",
    "otel_carbon.emissions_gco2e_low",
    "otel_carbon.emissions_gco2e_high",
    "otel_carbon.water_l",
    "otel_carbon.coefficient_id",
    "otel_carbon.grid_id",
    "otel_carbon.tier",
    "otel_carbon.confidence",
    "otel_carbon.registry_version",
}


def call_attributes(**changed: Any) -> dict[str, Any]:
    """Attributes of one chat call with a response id of its own; `changed` are keys with `__` for the dots."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": MODEL,
        "gen_ai.response.id": f"resp-{next(_numbers)}",
        "gen_ai.usage.input_tokens": INPUT_TOKENS,
        "gen_ai.usage.output_tokens": OUTPUT_TOKENS,
        "server.address": "api.openai.com",
    }
    return attributes | {key.replace("__", "."): value for key, value in changed.items()}


def ours(span: ReadableSpan | Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that we added."""
    attributes = (span.attributes or {}) if isinstance(span, ReadableSpan) else span
    return {key: value for key, value in attributes.items() if key.startswith(OURS)}


class ForwardsStartAndEnd(SpanProcessor):
    """A wrapper that knows nothing of `_on_ending`, like those of some vendors' set-ups."""

    def __init__(self, inner: SpanProcessor) -> None:
        self._inner = inner

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._inner.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self._inner.on_end(span)


def silent_provider(**options: Any) -> TracerProvider:
    """A tracer provider that leaves no exit handler behind."""
    return TracerProvider(shutdown_on_exit=False, **options)


@dataclass(frozen=True, slots=True)
class Application:
    """One tracer provider with a carbon processor in a domain of its own, an exporter and a metric reader."""

    provider: TracerProvider
    carbon: CarbonSpanProcessor
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def call(self, attributes: Mapping[str, Any] | None = None) -> ReadableSpan:
        """Make one GenAI span and return it as exported."""
        tracer = self.provider.get_tracer("app")
        tracer.start_span("chat", kind=SpanKind.CLIENT, attributes=attributes or call_attributes()).end()
        return self.exporter.get_finished_spans()[-1]

    def sampled_call(self, trace_state: str) -> None:
        """Make one GenAI span below a remote, sampled one with this trace state."""
        state = TraceState.from_header([trace_state])
        parent = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=state))
        tracer = self.provider.get_tracer("app")
        tracer.start_span("chat", set_span_in_context(parent), SpanKind.CLIENT, call_attributes()).end()

    def operations(self) -> int:
        """How many calls were booked."""
        return sum(self.carbon.totals.snapshot().operations.values())

    def points(self) -> dict[str, list[tuple[float, dict[str, Any]]]]:
        """Values and attributes of all our points by metric, as the reader collects them now."""
        return points_of_reader(self.reader)


def application(processor_options: Mapping[str, Any] | None = None, **provider_options: Any) -> Application:
    """The application; the exporter stands after the carbon processor."""
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    provider = silent_provider(**provider_options)
    carbon = CarbonSpanProcessor(meter_provider=meters, **(processor_options or {}))
    provider.add_span_processor(carbon)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Application(provider, carbon, exporter, reader)


def points_of_reader(reader: InMemoryMetricReader) -> dict[str, list[tuple[float, dict[str, Any]]]]:
    """Values and attributes of all points by metric."""
    data = reader.get_metrics_data()
    if data is None:
        return {}
    metrics = [m for resource in data.resource_metrics for scope in resource.scope_metrics for m in scope.metrics]
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for metric in metrics:
        points: Any = metric.data.data_points
        found.setdefault(metric.name, []).extend((point.value, dict(point.attributes)) for point in points)
    return found


class Recorder(SpanExporter):
    """A delegate that keeps what it was asked."""

    def __init__(self, result: SpanExportResult = SpanExportResult.SUCCESS, *, flushes: bool = True) -> None:
        self.batches: list[Sequence[ReadableSpan]] = []
        self.asked: list[object] = []
        self._result, self._flushes = result, flushes

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.batches.append(spans)
        return self._result

    def shutdown(self) -> None:
        self.asked.append("shutdown")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.asked.append(timeout_millis)
        return self._flushes


def finished_spans(*all_attributes: dict[str, Any], **provider_options: Any) -> list[ReadableSpan]:
    """Spans without our attributes, one for each set of attributes."""
    plain = InMemorySpanExporter()
    provider = silent_provider(**provider_options)
    batch = BatchSpanProcessor(plain)
    provider.add_span_processor(batch)
    for attributes in all_attributes:
        provider.get_tracer("app").start_span("chat", kind=SpanKind.CLIENT, attributes=attributes).end()
    batch.force_flush()
    batch.shutdown()  # type: ignore[no-untyped-call]  # of the SDK
    return list(plain.get_finished_spans())
