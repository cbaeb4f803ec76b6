from __future__ import annotations

import itertools
import math
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace.id_generator import IdGenerator

from otel_carbon.errors import RegistryError
from otel_carbon.registry.catalog import Registry
from otel_carbon.sdk.exporter import CarbonSpanExporter
from otel_carbon.sdk.spans import read_keys
from tests.unit.sdk.genai_spans import Application, application, call_attributes, ours

if TYPE_CHECKING:
    from collections.abc import Callable

SAID_ONCE = "a span was left without its footprint; the application is unaffected"


class BrokenRegistry(Registry):
    """Facts that cannot be read when they are needed."""

    def __init__(self) -> None:
        self._bundled = Registry.bundled()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundled, name)

    def about(self, *_args: Any, **_kwargs: Any) -> Any:
        raise RegistryError("the disk is gone")


def raising(*_args: Any, **_kwargs: Any) -> Any:
    raise ZeroDivisionError("planted")


def test_a_broken_registry_leaves_the_spans_as_they_are_and_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = application({"registry": BrokenRegistry()})
    attributes = [call_attributes() for _ in range(3)]
    spans = [app.call(each) for each in attributes]
    assert [dict(span.attributes or {}) for span in spans] == attributes
    assert [(record.message, str(record.exc_info[1])) for record in caplog.records if record.exc_info] == [
        (SAID_ONCE, "the disk is gone")
    ]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("spans", [1, 3])
def test_a_raising_enricher_is_reported_once_and_every_span_ends(
    spans: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = application()
    monkeypatch.setattr(app.carbon._domain.enricher, "enrich", raising)  # the only way to make it raise at will
    for _ in range(spans):
        assert ours(app.call()) == {}
    assert [record.message for record in caplog.records] == [SAID_ONCE]


@pytest.mark.parametrize("method", ["set_attributes", "is_recording"])
def test_a_span_that_cannot_be_written_still_ends(
    method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("otel_carbon.sdk.end_hook.direct_access_works", lambda: False)
    app = application()
    span = app.provider.get_tracer("app").start_span("chat", attributes=call_attributes())
    monkeypatch.setattr(span, method, raising)
    span.end()
    assert len(app.exporter.get_finished_spans()) == 1
    assert app.operations() == 1
    assert [record.message for record in caplog.records] == [SAID_ONCE]


def test_what_is_no_span_of_the_sdk_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    app = application()
    strange: Any = object()
    app.carbon.on_start(strange)
    assert [record.message for record in caplog.records] == [SAID_ONCE]


class InterruptedRegistry(BrokenRegistry):
    """Facts during whose look-up something happens on the same thread, as a finalizer or a signal handler does."""

    def __init__(self) -> None:
        super().__init__()
        self.interrupts: list[Callable[[], None]] = []

    def about(self, *args: Any, **kwargs: Any) -> Any:
        if self.interrupts:
            self.interrupts.pop()()
        return self._bundled.about(*args, **kwargs)


def test_a_span_that_a_finalizer_ends_while_another_is_judged_does_not_hang() -> None:
    registry = InterruptedRegistry()
    app = application({"registry": registry})
    abandoned = app.provider.get_tracer("app").start_span("abandoned stream", attributes=call_attributes())
    registry.interrupts.append(abandoned.end)
    calling = threading.Thread(target=app.call, daemon=True)
    calling.start()
    calling.join(timeout=2)
    assert not calling.is_alive()
    assert app.operations() == 2


@pytest.mark.parametrize(
    "value",
    [-1, 1.5, math.nan, math.inf, 10**30, "many", "", "12", True, None, b"12", [1], [], {"a": 1}, ["a", None]],
    ids=repr,
)
@pytest.mark.parametrize("key", ["gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens"])
def test_a_strange_token_count_is_no_figure_or_a_correct_one(
    key: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = application()
    found = ours(app.call(call_attributes() | {key: value}))
    if value in (None, "12") and type(value) is not bool:
        assert found["otel_carbon.status"] == "estimated"
    else:
        assert found["otel_carbon.status"] == "unestimated"
        assert found["otel_carbon.reason"] in ("invalid_usage", "absurd_usage")
    assert app.operations() == 1
    assert [record for record in caplog.records if record.name.startswith("otel_carbon")] == []


any_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=4,
)


class CountedIds(IdGenerator):
    """Ids that never recur, although Hypothesis starts the random numbers again for each example."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def generate_trace_id(self) -> int:
        return next(self._ids)

    def generate_span_id(self) -> int:
        return next(self._ids)


@pytest.fixture(scope="module")
def fuzzed() -> Application:
    return application(id_generator=CountedIds())


FUZZED_KEYS = (*sorted(read_keys() - {"gen_ai.response.id"}), "error.type", "server.address")


@pytest.mark.parametrize("response_id", [7, 7.5, b"id", ["id"], {"id": "one"}, [{"id": "one"}]], ids=repr)
def test_a_response_id_that_is_no_text_costs_no_figure(response_id: Any) -> None:
    assert ours(application().call(call_attributes() | {"gen_ai.response.id": response_id}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.dictionaries(st.sampled_from(FUZZED_KEYS), any_value))
def test_no_attribute_value_stops_a_span(
    fuzzed: Application, caplog: pytest.LogCaptureFixture, changed: dict[str, Any]
) -> None:
    caplog.clear()
    span = fuzzed.call(call_attributes() | changed)
    expected = ("estimated", "unestimated", "aggregate", "duplicate", "no GenAI span")
    assert ours(span).get("otel_carbon.status", "no GenAI span") in expected
    assert [record for record in caplog.records if record.name.startswith("otel_carbon")] == []


def test_the_processor_flushes_and_shuts_down_without_doing_anything() -> None:
    app = application()
    app.call()
    assert app.carbon.force_flush()
    app.carbon.shutdown()
    app.call()
    assert app.operations() == 2


def test_the_exporter_reports_a_failure_once_and_exports_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = application()
    spans = [app.call(), app.call()]
    exporter = CarbonSpanExporter(app.exporter, registry=Registry.bundled())
    monkeypatch.setattr(exporter._domain.enricher, "enrich_together", raising)  # to make it raise at will
    app.exporter.clear()
    for _ in range(2):
        exporter.export(spans)
    assert list(app.exporter.get_finished_spans()) == [*spans, *spans]
    assert [record.message for record in caplog.records] == ["a batch was exported without footprints"]
