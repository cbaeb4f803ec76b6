from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import StatusCode

from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.sdk import end_hook
from otel_carbon.sdk.spans import may_be_genai, read_keys
from tests.unit.sdk.genai_spans import CORE_KEYS, Application, application, call_attributes, ours

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


@pytest.fixture(params=["direct", "public"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Application:
    """An application on this SDK, and on one whose insides are not as expected."""
    return _application(request.param, monkeypatch)


def _application(access: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Application:
    if access == "public":
        monkeypatch.setattr(end_hook, "direct_access_works", lambda: False)
    return application(**options)


def test_the_self_test_finds_this_sdk_as_expected() -> None:
    assert end_hook.direct_access_works()


@pytest.mark.parametrize("full", [False, True])
def test_both_ways_of_writing_write_the_same(monkeypatch: pytest.MonkeyPatch, *, full: bool) -> None:
    attributes = call_attributes()
    settings = {"settings": EnrichSettings(full=full)}
    found = [
        dict(_application(access, monkeypatch, processor_options=settings).call(attributes).attributes or {})
        for access in ("direct", "public")
    ]
    assert found[0] == found[1]
    assert len(ours(found[0])) > len(CORE_KEYS) if full else set(ours(found[0])) == CORE_KEYS


def test_a_call_that_raises_is_estimated_from_the_usage_it_had(app: Application) -> None:
    tracer = app.provider.get_tracer("app")
    with pytest.raises(TimeoutError), tracer.start_as_current_span("chat", attributes=call_attributes()):
        raise TimeoutError
    span = app.exporter.get_finished_spans()[0]
    assert set(ours(span)) == CORE_KEYS
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


@pytest.mark.parametrize("through_current_span", [True, False])
def test_a_call_that_raises_before_any_usage_says_so(app: Application, *, through_current_span: bool) -> None:
    tracer = app.provider.get_tracer("app")
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    start = tracer.start_as_current_span if through_current_span else tracer.start_span
    with pytest.raises(ConnectionError), start("chat", attributes=attributes):
        raise ConnectionError
    found = ours(app.exporter.get_finished_spans()[0])
    assert found == {"otel_carbon.status": "unestimated", "otel_carbon.reason": "failed_no_usage"}


def test_attributes_set_while_the_span_runs_count(app: Application) -> None:
    with app.provider.get_tracer("app").start_as_current_span("chat") as span:
        span.set_attributes(call_attributes())
    assert set(ours(app.exporter.get_finished_spans()[0])) == CORE_KEYS


def test_an_explicit_end_time_is_kept(app: Application) -> None:
    span = app.provider.get_tracer("app").start_span("chat", attributes=call_attributes(), start_time=1_000)
    span.end(5_000)
    exported = app.exporter.get_finished_spans()[0]
    assert (exported.start_time, exported.end_time) == (1_000, 5_000)


def test_our_own_time_is_not_part_of_the_span(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    enricher = app.carbon._domain.enricher  # the only way to make our own work slow
    enrich, done_ns = enricher.enrich, []

    def slowly(view: Any) -> Any:
        deadline = time.perf_counter_ns() + 20_000_000
        while time.perf_counter_ns() < deadline:
            pass
        done_ns.append(time.time_ns())
        return enrich(view)

    monkeypatch.setattr(enricher, "enrich", slowly)
    span = app.call()
    assert span.end_time is not None
    assert span.end_time <= done_ns[0] - 15_000_000  # had it waited for us, it had ended after


def test_ending_twice_books_once_and_only_the_sdk_complains(app: Application, caplog: pytest.LogCaptureFixture) -> None:
    span = app.provider.get_tracer("app").start_span("chat", attributes=call_attributes())
    span.end()
    span.end()
    assert len(app.exporter.get_finished_spans()) == 1
    assert app.operations() == 1
    assert [(record.name, record.message) for record in caplog.records] == [
        ("opentelemetry.sdk.trace", "Calling end() on an ended span.")
    ]


def test_a_span_ended_by_two_threads_at_once_is_exported_and_booked_once(app: Application) -> None:
    tracer = app.provider.get_tracer("app")
    for _ in range(50):
        span = tracer.start_span("chat", attributes=call_attributes())
        together = threading.Barrier(2)

        def end(span: Any = span, together: threading.Barrier = together) -> None:
            together.wait()
            span.end()

        threads = [threading.Thread(target=end) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    spans = app.exporter.get_finished_spans()
    assert len(spans) == 50
    assert all(set(ours(span)) in (CORE_KEYS, set()) for span in spans)
    assert app.operations() == 50


def test_a_thread_that_ends_the_span_while_we_judge_leaves_it_frozen(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    enricher = app.carbon._domain.enricher  # the only way to end a span in the middle of our work
    enrich = enricher.enrich
    span = app.provider.get_tracer("app").start_span("chat", attributes=call_attributes())

    def enrich_after_another_thread_ended_it(view: Any) -> Any:
        monkeypatch.setattr(enricher, "enrich", enrich)
        thread = threading.Thread(target=span.end)
        thread.start()
        thread.join()
        return enrich(view)

    monkeypatch.setattr(enricher, "enrich", enrich_after_another_thread_ended_it)
    span.end()
    assert [ours(each) for each in app.exporter.get_finished_spans()] == [{}]
    assert (app.operations(), app.carbon.missed) == (1, 1)


@pytest.mark.parametrize("ended", [True, False])
def test_a_span_that_is_let_go_is_freed(app: Application, *, ended: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        span = app.provider.get_tracer("app").start_span("chat", attributes=call_attributes())
        alive = weakref.ref(span)
        if ended:
            span.end()
            app.exporter.clear()
        del span
        if not ended:  # the wrapper and its span refer to each other until it is used
            gc.collect()
        assert alive() is None
    finally:
        gc.enable()


class RecordOnly(Sampler):
    def should_sample(self, *args: Any, **_kwargs: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY, attributes=args[4])

    def get_description(self) -> str:
        return "RecordOnly"


def test_calls_that_are_recorded_but_not_sampled_are_counted() -> None:
    app = application(sampler=RecordOnly())
    app.provider.get_tracer("app").start_span("chat", attributes=call_attributes()).end()
    assert app.exporter.get_finished_spans() == ()
    assert app.operations() == 1


def test_spans_that_are_dropped_at_their_start_are_not_ours_to_see() -> None:
    app = application(sampler=ALWAYS_OFF)
    app.provider.get_tracer("app").start_span("chat", attributes=call_attributes()).end()
    assert (app.operations(), app.carbon.missed) == (0, 0)


def _full_of_attributes(count: int, **provider_options: Any) -> tuple[Application, ReadableSpan]:
    """A call whose own attributes came first, then others until `count` were reached."""
    app = application(**provider_options)
    call = call_attributes()
    others = {f"app.detail.{i}": i for i in range(count - len(call))}
    return app, app.call(call | others)


@pytest.mark.parametrize("access", ["direct", "public"])
@pytest.mark.parametrize("count", [115, 116, 128])
def test_at_the_attribute_limit_neither_the_model_nor_the_figure_is_lost(
    access: str, count: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if access == "public":
        monkeypatch.setattr(end_hook, "direct_access_works", lambda: False)
    app, span = _full_of_attributes(count, span_limits=SpanLimits(max_span_attributes=128))
    attributes = dict(span.attributes or {})
    assert set(ours(span)) == CORE_KEYS
    asked = {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"}
    tokens = {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.response.id"}
    assert asked | tokens <= set(attributes)
    assert app.operations() == 1
    overflow = count + len(CORE_KEYS) - 128
    complaints = [record for record in caplog.records if record.name.startswith("opentelemetry")]
    if access == "direct":
        assert len(attributes) == count + len(CORE_KEYS)
        assert (span.dropped_attributes, complaints) == (0, [])
    else:
        assert span.dropped_attributes == len(complaints) == max(0, overflow)
        assert all(record.levelno == logging.WARNING for record in complaints)


def test_the_model_lost_to_the_limit_before_we_came_is_not_guessed() -> None:
    app = application(span_limits=SpanLimits(max_span_attributes=8))
    models = {"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"}
    with app.provider.get_tracer("app").start_as_current_span("chat", attributes=models | call_attributes()) as span:
        span.set_attributes({f"app.detail.{i}": i for i in range(2)})
    found = ours(app.exporter.get_finished_spans()[0])
    assert found == {"otel_carbon.status": "unestimated", "otel_carbon.reason": "model_not_named"}


@pytest.mark.parametrize("access", ["direct", "public"])
def test_a_limit_on_the_length_of_values_leaves_figures_alone(access: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = SpanLimits(max_span_attribute_length=64)
    app = _application(access, monkeypatch, span_limits=limits)
    span = app.call(call_attributes(app__note="x" * 100))
    attributes = dict(span.attributes or {})
    unlimited = application().call()
    assert attributes["app.note"] == "x" * 64
    assert ours(span) == ours(unlimited)


def test_ids_and_status_are_never_cut() -> None:
    app = application(span_limits=SpanLimits(max_span_attribute_length=len("gpt-4o-2024-08-06")))
    assert ours(app.call()) == ours(application().call())


def test_no_recorded_call_has_the_attributes_of_a_later_one(app: Application) -> None:
    first, second = app.call(call_attributes()), app.call(call_attributes(gen_ai__usage__output_tokens=600))
    energy = [ours(span)["otel_carbon.energy_kwh"] for span in (first, second)]
    assert energy[0] < energy[1]
    assert isinstance(app.exporter, InMemorySpanExporter)


def test_what_is_read_is_kept_at_the_limit() -> None:
    assert set(call_attributes()) - {"server.address"} <= read_keys()


@pytest.mark.parametrize(
    ("key", "expected"),
    [("gen_ai.request.model", True), ("gen_ai.system", True), ("gen_ai.usage.input_tokens", False), ("http", False)],
)
def test_a_span_is_looked_at_for_its_operation_provider_or_model(key: str, *, expected: bool) -> None:
    assert may_be_genai({key: "x"}) is expected
