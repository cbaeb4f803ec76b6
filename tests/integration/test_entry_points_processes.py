"""An application that starts processes of its own: each counts what it does itself, once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.applications import EMISSIONS_GCO2E, INSTRUMENT, SET_UP, SPAN, exporting_to
from tests.support.automatic import COMMAND, QUIET
from tests.support.exported_calls import booked_calls, emissions_on, reported_calls
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

APPLICATION = """
import multiprocessing, sys
from opentelemetry import metrics, trace

def work(count):
    for _ in range(count):
        call()
    trace.get_tracer_provider().force_flush()  # a process that was forked ends without its exit handlers
    metrics.get_meter_provider().force_flush()

if __name__ == "__main__":
    call()
    context = multiprocessing.get_context(sys.argv[1])
    workers = [context.Process(target=work, args=(count,)) for count in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    call()
    sys.exit(any(worker.exitcode for worker in workers))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("automatic", [True, False], ids=["automatic", "by itself"])
def test_each_process_counts_its_own_calls(
    method: str, *, automatic: bool, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    app.write_text(("" if automatic else INSTRUMENT + SET_UP) + SPAN + APPLICATION, encoding="utf-8")
    command: list[str | Path] = [*([COMMAND] if automatic else []), sys.executable, app, method]

    done = programs.run(command, QUIET | exporting_to(otlp_sink))

    assert done.stderr == ""
    # One call before and one after by the process itself, one and two by its workers.
    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * 5
    assert booked_calls(otlp_sink) == 5


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_a_child_that_reports_differences_leaves_out_what_its_parent_has_reported(
    method: str, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    reporting = "    call()\n    metrics.get_meter_provider().force_flush()\n    context"
    application = APPLICATION.replace("    call()\n    context", reporting)
    app.write_text(INSTRUMENT + SET_UP + SPAN + application, encoding="utf-8")
    preference = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}

    programs.run([sys.executable, app, method], exporting_to(otlp_sink) | preference)

    # The process itself before and after, and its workers.
    assert sorted(reported_calls(otlp_sink)) == [1, 1, 1, 2]
