from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

import otel_carbon
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import Application, application

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

FORKING = """
import json, os, signal, threading
from tests.unit.sdk.genai_spans import application, ours

signal.alarm(30)  # a deadlock ends the program
app = application()

def in_child(work):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os.write(writing, json.dumps(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    assert os.waitpid(pid, 0)[1] == 0
    return json.loads(text)
"""


def test_a_child_counts_from_zero_and_its_parent_goes_on() -> None:
    found = programs.python(
        FORKING
        + """
app.call(); app.call()
span = app.provider.get_tracer("app").start_span("unfinished")

def work():
    before = app.operations()
    status = ours(app.call())["otel_carbon.status"]
    points = app.points()["otel_carbon.operations"]
    return before, status, app.operations(), [value for value, _labels in points]

child = in_child(work)
app.call()
print(json.dumps([child, app.operations()]))
"""
    )
    assert found == [[0, "estimated", 1, [1]], 3]


def test_a_call_already_counted_by_the_parent_is_a_new_one_to_the_child() -> None:
    found = programs.python(
        FORKING
        + """
from tests.unit.sdk.genai_spans import call_attributes
attributes = call_attributes()
app.call(attributes)
print(json.dumps(in_child(lambda: ours(app.call(attributes))["otel_carbon.status"])))
"""
    )
    assert found == "estimated"


@pytest.mark.parametrize("held", ["app.carbon.totals.lock", "app.carbon._domain.enricher.window._lock"])
def test_a_fork_while_another_thread_holds_a_lock_leaves_the_child_free(held: str) -> None:
    found = programs.python(
        FORKING
        + f"""
holding, done = threading.Event(), threading.Event()

def hold():
    with {held}:
        holding.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
holding.wait()
child = in_child(lambda: ours(app.call())["otel_carbon.status"])
done.set()
thread.join()
app.call()
print(json.dumps([child, app.operations()]))
"""
    )
    assert found == ["estimated", 1]


def test_forks_amid_threads_that_end_spans_never_hang() -> None:
    found = programs.python(
        FORKING
        + """
from opentelemetry.sdk.metrics import MeterProvider
from otel_carbon.sdk.processor import CarbonSpanProcessor
from tests.unit.sdk.genai_spans import call_attributes, silent_provider

carbon = CarbonSpanProcessor(meter_provider=MeterProvider(shutdown_on_exit=False))
provider = silent_provider()
provider.add_span_processor(carbon)
tracer = provider.get_tracer("app")
stop = threading.Event()

def call():
    tracer.start_span("chat", attributes=call_attributes()).end()
    return sum(carbon.totals.snapshot().operations.values())

def call_on_and_on():
    while not stop.is_set():
        call()

threads = [threading.Thread(target=call_on_and_on) for _ in range(3)]
for thread in threads:
    thread.start()
found = [in_child(call) for _ in range(15)]
stop.set()
for thread in threads:
    thread.join()
print(json.dumps(found))
"""
    )
    assert found == [1] * 15


def _calls_in_a_fresh_process(count: int) -> tuple[int, str]:
    app: Application = application()
    spans: list[Any] = [app.call() for _ in range(count)]
    return app.operations(), str(dict(spans[-1].attributes)["otel_carbon.status"])


def test_a_spawned_process_has_counters_of_its_own() -> None:
    app = application()
    app.call()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_calls_in_a_fresh_process, (2,)) == (2, "estimated")
    assert app.operations() == 1


def test_nothing_is_cached_behind_a_lock_that_a_fork_could_take_along() -> None:
    """`functools.cached_property` of Python 3.11 holds one while it computes; a forked child would wait for it."""
    package = Path(otel_carbon.__path__[0])
    assert [path.name for path in package.rglob("*.py") if "import cached_property" in path.read_text("utf-8")] == []
