from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_carbon import instrument
from otel_carbon.sdk import setup
from tests.support.captured_spans import ANSWER, CHAT_URL, QUESTION, memory
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import CORE_KEYS, call_attributes, ours, silent_provider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

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


def test_calls_are_captured_for_the_provider_that_was_given_last() -> None:
    first, last = memory(), memory()
    instrument(first.provider)
    first.provider.shutdown()
    instrument(last.provider)
    client = httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=ANSWER)))
    client.post(CHAT_URL, json=QUESTION)
    assert (first.spans(), last.only()["otel_carbon.status"]) == ([], "estimated")


@pytest.mark.parametrize("word", ["true", "TRUE", " 1 ", "yes", "on"])
def test_nothing_is_added_when_switched_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_DISABLED", word)
    provider = silent_provider()
    assert instrument(provider) is False
    assert provider._active_span_processor._span_processors == ()


def test_nothing_is_added_when_all_of_opentelemetry_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "True")
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


@dataclass
class StandsForAnother:
    """A provider like Logfire's: it can be compared but not hashed, and is given another one when configured anew."""

    provider: TracerProvider

    def add_span_processor(self, processor: Any) -> None:
        self.provider.add_span_processor(processor)


def test_a_provider_that_stands_for_another_is_instrumented_once_for_each() -> None:
    first, second = silent_provider(), silent_provider()
    outer = StandsForAnother(first)
    assert [instrument(outer), instrument(outer)] == [True, True]
    outer.provider = second
    assert [instrument(outer), instrument(outer)] == [True, True]
    assert [len(each._active_span_processor._span_processors) for each in (first, second)] == [1, 1]


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


def test_a_setter_that_was_imported_before_us_is_seen_as_well() -> None:
    found = programs.python(
        "from opentelemetry.trace import set_tracer_provider\n"
        + CALLING
        + "instrument(); set_tracer_provider(provider); print(json.dumps(call()))"
    )
    assert found == ["estimated"]


def test_an_api_without_the_inner_setter_is_waited_for_at_the_public_one() -> None:
    found = programs.python(
        CALLING
        + """
inner = trace._set_tracer_provider
trace.set_tracer_provider = lambda provider: inner(provider, log=True)
del trace._set_tracer_provider
instrument()
trace.set_tracer_provider(provider)
print(json.dumps(call()))
"""
    )
    assert found == ["estimated"]


def test_a_provider_that_the_environment_names_is_instrumented_when_it_is_made() -> None:
    found = programs.python(
        CALLING
        + """
waited = instrument()
import os
os.environ["OTEL_PYTHON_TRACER_PROVIDER"] = "sdk_tracer_provider"
provider = trace.get_tracer_provider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
print(json.dumps([waited, type(provider).__name__, call()]))
"""
    )
    assert found == [False, "TracerProvider", ["estimated"]]


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
original = trace._set_tracer_provider
instrument()
ours_in_place = trace._set_tracer_provider is not original
if {wrapped}:
    inner = trace._set_tracer_provider
    trace._set_tracer_provider = lambda provider, log: inner(provider, log)
stop_waiting()
restored = trace._set_tracer_provider is original
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
