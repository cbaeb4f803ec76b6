"""The three ways in, and the variables that switch each of them off without a change of the application."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.applications import CLIENT, COUNTS, EMISSIONS_GCO2E, INSTRUMENT, SET_UP, SPAN, exporting_to
from tests.support.automatic import COMMAND, OF_OTHERS, QUIET
from tests.support.exported_calls import booked_calls, emissions_on
from tests.support.llm_answers.script import Script
from tests.support.llm_server import running_llm_server
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

    Run = Callable[..., None]

INITIALIZE = "from opentelemetry.instrumentation.auto_instrumentation import initialize\ninitialize()\n"
DECLARED = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch: {{exporter: {{otlp_http: {{endpoint: "{endpoint}/v1/traces"}}}}}}
meter_provider:
  readers:
    - periodic: {{exporter: {{otlp_http: {{endpoint: "{endpoint}/v1/metrics"}}}}}}
"""
SPAN_CALL = f"{SPAN}\ncall()\n"
CLIENT_CALL = f"{CLIENT}\ncall()\n"
SET_UPS = {
    "automatic": "",
    "automatic, from within": INITIALIZE,
    "declared": "",
    "before its own set-up": INSTRUMENT + SET_UP,
    "after its own set-up": SET_UP + INSTRUMENT,
}
FROM_OUTSIDE = ("automatic", "declared")
BY_LOADER = ("automatic", "automatic, from within", "declared")
every_way = pytest.mark.parametrize("way", list(SET_UPS))


@pytest.fixture
def run(otlp_sink: OtlpSink, tmp_path: Path) -> Run:
    """Runs an application that makes one call; what it exports goes to the sink."""

    def run_here(way: str, call: str = SPAN_CALL, **switches: str) -> None:
        app, config = tmp_path / "app.py", tmp_path / "otel.yaml"
        app.write_text(SET_UPS[way] + call, encoding="utf-8")
        config.write_text(DECLARED.format(endpoint=otlp_sink.http_endpoint), encoding="utf-8")
        variables = {"OTEL_CONFIG_FILE": str(config)} if way == "declared" else exporting_to(otlp_sink)
        command: list[str | Path] = [*([COMMAND] if way in FROM_OUTSIDE else []), sys.executable, app]
        programs.run(command, QUIET | variables | switches)

    return run_here


@every_way
def test_a_call_is_estimated_and_counted_once(way: str, run: Run, otlp_sink: OtlpSink) -> None:
    run(way)

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1


@every_way
def test_otel_carbon_disabled_leaves_spans_as_they_are(way: str, run: Run, otlp_sink: OtlpSink) -> None:
    run(way, OTEL_CARBON_DISABLED="true")

    assert_unchanged(otlp_sink)


@pytest.mark.parametrize("way", BY_LOADER)
def test_a_disabled_instrumentation_leaves_spans_as_they_are(way: str, run: Run, otlp_sink: OtlpSink) -> None:
    run(way, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=f"{OF_OTHERS},otel_carbon")

    assert_unchanged(otlp_sink)


@every_way
def test_with_all_of_opentelemetry_disabled_nothing_is_exported(way: str, run: Run, otlp_sink: OtlpSink) -> None:
    run(way, OTEL_SDK_DISABLED="true")

    assert (otlp_sink.spans(), otlp_sink.metric_requests()) == ([], [])


@pytest.fixture
def of_client() -> Iterator[dict[str, str]]:
    """Variables for the OpenAI client, whose calls nothing instruments, and which have the decided counts."""
    with running_llm_server() as server:
        server.script = Script(counts=COUNTS)
        yield {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "none"}
        assert len(server.calls) == 1


@every_way
def test_a_call_that_nothing_instruments_is_captured(
    way: str, run: Run, otlp_sink: OtlpSink, of_client: dict[str, str]
) -> None:
    run(way, CLIENT_CALL, **of_client)

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1


@every_way
def test_capture_can_be_switched_off_alone(way: str, run: Run, otlp_sink: OtlpSink, of_client: dict[str, str]) -> None:
    run(way, CLIENT_CALL + SPAN_CALL, OTEL_CARBON_CAPTURE="false", **of_client)

    assert len(otlp_sink.spans()) == 1
    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]


@pytest.mark.parametrize("way", BY_LOADER)
def test_capture_is_an_instrumentation_that_can_be_disabled(
    way: str, run: Run, otlp_sink: OtlpSink, of_client: dict[str, str]
) -> None:
    run(way, CLIENT_CALL, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=f"{OF_OTHERS},otel_carbon_capture", **of_client)

    assert otlp_sink.spans() == []


def assert_unchanged(sink: OtlpSink) -> None:
    """One span arrived, and nothing of ours."""
    (span,) = sink.spans()
    assert [key for key in span.attributes if key.startswith("otel_carbon.")] == []
    assert booked_calls(sink) == 0
