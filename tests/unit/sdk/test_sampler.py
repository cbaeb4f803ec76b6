from __future__ import annotations

import gc
import itertools
import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_carbon.sdk import sampler as sampler_module
from otel_carbon.sdk import spans as spans_module
from otel_carbon.sdk.sampler import CarbonSampler
from tests.unit.sdk.genai_spans import CORE_KEYS, Application, application, call_attributes, ours

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes

CALLS = 200
STARTED_LATER = "ChatOpenAI"
"""The name of a span as callbacks start it: internal, without attributes, in a scope that no sampler is told."""


@pytest.fixture(autouse=True)
def samplers_of_other_tests_are_out_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans_module, "carbon_samplers", WeakSet())
    monkeypatch.setattr(sampler_module, "carbon_samplers", spans_module.carbon_samplers)


class Fixed(Sampler):
    """Decides as it is told, with an attribute and a trace state of its own."""

    def __init__(self, decision: Decision = Decision.DROP) -> None:
        self.result = SamplingResult(decision, {"sampler.note": 1}, TraceState([("vendor", "x")]))
        self.asked: list[tuple[Any, ...]] = []

    def should_sample(self, *arguments: Any) -> SamplingResult:
        self.asked.append(arguments)
        return self.result

    def get_description(self) -> str:
        return "Fixed"


class Broken(Sampler):
    """Fails, or answers with what is no decision."""

    def __init__(self, answer: Any = None) -> None:
        self._answer = answer

    def should_sample(self, *_arguments: Any) -> SamplingResult:
        if self._answer is None:
            raise RuntimeError
        return self._answer  # type: ignore[no-any-return]  # which is the fault

    def get_description(self) -> str:
        return "Broken"


class CountingIds(RandomIdGenerator):
    """Trace ids evenly spread over the range that ratio samplers look at, the same in every application."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def generate_trace_id(self) -> int:
        return (1 << 64) + ((2 * next(self._numbers) + 1 << 64) // (2 * CALLS))


def ask(sampler: Sampler, kind: SpanKind | None = SpanKind.CLIENT, attributes: Attributes = None) -> SamplingResult:
    return sampler.should_sample(None, 1, "call", kind, attributes, ())


def ratio_application(sampler: Sampler) -> Application:
    """An application after `CALLS` calls, each in a trace of its own below a web request."""
    app = application(sampler=sampler, id_generator=CountingIds())
    tracer = app.provider.get_tracer("app")
    for number in range(CALLS):
        with tracer.start_as_current_span("POST /ask", kind=SpanKind.SERVER):
            attributes = call_attributes(gen_ai__usage__output_tokens=100 + number)
            tracer.start_span("chat", kind=SpanKind.CLIENT, attributes=attributes).end()
    return app


@pytest.mark.parametrize(
    "delegate", [TraceIdRatioBased(0.1), ParentBasedTraceIdRatio(0.1)], ids=lambda each: type(each).__name__
)
def test_totals_with_sampling_are_those_without_and_exporters_get_the_sampled_spans_only(delegate: Sampler) -> None:
    everything = ratio_application(ALWAYS_ON)
    sampled = ratio_application(CarbonSampler(delegate))
    found, expected = sampled.carbon.totals.snapshot(), everything.carbon.totals.snapshot()
    assert (found.rows, found.operations, found.spans) == (expected.rows, expected.operations, expected.spans)
    assert sampled.operations() == CALLS
    assert len(everything.exporter.get_finished_spans()) == 2 * CALLS
    assert len(sampled.exporter.get_finished_spans()) == 2 * CALLS / 10
    flags = {span.context.trace_flags.sampled for span in sampled.exporter.get_finished_spans() if span.context}
    assert (flags, sampled.carbon.missed) == ({True}, 0)


def test_the_exported_spans_are_those_of_the_delegate_alone() -> None:
    alone, wrapped = (ratio_application(sampler) for sampler in _plain_and_wrapped(ParentBasedTraceIdRatio(0.1)))
    exported = [[span.name for span in app.exporter.get_finished_spans()] for app in (alone, wrapped)]
    assert exported[0] == exported[1]
    assert alone.operations() == exported[0].count("chat") < wrapped.operations() == CALLS


def _plain_and_wrapped(delegate: Sampler) -> tuple[Sampler, Sampler]:
    return delegate, CarbonSampler(delegate)


def test_a_batch_processor_skips_what_is_only_recorded() -> None:
    app = application(sampler=CarbonSampler(ALWAYS_OFF))
    exporter = InMemorySpanExporter()
    batch = BatchSpanProcessor(exporter)
    app.provider.add_span_processor(batch)
    app.provider.get_tracer("app").start_span("chat", kind=SpanKind.CLIENT, attributes=call_attributes()).end()
    batch.force_flush()
    batch.shutdown()  # type: ignore[no-untyped-call]  # of the SDK
    assert (exporter.get_finished_spans(), app.operations()) == ((), 1)


def test_a_recorded_span_is_enriched_as_a_sampled_one() -> None:
    app = application(sampler=CarbonSampler(ALWAYS_OFF))
    attributes = call_attributes()
    span: Any = app.provider.get_tracer("app").start_span("chat", kind=SpanKind.CLIENT, attributes=attributes)
    assert span.is_recording()
    assert not span.get_span_context().trace_flags.sampled
    span.end()
    assert set(ours(span)) == CORE_KEYS
    assert ours(span) == ours(application().call(attributes))


def test_calls_whose_attributes_come_late_are_booked_too() -> None:
    app = application(sampler=CarbonSampler(ALWAYS_OFF))
    with app.provider.get_tracer("app").start_as_current_span(STARTED_LATER) as span:
        span.set_attributes(call_attributes())
    assert app.operations() == 1


def test_children_of_a_recorded_span_are_decided_as_below_a_dropped_one() -> None:
    app = application(sampler=CarbonSampler(DEFAULT_OFF))
    tracer = app.provider.get_tracer("app")
    carriers: list[dict[str, str]] = []
    with tracer.start_as_current_span("agent") as parent:
        with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT, attributes=call_attributes()) as call:
            carriers.append({})
            TraceContextTextMapPropagator().inject(carriers[0])
        with tracer.start_as_current_span("handle", kind=SpanKind.SERVER) as other:
            pass
    assert (parent.get_span_context().trace_flags.sampled, call.get_span_context().trace_flags.sampled) == (
        False,
        False,
    )
    assert int(carriers[0]["traceparent"].rpartition("-")[2], 16) & trace.TraceFlags.SAMPLED == 0
    assert carriers[0]["traceparent"].split("-")[1] == f"{parent.get_span_context().trace_id:032x}"
    assert not other.is_recording()
    assert (app.operations(), app.exporter.get_finished_spans()) == (1, ())


@pytest.mark.parametrize("remote", [True, False])
def test_below_a_sampled_parent_the_delegate_decides(*, remote: bool) -> None:
    parent = trace.SpanContext(1, 2, remote, trace.TraceFlags(1), TraceState([("vendor", "x")]))
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    result = CarbonSampler(DEFAULT_OFF).should_sample(context, 1, "chat", SpanKind.CLIENT, call_attributes())
    assert result.decision is Decision.RECORD_AND_SAMPLE
    assert result.trace_state == parent.trace_state


@pytest.mark.parametrize("decision", [Decision.RECORD_ONLY, Decision.RECORD_AND_SAMPLE])
def test_what_the_delegate_records_is_its_own_result(decision: Decision) -> None:
    delegate = Fixed(decision)
    assert ask(CarbonSampler(delegate)) is delegate.result


def test_attributes_of_span_and_delegate_and_the_trace_state_are_passed_on() -> None:
    result = ask(CarbonSampler(Fixed()), attributes={"gen_ai.request.model": "m", "sampler.note": 0})
    assert result.decision is Decision.RECORD_ONLY
    assert dict(result.attributes or {}) == {"gen_ai.request.model": "m", "sampler.note": 1}
    assert result.trace_state == TraceState([("vendor", "x")])


def test_the_delegate_is_asked_what_the_sdk_asks() -> None:
    delegate, state = Fixed(), TraceState([("a", "b")])
    ask(CarbonSampler(delegate), SpanKind.SERVER, {"a": 1})
    CarbonSampler(delegate).should_sample(None, 1, "call", SpanKind.SERVER, {"a": 1}, (), state)
    assert delegate.asked == [(None, 1, "call", SpanKind.SERVER, {"a": 1}, ()), (*delegate.asked[0], state)]


GENAI: Attributes = {"gen_ai.operation.name": "chat"}
OPENINFERENCE: Attributes = {"openinference.span.kind": "LLM"}


@pytest.mark.parametrize(
    ("kind", "attributes", "recorded"),
    [
        (SpanKind.CLIENT, None, True),
        (SpanKind.INTERNAL, None, True),
        (None, None, True),  # the API's own default is internal
        (SpanKind.SERVER, None, False),
        (SpanKind.PRODUCER, {"http.request.method": "GET"}, False),
        (SpanKind.SERVER, GENAI, True),
        (SpanKind.CONSUMER, OPENINFERENCE, True),
    ],
)
def test_spans_that_may_be_calls_are_recorded(kind: SpanKind | None, attributes: Attributes, *, recorded: bool) -> None:
    expected = Decision.RECORD_ONLY if recorded else Decision.DROP
    assert ask(CarbonSampler(ALWAYS_OFF), kind, attributes).decision is expected


@pytest.mark.parametrize(
    ("kinds", "recorded"),
    [((), set()), ([SpanKind.CLIENT], {SpanKind.CLIENT}), (SpanKind, set(SpanKind))],
    ids=["none", "client", "all"],
)
def test_the_kinds_can_be_chosen(kinds: Any, recorded: set[SpanKind]) -> None:
    sampler = CarbonSampler(ALWAYS_OFF, kinds)
    assert {kind for kind in SpanKind if ask(sampler, kind).decision is Decision.RECORD_ONLY} == recorded
    assert all(ask(sampler, kind, GENAI).decision is Decision.RECORD_ONLY for kind in SpanKind)


def test_the_description_names_the_delegate() -> None:
    assert CarbonSampler(TraceIdRatioBased(0.5)).get_description() == "CarbonSampler{TraceIdRatioBased{0.5}}"


@pytest.mark.parametrize("answer", [None, "yes", 7])
def test_a_delegate_that_fails_is_logged_once_and_nothing_is_exported(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = application(sampler=CarbonSampler(Broken(answer)))
    for _ in range(3):
        app.provider.get_tracer("app").start_span("chat", kind=SpanKind.CLIENT, attributes=call_attributes()).end()
    app.provider.get_tracer("app").start_span("GET", kind=SpanKind.SERVER).end()
    assert (app.operations(), app.exporter.get_finished_spans()) == (3, ())
    assert [record.message for record in caplog.records] == ["sampling failed; such spans are not exported"]
    assert caplog.records[0].levelno == logging.WARNING


def test_below_a_parent_a_failing_delegate_does_not_lose_the_trace_state() -> None:
    parent = trace.SpanContext(
        1, 2, is_remote=True, trace_flags=trace.TraceFlags(1), trace_state=TraceState([("a", "b")])
    )
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    assert CarbonSampler(Broken()).should_sample(context, 1, "chat").trace_state == parent.trace_state
    assert CarbonSampler(Broken()).should_sample(None, 1, "chat").trace_state is None


def test_attributes_that_cannot_be_read_leave_the_decision_as_it_was() -> None:
    broken: Any = 7
    assert ask(CarbonSampler(ALWAYS_OFF), SpanKind.SERVER, broken).decision is Decision.DROP


def test_switched_off_it_only_asks_the_delegate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_DISABLED", "true")
    delegate = Fixed()
    assert ask(CarbonSampler(delegate), attributes=GENAI) is delegate.result
    assert not spans_module.carbon_samplers


def unseen(app: Application) -> list[float]:
    return [each.calls for each in app.carbon.totals.snapshot().unseen.values()]


def test_without_the_sampler_a_sampled_call_stands_for_those_that_were_dropped() -> None:
    app = application(sampler=ParentBased(ALWAYS_OFF))
    app.sampled_call("ot=th:c")
    assert (app.operations(), unseen(app)) == (1, [4 - 1])


def test_with_the_sampler_a_call_stands_for_itself_as_the_others_are_booked() -> None:
    app = application(sampler=CarbonSampler(ParentBased(ALWAYS_OFF)))
    app.sampled_call("ot=th:c")
    assert (app.operations(), unseen(app)) == (1, [])


def test_a_call_that_others_only_record_stands_for_none() -> None:
    class RecordOnly(Fixed):
        def should_sample(self, *_arguments: Any) -> SamplingResult:
            return SamplingResult(Decision.RECORD_ONLY, call_attributes(), TraceState([("ot", "th:c")]))

    app = application(sampler=RecordOnly())
    app.provider.get_tracer("app").start_span("chat").end()
    assert (app.operations(), unseen(app)) == (1, [])


def test_a_sampler_that_is_gone_is_forgotten() -> None:
    sampler = CarbonSampler(ALWAYS_OFF)
    assert len(spans_module.carbon_samplers) == 1
    del sampler
    gc.collect()
    assert len(spans_module.carbon_samplers) == 0
