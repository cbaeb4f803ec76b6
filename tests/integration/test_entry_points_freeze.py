"""A function that its host freezes between invocations, and in the middle of one, as AWS Lambda does."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.applications import EMISSIONS_GCO2E, exporting_to
from tests.support.automatic import COMMAND, QUIET
from tests.support.exported_calls import STATUS, booked_calls, emissions_on
from tests.support.processes import ManagedProcess, start
from tests.support.waiting import wait_until
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.otlp_sink import OtlpSink

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="freezing is watched in /proc")

TIMEOUT_S = 30.0
RUNTIME = """
import sys
from opentelemetry import metrics, trace

def handler(response_id):
    with trace.get_tracer("app").start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
        print("calling", response_id, flush=True)
        sys.stdin.readline()
        span.set_attributes({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.id": response_id, "gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300,
        })

for line in sys.stdin:
    handler(line.strip())
    trace.get_tracer_provider().force_flush()
    metrics.get_meter_provider().force_flush()
    print("done", line.strip(), flush=True)
"""


@pytest.fixture
def function(otlp_sink: OtlpSink, tmp_path: Path) -> Iterator[ManagedProcess]:
    """The running function; it takes the id of a response, then a line that lets the call end."""
    app = tmp_path / "app.py"
    app.write_text(RUNTIME, encoding="utf-8")
    often = {"OTEL_METRIC_EXPORT_INTERVAL": "50", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    environment = programs.environment(QUIET | exporting_to(otlp_sink) | often)
    process = start([COMMAND, sys.executable, app], folder=tmp_path, name="function", environment=environment)
    try:
        yield process
    finally:
        process.popen.send_signal(signal.SIGCONT)
        process.stop()


def freeze(process: ManagedProcess) -> None:
    """Stop it, and let it go on once it really stands still."""
    process.popen.send_signal(signal.SIGSTOP)
    stat = Path(f"/proc/{process.popen.pid}/stat")
    wait_until(
        lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", timeout_s=TIMEOUT_S, what="frozen process"
    )
    process.popen.send_signal(signal.SIGCONT)


def invoke(process: ManagedProcess, response_id: str) -> None:
    """One invocation, frozen in the middle of its call and after it."""
    said = process.stdout()
    process.write_line(response_id)
    wait_for_line(process, said + f"calling {response_id}\n")
    freeze(process)
    process.write_line("")
    wait_for_line(process, said + f"calling {response_id}\ndone {response_id}\n")
    freeze(process)


def wait_for_line(process: ManagedProcess, text: str) -> None:
    process.wait_for(lambda: process.stdout() == text or None, timeout_s=TIMEOUT_S, what=f"output {text!r}")


def test_what_is_frozen_between_and_amid_invocations_loses_and_doubles_nothing(
    function: ManagedProcess, otlp_sink: OtlpSink
) -> None:
    invoke(function, "chatcmpl-of-one-invocation-1")
    # An invocation has flushed all that it did, should the host never thaw it again.
    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1

    invoke(function, "chatcmpl-of-one-invocation-2")
    invoke(function, "chatcmpl-of-one-invocation-1")  # what was counted is remembered beyond a freeze
    invoke(function, "chatcmpl-of-one-invocation-3")

    statuses = [each.attributes[STATUS] for each in otlp_sink.spans()]
    assert statuses == ["estimated", "estimated", "duplicate", "estimated"]
    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * 3
    assert booked_calls(otlp_sink) == 3
    assert (function.finish(), function.stderr()) == (0, "")
    assert booked_calls(otlp_sink) == 3
