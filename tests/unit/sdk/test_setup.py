from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_carbon import instrument
from otel_carbon.sdk import setup
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import CORE_KEYS, call_attributes, ours, silent_provider

CALLING = """
import json
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otel_carbon import instrument
from otel_carbon.sdk.setup import stop_waiting
from tests.unit.sdk.genai_spans import call_attributes, ours, points_of_reader

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))

def call():
    exporter.clear()
    trace.get_tracer("app").start_span("chat", attributes=call_attributes()).end()
    return [ours(span).get("otel_carbon.status") for span in exporter.get_finished_spans()]
"""


@pytest.fixture(autouse=True)
def no_otel_carbon_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISABLED", "REGISTRY", "REGION", "ATTRIBUTES"):
        monkeypatch.delenv(f"OTEL_CARBON_{name}", raising=False)


def test_a_provider_of_the_users_own_is_instrumented_once() -> None:
    provider, exporter = silent_provider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    assert [instrument(provider), instrument(provider)] == [True, True]
    processors = provider._active_span_processor._span_processors
    assert len(processors) == 2
    provider.get_tracer("app").start_span("chat", attributes=call_attributes()).end()
    assert set(ours(exporter.get_finished_spans()[0])) == CORE_KEYS


@pytest.mark.parametrize("word", ["true", "TRUE", " 1 ", "yes", "on"])
def test_nothing_is_added_when_switched_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_DISABLED", word)
    provider = silent_provider()
    assert instrument(provider) is False
    assert provider._active_span_processor._span_processors == ()


@pytest.mark.parametrize("word", ["false", "0", "no", ""])
def test_other_words_switch_nothing_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_DISABLED", word)
    assert instrument(silent_provider()) is True


def test_what_takes_no_processors_is_refused_with_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    assert instrument(object()) is False
    assert [record.message for record in caplog.records] == [
        "object takes no span processors; nothing was instrumented"
    ]


class Refuses:
    """A provider that is not as it seems."""

    def add_span_processor(self, _processor: Any) -> None:
        raise ConnectionError("closed")


class NoReferences:
    """A provider that no weak reference can point to."""

    __slots__ = ("processors",)

    def __init__(self) -> None:
        self.processors: list[Any] = []

    def add_span_processor(self, processor: Any) -> None:
        self.processors.append(processor)


def test_a_provider_that_refuses_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    provider = Refuses()
    assert [instrument(provider), instrument(provider)] == [False, False]
    assert [record.message for record in caplog.records] == ["Refuses was not instrumented"] * 2


def test_a_provider_that_cannot_be_remembered_is_instrumented_all_the_same() -> None:
    provider = NoReferences()
    assert instrument(provider) is True
    assert len(provider.processors) == 1


def test_a_processor_that_cannot_be_made_keeps_no_application_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Any:
        raise OSError("the package is damaged")

    monkeypatch.setattr(setup, "CarbonSpanProcessor", broken)
    assert instrument(silent_provider()) is False
    assert [record.message for record in caplog.records] == ["TracerProvider was not instrumented"]


def test_the_global_provider_is_taken_when_none_is_named() -> None:
    found = programs.python(CALLING + "trace.set_tracer_provider(provider)\nprint(json.dumps([instrument(), call()]))")
    assert found == [True, ["estimated"]]


def test_a_global_provider_that_comes_later_is_instrumented_when_it_comes() -> None:
    found = programs.python(
        CALLING
        + """
waited = [instrument(), instrument()]
early = trace.get_tracer("app")
trace.set_tracer_provider(provider)
early.start_span("chat", attributes=call_attributes()).end()
statuses = [ours(span)["otel_carbon.status"] for span in exporter.get_finished_spans()]
count = len(provider._active_span_processor._span_processors)
print(json.dumps([waited, statuses, call(), instrument(), count]))
"""
    )
    assert found == [[False, False], ["estimated"], ["estimated"], True, 2]


def test_a_second_global_provider_which_the_api_refuses_is_left_alone() -> None:
    found = programs.python(
        CALLING
        + """
import logging
logging.getLogger("opentelemetry.trace").disabled = True  # it says that it refuses
instrument()
trace.set_tracer_provider(provider)
second = TracerProvider()
trace.set_tracer_provider(second)
print(json.dumps([call(), len(second._active_span_processor._span_processors)]))
"""
    )
    assert found == [["estimated"], 0]


@pytest.mark.parametrize("wrapped", [False, True])
def test_waiting_can_be_stopped_and_started_again(*, wrapped: bool) -> None:
    found = programs.python(
        CALLING
        + f"""
original = trace.set_tracer_provider
instrument()
ours_in_place = trace.set_tracer_provider is not original
if {wrapped}:
    inner = trace.set_tracer_provider
    trace.set_tracer_provider = lambda provider: inner(provider)
stop_waiting()
restored = trace.set_tracer_provider is original
instrument()
trace.set_tracer_provider(provider)
print(json.dumps([ours_in_place, restored, call()]))
"""
    )
    assert found == [True, not wrapped, ["estimated"]]


def test_a_wait_that_was_stopped_leaves_a_later_provider_alone() -> None:
    found = programs.python(
        CALLING + "instrument(); stop_waiting(); trace.set_tracer_provider(provider); print(json.dumps(call()))"
    )
    assert found == [None]


def test_a_meter_provider_that_comes_later_gets_the_counters() -> None:
    found = programs.python(
        CALLING
        + """
trace.set_tracer_provider(provider)
instrument()
call()
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
call()
print(json.dumps([value for value, _labels in points_of_reader(reader)["otel_carbon.operations"]]))
"""
    )
    assert found == [2]
