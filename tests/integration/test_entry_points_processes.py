"""An application that starts processes of its own: each counts what it does itself, once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.automatic import INSTRUMENT, QUIET
from tests.support.exported_calls import booked_calls, emissions_of, emissions_on, reported_calls
from tests.support.llm_answers.script import TokenCounts
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

EXPECTED = emissions_of(TokenCounts(input=800, output=300), model="gpt-4o", provider="openai")
SET_UP = """
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import otel_carbon

otel_carbon.instrument()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
"""
APPLICATION = """
import multiprocessing, sys
from opentelemetry import metrics, trace
{set_up}
def call():
    with trace.get_tracer("app").start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({{
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300,
        }})

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
    app.write_text(APPLICATION.format(set_up="" if automatic else SET_UP), encoding="utf-8")
    command: list[str | Path] = [*([INSTRUMENT] if automatic else []), sys.executable, app, method]
    exporting = {
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }

    done = programs.run(command, QUIET | exporting)

    assert done.stderr == ""
    # One call before and one after by the process itself, one and two by its workers.
    assert emissions_on(otlp_sink.spans()) == [EXPECTED] * 5
    assert booked_calls(otlp_sink) == 5


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_a_child_that_reports_differences_leaves_out_what_its_parent_has_reported(
    method: str, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    reporting = "    call()\n    metrics.get_meter_provider().force_flush()\n    context"
    app.write_text(APPLICATION.format(set_up=SET_UP).replace("    call()\n    context", reporting), encoding="utf-8")
    exporting = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.http_endpoint,
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
    }

    programs.run([sys.executable, app, method], exporting)

    # The process itself before and after, and its workers.
    assert sorted(reported_calls(otlp_sink)) == [1, 1, 1, 2]
