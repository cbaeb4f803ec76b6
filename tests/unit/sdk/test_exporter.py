from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags

from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.sdk.exporter import CarbonSpanExporter
from tests.unit.sdk.genai_spans import (
    CORE_KEYS,
    OURS,
    Recorder,
    application,
    call_attributes,
    finished_spans,
    ours,
    silent_provider,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter


def exporter_to(delegate: SpanExporter, **options: Any) -> CarbonSpanExporter:
    """An exporter in a counting domain of its own."""
    return CarbonSpanExporter(delegate, meter_provider=MeterProvider(shutdown_on_exit=False), **options)


@pytest.mark.parametrize("result", list(SpanExportResult))
def test_the_result_of_the_delegate_is_returned(result: SpanExportResult) -> None:
    assert exporter_to(Recorder(result)).export(finished_spans(call_attributes())) is result


@pytest.mark.parametrize("flushes", [True, False])
def test_flush_and_shutdown_reach_the_delegate(*, flushes: bool) -> None:
    delegate = Recorder(flushes=flushes)
    exporter = exporter_to(delegate)
    assert exporter.force_flush(1234) is flushes
    exporter.shutdown()
    assert delegate.asked == [1234, "shutdown"]


def test_genai_spans_are_enriched_copies_and_the_others_the_same_objects() -> None:
    delegate = Recorder()
    spans = finished_spans({"http.request.method": "GET"}, call_attributes(), {}, call_attributes())
    exporter_to(delegate).export(spans)
    [batch] = delegate.batches
    assert [exported is span for exported, span in zip(batch, spans, strict=True)] == [True, False, True, False]
    assert [set(ours(span)) for span in batch] == [set(), CORE_KEYS, set(), CORE_KEYS]
    assert [ours(span) for span in spans] == [{}] * 4


def test_the_attributes_are_those_the_processor_would_have_written() -> None:
    attributes = call_attributes()
    delegate = Recorder()
    exporter_to(delegate, settings=EnrichSettings(full=True)).export(finished_spans(attributes))
    expected = application({"settings": EnrichSettings(full=True)}).call(attributes)
    assert dict(delegate.batches[0][0].attributes or {}) == dict(expected.attributes or {})


def test_an_empty_batch_is_passed_on() -> None:
    delegate = Recorder()
    assert exporter_to(delegate).export([]) is SpanExportResult.SUCCESS
    assert [list(batch) for batch in delegate.batches] == [[]]


def test_spans_of_a_batch_are_judged_together() -> None:
    plain = InMemorySpanExporter()
    provider = silent_provider()
    batch = BatchSpanProcessor(plain)
    provider.add_span_processor(batch)
    tracer = provider.get_tracer("app")
    parent = tracer.start_span("outer", attributes=call_attributes(gen_ai__response__id="same"))
    outer_first = tracer.start_span("other", attributes=call_attributes(gen_ai__response__id="same"))
    parent.end(outer_first.start_time + 2)  # type: ignore[attr-defined]  # a span of the SDK knows when it started
    outer_first.end(outer_first.start_time + 1)  # type: ignore[attr-defined]  # as above
    batch.shutdown()  # type: ignore[no-untyped-call]  # of the SDK
    delegate = Recorder()
    exporter_to(delegate).export(plain.get_finished_spans())
    status = {span.name: ours(span)["otel_carbon.status"] for span in delegate.batches[0]}
    assert status == {"other": "estimated", "outer": "duplicate"}  # the one that ended first counts, sent last


def test_a_span_that_was_enriched_before_is_passed_on_as_it_is() -> None:
    enriched = application().call()
    delegate = Recorder()
    exporter = exporter_to(delegate)
    exporter.export([enriched])
    assert delegate.batches[0][0] is enriched
    assert exporter._domain.enricher.totals.snapshot().operations == {}  # the processor has booked it


def test_a_batch_that_is_sent_again_gets_the_same_attributes_and_counts_once() -> None:
    delegate = Recorder()
    exporter = exporter_to(delegate)
    spans = finished_spans(call_attributes())
    exporter.export(spans)
    exporter.export(spans)
    first, second = (dict(batch[0].attributes or {}) for batch in delegate.batches)
    assert first == second
    assert sum(exporter._domain.enricher.totals.snapshot().operations.values()) == 1


def _rich_span() -> ReadableSpan:
    """A span with everything an OTLP body can say, and more of it than the limits take."""
    plain = InMemorySpanExporter()
    limits = SpanLimits(max_span_attributes=10, max_events=2, max_links=1)
    provider = silent_provider(resource=Resource({"service.name": "shop"}), span_limits=limits)
    batch = BatchSpanProcessor(plain)
    provider.add_span_processor(batch)
    tracer = provider.get_tracer("app", "1.2", "https://schema.example/1", {"scope": "attribute"})
    remote = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    attributes = {f"app.detail.{i}": i for i in range(4)} | call_attributes()
    with tracer.start_as_current_span("parent"):
        span = tracer.start_span(
            "chat", kind=SpanKind.CLIENT, attributes=attributes, links=[Link(remote, {"a": 1})] * 3
        )
        for i in range(4):
            span.add_event(f"event {i}", {"i": i})
        span.set_status(StatusCode.ERROR, "half of it")
        span.end()
    batch.shutdown()  # type: ignore[no-untyped-call]  # of the SDK
    return plain.get_finished_spans()[0]


def test_a_copy_says_on_the_wire_all_that_the_original_says() -> None:
    span, delegate = _rich_span(), Recorder()
    exporter_to(delegate).export([span])
    before, after = encode_spans([span]), encode_spans(delegate.batches[0])
    [encoded] = after.resource_spans[0].scope_spans[0].spans
    assert (encoded.dropped_attributes_count, encoded.dropped_events_count, encoded.dropped_links_count) == (2, 2, 2)
    added = [pair for pair in encoded.attributes if pair.key.startswith(OURS)]
    assert {pair.key for pair in added} == CORE_KEYS
    for pair in added:
        encoded.attributes.remove(pair)
    assert after == before


def test_a_processor_and_an_exporter_of_one_process_count_a_call_once() -> None:
    app = application()
    delegate = Recorder()
    exporter = CarbonSpanExporter(delegate)
    before = sum(exporter._domain.enricher.totals.snapshot().operations.values())
    exporter.export([app.call()])
    after = sum(exporter._domain.enricher.totals.snapshot().operations.values())
    assert (app.operations(), after - before) == (1, 0)
