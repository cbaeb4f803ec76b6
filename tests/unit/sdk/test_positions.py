from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_carbon import TokenUsage, estimate
from otel_carbon.core.footprint import Footprint
from otel_carbon.registry.catalog import Registry
from otel_carbon.sdk.processor import CarbonSpanProcessor
from tests.unit.sdk.genai_spans import (
    CORE_KEYS,
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    ForwardsStartAndEnd,
    application,
    call_attributes,
    ours,
    silent_provider,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider


def carbon_processor(**options: Any) -> CarbonSpanProcessor:
    """A processor in a counting domain of its own."""
    return CarbonSpanProcessor(meter_provider=MeterProvider(shutdown_on_exit=False), **options)


def one_call(provider: TracerProvider, **changed: Any) -> None:
    provider.get_tracer("app").start_span("chat", attributes=call_attributes(**changed)).end()


def operations(carbon: CarbonSpanProcessor) -> int:
    return sum(carbon.totals.snapshot().operations.values())


class Snapshots(InMemorySpanExporter):
    """Keeps the attributes as they were at the moment of the export: spans share theirs with the live span."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    def export(self, spans: Any) -> Any:
        self.seen += [dict(span.attributes or {}) for span in spans]
        return super().export(spans)


@pytest.fixture(params=["simple", "batch"])
def exporting(request: pytest.FixtureRequest) -> Iterator[tuple[SpanProcessor, Snapshots]]:
    exporter = Snapshots()
    processor = SimpleSpanProcessor(exporter) if request.param == "simple" else BatchSpanProcessor(exporter)
    yield processor, exporter
    processor.shutdown()


def test_the_attributes_are_the_estimate_of_the_same_usage() -> None:
    expected = estimate(TokenUsage("openai", MODEL, INPUT_TOKENS, OUTPUT_TOKENS))
    assert isinstance(expected, Footprint)
    found = ours(application().call())
    assert set(found) == CORE_KEYS
    assert found["otel_carbon.emissions_gco2e"] == expected.mid.emissions_gco2e
    assert found["otel_carbon.energy_kwh"] == expected.mid.energy_kwh
    assert found["otel_carbon.water_l"] == expected.mid.water_l


@pytest.mark.parametrize("position", ["before", "after"])
@pytest.mark.parametrize("wrap", [lambda processor: processor, ForwardsStartAndEnd], ids=["plain", "wrapped"])
def test_an_exporter_sees_the_attributes_wherever_the_processor_stands(
    exporting: tuple[SpanProcessor, Snapshots], position: str, wrap: Any
) -> None:
    processor, exporter = exporting
    carbon = carbon_processor()
    provider = silent_provider()
    chain = [wrap(carbon), processor] if position == "before" else [processor, wrap(carbon)]
    for each in chain:
        provider.add_span_processor(each)
    one_call(provider)
    assert processor.force_flush()
    assert [set(ours(seen)) for seen in exporter.seen] == [CORE_KEYS]
    assert (carbon.missed, operations(carbon)) == (0, 1)


def test_exporters_on_both_sides_see_the_same() -> None:
    first, second = Snapshots(), Snapshots()
    provider = silent_provider()
    for processor in (SimpleSpanProcessor(first), carbon_processor(), SimpleSpanProcessor(second)):
        provider.add_span_processor(processor)
    one_call(provider)
    assert set(ours(first.seen[0])) == CORE_KEYS
    assert first.seen == second.seen


def test_processors_called_in_parallel_see_the_attributes() -> None:
    exporters = [Snapshots(), Snapshots()]
    carbon = carbon_processor()
    parallel = ConcurrentMultiSpanProcessor(num_threads=3)
    provider = silent_provider(active_span_processor=parallel)
    for processor in (SimpleSpanProcessor(exporters[0]), carbon, SimpleSpanProcessor(exporters[1])):
        provider.add_span_processor(processor)
    for _ in range(20):
        one_call(provider)
    assert [[set(ours(seen)) for seen in exporter.seen] for exporter in exporters] == [[CORE_KEYS] * 20] * 2
    assert (carbon.missed, operations(carbon)) == (0, 20)
    parallel._executor.shutdown()  # the class leaves its threads to the end of the process


@pytest.mark.parametrize("told_in_time", [True, False], ids=["plain", "wrapped"])
def test_a_call_that_began_before_the_processor_came_is_booked_and_enriched_where_we_are_told_in_time(
    *, told_in_time: bool
) -> None:
    provider = silent_provider()
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    span = tracer.start_span("chat", attributes=call_attributes())
    other = tracer.start_span("GET /", attributes={"http.request.method": "GET"})
    step = tracer.start_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"})
    carbon = carbon_processor()
    provider.add_span_processor(carbon if told_in_time else ForwardsStartAndEnd(carbon))
    for each in (span, other, step):
        each.end()
    aggregate = {"otel_carbon.status", "otel_carbon.reason"}
    written = [CORE_KEYS, set(), aggregate] if told_in_time else [set(), set(), set()]
    assert [set(ours(each)) for each in exporter.get_finished_spans()] == written
    missed = 0 if told_in_time else 1
    assert (carbon.missed, operations(carbon)) == (missed, 1)
    one_call(provider)
    assert set(ours(exporter.get_finished_spans()[-1])) == CORE_KEYS
    assert (carbon.missed, operations(carbon)) == (missed, 2)


def test_a_processor_of_two_providers_is_told_by_one_and_watches_the_spans_of_the_other() -> None:
    carbon, exporter = carbon_processor(), InMemorySpanExporter()
    plain, wrapping = silent_provider(), silent_provider()
    plain.add_span_processor(carbon)
    wrapping.add_span_processor(ForwardsStartAndEnd(carbon))
    for provider in (plain, wrapping):
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    for _ in range(3):
        one_call(plain)
        one_call(wrapping)
    assert [set(ours(span)) for span in exporter.get_finished_spans()] == [CORE_KEYS] * 6
    assert (carbon.missed, operations(carbon)) == (0, 6)


class KeepsAnIterator(SpanProcessor):
    """Looks at attributes in two goes: some before a span has ended, the rest after it."""

    def __init__(self) -> None:
        self.begun: Iterator[str] = iter(())
        self.seen: list[str] = []

    def _on_ending(self, span: Span) -> None:
        self.begun = iter(span.attributes or {})

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - SDK signature
        self.seen = list(self.begun)


def test_whoever_is_reading_the_attributes_when_the_span_ends_reads_on_undisturbed() -> None:
    reader, provider = KeepsAnIterator(), silent_provider()
    for processor in (reader, carbon_processor()):
        provider.add_span_processor(processor)
    for _ in range(2):  # the first is watched, the second told of
        one_call(provider)
        assert set(call_attributes()) <= set(reader.seen)


def test_a_processor_that_is_wrapped_later_loses_one_span_and_watches_the_others() -> None:
    carbon, exporter, provider = carbon_processor(), InMemorySpanExporter(), silent_provider()
    for processor in (carbon, SimpleSpanProcessor(exporter)):
        provider.add_span_processor(processor)
    one_call(provider)
    several = provider._active_span_processor
    several._span_processors = tuple(ForwardsStartAndEnd(each) for each in several._span_processors)
    for _ in range(3):
        one_call(provider)
    assert [bool(ours(span)) for span in exporter.get_finished_spans()] == [True, False, True, True]
    assert (carbon.missed, operations(carbon)) == (1, 4)


def test_of_two_domains_the_first_judges_even_if_the_second_one_is_wrapped() -> None:
    first, second, provider = carbon_processor(), carbon_processor(), silent_provider()
    for processor in (first, ForwardsStartAndEnd(second)):
        provider.add_span_processor(processor)
    for _ in range(3):
        one_call(provider)
    assert (operations(first), operations(second)) == (3, 0)


def test_a_finished_span_whose_attributes_are_a_plain_dict_is_booked() -> None:
    carbon, source = carbon_processor(), application()
    for attributes in (call_attributes(), None):
        span = source.call()
        span._attributes = attributes  # as a redacting wrapper hands on
        carbon.on_end(span)
    assert (carbon.missed, operations(carbon)) == (1, 1)


def test_a_span_that_stays_without_attributes_is_seen_once_by_two_processors() -> None:
    carbon = carbon_processor()
    provider = silent_provider()
    for processor in (carbon, carbon_processor()):
        provider.add_span_processor(processor)
    for _ in range(2):  # the first is watched, the second told of
        provider.get_tracer("app").start_span("tool", attributes={"gen_ai.operation.name": "execute_tool"}).end()
    assert sum(carbon.totals.snapshot().spans.values()) == 2


@pytest.mark.parametrize("times", [2, 3])
def test_a_processor_added_again_changes_nothing(times: int) -> None:
    carbon, exporter = carbon_processor(), InMemorySpanExporter()
    provider = silent_provider()
    for _ in range(times):
        provider.add_span_processor(carbon)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    one_call(provider)
    assert [set(ours(span)) for span in exporter.get_finished_spans()] == [CORE_KEYS]
    assert (carbon.missed, operations(carbon)) == (0, 1)


def test_two_processors_of_the_shared_domain_on_one_provider_count_a_call_once() -> None:
    first, second = CarbonSpanProcessor(), CarbonSpanProcessor()
    assert first.totals is second.totals
    before = operations(first)
    provider = silent_provider()
    exporter = InMemorySpanExporter()
    for processor in (first, second, SimpleSpanProcessor(exporter)):
        provider.add_span_processor(processor)
    one_call(provider)
    assert set(ours(exporter.get_finished_spans()[0])) == CORE_KEYS
    assert operations(first) - before == 1
    assert (first.missed, second.missed) == (0, 0)


def test_of_two_domains_on_one_provider_only_the_first_judges() -> None:
    first, second = carbon_processor(), carbon_processor(registry=Registry.bundled())
    provider = silent_provider()
    for processor in (first, second):
        provider.add_span_processor(processor)
    one_call(provider)
    assert (operations(first), operations(second)) == (1, 0)


@pytest.mark.parametrize("same", ["response id", "shape and time"])
def test_one_call_seen_through_two_providers_of_a_domain_counts_once(same: str) -> None:
    carbon, exporter = carbon_processor(), InMemorySpanExporter()
    providers = silent_provider(), silent_provider()
    for provider in providers:
        provider.add_span_processor(carbon)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    changed = {"gen_ai__response__id": "one" if same == "response id" else ""}
    spans = [
        provider.get_tracer(f"instrumentation-{i}").start_span("chat", attributes=call_attributes(**changed))
        for i, provider in enumerate(providers)
    ]
    for span in spans:
        span.end()
    reason = "same_response_id" if same == "response id" else "same_shape"
    found = [ours(span) for span in exporter.get_finished_spans()]
    assert set(found[0]) == CORE_KEYS
    assert found[1] == {"otel_carbon.status": "duplicate", "otel_carbon.reason": reason}
    assert operations(carbon) == 1


def test_an_inference_below_an_agent_counts_and_the_agent_does_not() -> None:
    app = application()
    tracer = app.provider.get_tracer("app")
    usage = {"gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300}
    with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent", **usage}):
        app.call()
    agent: ReadableSpan = app.exporter.get_finished_spans()[-1]
    assert ours(agent) == {"otel_carbon.status": "aggregate", "otel_carbon.reason": "aggregate_operation"}
    assert app.operations() == 1


def test_spans_of_others_are_left_as_they_are() -> None:
    app = application()
    with app.provider.get_tracer("app").start_as_current_span("GET /", attributes={"http.request.method": "GET"}):
        pass
    span = app.exporter.get_finished_spans()[0]
    assert dict(span.attributes or {}) == {"http.request.method": "GET"}
    assert app.carbon.totals.snapshot().spans == {}


def test_a_wrapper_that_someone_put_around_end_is_kept() -> None:
    app = application()
    span = app.provider.get_tracer("app").start_span("chat", attributes=call_attributes())
    inner, ended = span.end, []

    def end(end_time: int | None = None) -> None:
        ended.append(end_time)
        inner(end_time)

    span.end = end  # type: ignore[method-assign]  # as other instrumentations do
    span.end(span.start_time + 5)  # type: ignore[attr-defined]  # a span of the SDK knows when it started
    exported = app.exporter.get_finished_spans()[0]
    assert set(ours(exported)) == CORE_KEYS
    assert ended == [exported.end_time]
    assert trace.get_current_span() is trace.INVALID_SPAN
