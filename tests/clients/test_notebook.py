"""A Jupyter notebook whose cells are run again: nothing is added or counted twice."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.applications import EMISSIONS_GCO2E, FLUSH, INSTRUMENT, SET_UP, SPAN, exporting_to
from tests.support.clients import client_environment, client_program
from tests.support.exported_calls import booked_calls, emissions_on

if TYPE_CHECKING:
    from tests.support.otlp_sink import OtlpSink

TIMEOUT_S = 120.0
RUN_NOTEBOOK = Path(__file__).with_name("apps") / "run_notebook.py"
CELLS = {
    "instrument": INSTRUMENT,
    "set up": SET_UP,
    "by hand": """
from otel_carbon import CarbonSpanProcessor
trace.get_tracer_provider().add_span_processor(CarbonSpanProcessor())
""",
    "call": f"{SPAN}\ncall()",
    "flush": FLUSH,
    "count": "print(len(trace.get_tracer_provider()._active_span_processor._span_processors))",
}


def run(order: list[str], sink: OtlpSink, program: str = "python") -> str:
    """What the cells print, run in this order."""
    runner: list[str | Path] = [client_program("jupyter", program)]
    runner += [] if program == "python" else [client_program("jupyter", "python")]
    done = subprocess.run(
        [*runner, RUN_NOTEBOOK],
        input=json.dumps({"cells": CELLS, "order": order}),
        env=client_environment("jupyter", exporting_to(sink)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "order",
    [
        ["instrument", "set up", "instrument", "call", "instrument", "call"],
        ["set up", "instrument", "instrument", "call", "set up", "instrument", "call"],
    ],
    ids=["before the set-up", "after the set-up"],
)
def test_a_cell_that_instruments_adds_one_processor_however_often_it_is_run(
    order: list[str], otlp_sink: OtlpSink
) -> None:
    printed = run([*order, "flush", "count"], otlp_sink)

    assert printed.splitlines()[-1:] == ["2"]  # the exporter's and ours
    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * 2
    assert booked_calls(otlp_sink) == 2


def test_a_processor_added_again_by_hand_counts_nothing_twice(otlp_sink: OtlpSink) -> None:
    run(["set up", "by hand", "by hand", "instrument", "call", "flush"], otlp_sink)

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1


def test_the_kernel_of_an_instrumented_server_is_instrumented(otlp_sink: OtlpSink) -> None:
    run(["call", "flush", "instrument", "call", "flush"], otlp_sink, "opentelemetry-instrument")

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * 2
    assert booked_calls(otlp_sink) == 2
