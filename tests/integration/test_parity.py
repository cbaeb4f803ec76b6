"""In process and in the collector, equal spans in equal order get equal figures and equal verdicts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.sdk.exporter import CarbonSpanExporter
from otel_carbon.sdk.processor import CarbonSpanProcessor
from tests.support.corpus import captures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from opentelemetry.sdk.trace import ReadableSpan

    from otel_carbon.metrics.totals import Totals

FULL = EnrichSettings(full=True)
NO_LIMITS = SpanLimits(
    max_attributes=SpanLimits.UNSET,
    max_span_attributes=SpanLimits.UNSET,
    max_events=SpanLimits.UNSET,
    max_links=SpanLimits.UNSET,
)


@dataclass(frozen=True)
class RecordedSpan:
    """One span of a capture with what stands around it."""

    resource: ResourceMessage
    scope: InstrumentationScope
    span: Span

    def body(self) -> bytes:
        """A request with this span only."""
        return body_of([self])


def body_of(spans: Sequence[RecordedSpan]) -> bytes:
    """A request with spans in this order, each under its own resource and scope."""
    request = ExportTraceServiceRequest()
    for each in spans:
        resource_spans = request.resource_spans.add(resource=each.resource)
        resource_spans.scope_spans.add(scope=each.scope).spans.append(each.span)
    return request.SerializeToString()


def recorded_spans(bodies: Sequence[bytes]) -> Iterator[RecordedSpan]:
    for body in bodies:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    yield RecordedSpan(resource_spans.resource, scope_spans.scope, span)


CAPTURES = {each.name: list(recorded_spans(each.traces)) for each in captures() if each.traces}
ORDERS: dict[str, Callable[[list[RecordedSpan]], list[RecordedSpan]]] = {
    "as sent": list,
    "by end": lambda spans: sorted(spans, key=lambda each: each.span.end_time_unix_nano),
    "backwards": lambda spans: spans[::-1],
    "shuffled": lambda spans: random.Random(7).sample(spans, len(spans)),
    "sent twice": lambda spans: spans + spans,
}


class RecordedIds(IdGenerator):
    """Gives the next span the ids it had when it was recorded."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class Application:
    """Ends recorded spans once more, through tracers of the real SDK."""

    def __init__(self, **processors: Any) -> None:
        self._ids = RecordedIds()
        self._processors = list(processors.values())
        self._providers: dict[bytes, TracerProvider] = {}

    def replay(self, recorded: RecordedSpan) -> None:
        """Start the span with all it had, and end it when it ended."""
        span = recorded.span
        self._ids.trace_id = int.from_bytes(span.trace_id, "big")
        self._ids.span_id = int.from_bytes(span.span_id, "big")
        scope = recorded.scope
        live = (
            self._provider(recorded.resource)
            .get_tracer(scope.name, scope.version or None)
            .start_span(
                span.name,
                context=_context_of_parent(span),
                kind=trace.SpanKind(max(span.kind - 1, 0)),
                attributes=python_attributes(span.attributes),
                start_time=span.start_time_unix_nano,
            )
        )
        if span.status.code:
            live.set_status(trace.StatusCode(span.status.code), span.status.message or None)
        live.end(span.end_time_unix_nano)

    def _provider(self, resource: ResourceMessage) -> TracerProvider:
        """The provider of a resource; all share the processors, as those of one process do."""
        key = resource.SerializeToString()
        if key not in self._providers:
            provider = self._providers[key] = TracerProvider(
                sampler=ALWAYS_ON,
                resource=Resource(python_attributes(resource.attributes)),
                id_generator=self._ids,
                span_limits=NO_LIMITS,
                shutdown_on_exit=False,
            )
            for processor in self._processors:
                provider.add_span_processor(processor)
        return self._providers[key]


def _context_of_parent(span: Span) -> Any:
    if not span.parent_span_id:
        return trace.set_span_in_context(trace.INVALID_SPAN)
    trace_id, parent_id = (int.from_bytes(each, "big") for each in (span.trace_id, span.parent_span_id))
    parent = trace.SpanContext(trace_id, parent_id, is_remote=False, trace_flags=trace.TraceFlags(1))
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))


def python_attributes(pairs: Sequence[KeyValue]) -> dict[str, Any]:
    return {pair.key: python_value(pair.value) for pair in pairs}


def python_value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [python_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return python_attributes(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def ours(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Our attributes; floats as their exact digits, so that equal means equal to the last bit."""
    found = {key: value for key, value in attributes.items() if key.startswith("otel_carbon.")}
    return {key: value.hex() if isinstance(value, float) else _listed(value) for key, value in found.items()}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def booked(totals: Totals) -> Any:
    """Everything that was booked, with verdicts by scope."""
    snapshot = totals.snapshot()
    return snapshot.rows, snapshot.operations, snapshot.spans, snapshot.dropped_series


def in_process(spans: Sequence[RecordedSpan]) -> tuple[list[dict[str, Any]], Any]:
    """Our attributes of each span in turn, and what was booked."""
    carbon = CarbonSpanProcessor(settings=FULL, meter_provider=MeterProvider(shutdown_on_exit=False))
    exporter = InMemorySpanExporter()
    application = Application(exporting=SimpleSpanProcessor(exporter), carbon=carbon)
    for each in spans:
        application.replay(each)
    assert carbon.missed == 0
    return [ours(span.attributes or {}) for span in exporter.get_finished_spans()], booked(carbon.totals)


def in_collector(bodies: Sequence[bytes]) -> tuple[list[dict[str, Any]], Any]:
    """Our attributes of each span in turn, and what was booked."""
    enricher = Enricher(Registry.bundled(), FULL)
    enrich = TracesEnricher(enricher)
    enriched = recorded_spans([enrich(body) for body in bodies])
    return [ours(python_attributes(each.span.attributes)) for each in enriched], booked(enricher.totals)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CAPTURES)
def test_spans_one_by_one_are_judged_alike(name: str, order: str) -> None:
    spans = ORDERS[order](CAPTURES[name])
    attributes, totals = in_process(spans)
    expected, expected_totals = in_collector([each.body() for each in spans])
    assert len(attributes) == len(spans)
    assert attributes == expected
    assert totals == expected_totals


def test_the_captures_hold_what_is_compared() -> None:
    everything = [each for spans in CAPTURES.values() for each in spans]
    attributes, _totals = in_process(everything)
    statuses = {found.get("otel_carbon.status", "none") for found in attributes}
    assert statuses == {"estimated", "unestimated", "aggregate", "duplicate", "none"}


@dataclass
class Keeper(SpanExporter):
    """Keeps the spans of a batch."""

    spans: Sequence[ReadableSpan] = ()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans = spans
        return SpanExportResult.SUCCESS


@pytest.mark.parametrize("order", ["as sent", "shuffled"])
@pytest.mark.parametrize("name", CAPTURES)
def test_spans_of_one_batch_are_judged_alike(name: str, order: str) -> None:
    spans = ORDERS[order](CAPTURES[name])
    plain, keeper = InMemorySpanExporter(), Keeper()
    application = Application(exporting=SimpleSpanProcessor(plain))
    for each in spans:
        application.replay(each)
    exporter = CarbonSpanExporter(keeper, settings=FULL, meter_provider=MeterProvider(shutdown_on_exit=False))
    exporter.export(plain.get_finished_spans())
    expected, expected_totals = in_collector([body_of(spans)])
    assert [ours(span.attributes or {}) for span in keeper.spans] == expected
    assert booked(exporter._domain.enricher.totals) == expected_totals
