"""Under the set-up of Logfire, traceloop-sdk and OpenLIT, each with its own instrumentation of the OpenAI client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.applications import CLIENT, COUNTS, EMISSIONS_GCO2E, INSTRUMENT, exporting_to
from tests.support.clients import run_client
from tests.support.exported_calls import booked_calls, emissions_on, reported_calls
from tests.support.llm_answers.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.llm_server import ScriptedLlmServer
    from tests.support.otlp_sink import OtlpSink

    Run = Callable[..., None]

LOGFIRE = """
import logfire
logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_openai()
"""
SET_UPS = {
    "logfire": LOGFIRE,
    "traceloop": """
from traceloop.sdk import Traceloop
Traceloop.init(app_name="app")
""",
    "openlit": """
import openlit
openlit.init(application_name="app", pricing_json="pricing.json")
""",
}
BY_HAND = """
from opentelemetry import trace
from otel_carbon import CarbonSpanProcessor
trace.get_tracer_provider().add_span_processor(CarbonSpanProcessor())
"""
AMONG_PROCESSORS = LOGFIRE.replace(
    "console=False",
    "console=False, additional_span_processors=[__import__('otel_carbon').CarbonSpanProcessor()]",
)
CALL = f"{CLIENT}\ncall()\n"
every_vendor = pytest.mark.parametrize("vendor", list(SET_UPS))


@pytest.fixture
def run(llm_server: ScriptedLlmServer, otlp_sink: OtlpSink, tmp_path: Path) -> Run:
    """Runs a program in a vendor's environment; its calls have the decided counts, what it exports goes to the sink."""
    llm_server.script = Script(counts=COUNTS)
    (tmp_path / "pricing.json").write_text("{}", encoding="utf-8")
    variables = exporting_to(otlp_sink) | {
        "OPENAI_BASE_URL": f"{llm_server.url}/v1",
        "OPENAI_API_KEY": "none",
        "TRACELOOP_BASE_URL": otlp_sink.http_endpoint,
        "TRACELOOP_TELEMETRY": "false",
    }

    def run_here(vendor: str, program: str, starter: str = "") -> None:
        (tmp_path / "app.py").write_text(program, encoding="utf-8")
        run_client(vendor, [*starter.split(), "python", "app.py"], variables, folder=tmp_path)

    return run_here


WITHOUT_INSTRUMENTATION = {
    "logfire": LOGFIRE.replace("logfire.instrument_openai()", ""),
    "traceloop": SET_UPS["traceloop"].replace('app_name="app"', 'app_name="app", instruments=set()'),
    "openlit": SET_UPS["openlit"].replace("pricing_json", 'disabled_instrumentors=["openai"], pricing_json'),
}


@every_vendor
@pytest.mark.parametrize("placed", ["before", "after", "by hand", "twice"])
def test_a_call_is_estimated_once_wherever_our_line_stands(
    vendor: str, placed: str, run: Run, otlp_sink: OtlpSink
) -> None:
    set_up = SET_UPS[vendor]
    orders = {
        "before": INSTRUMENT + set_up,
        "after": set_up + INSTRUMENT,
        "by hand": set_up + BY_HAND,
        "twice": INSTRUMENT + set_up + INSTRUMENT + BY_HAND,
    }

    run(vendor, orders[placed] + CALL)

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1


@every_vendor
def test_a_call_that_the_vendor_does_not_instrument_is_captured(vendor: str, run: Run, otlp_sink: OtlpSink) -> None:
    run(vendor, WITHOUT_INSTRUMENTATION[vendor] + INSTRUMENT + CALL)

    (captured,) = [each for each in otlp_sink.spans() if "gen_ai.request.model" in each.attributes]
    assert (captured.scope, emissions_on([captured])) == ("otel_carbon.capture", [EMISSIONS_GCO2E])
    assert booked_calls(otlp_sink) == 1


def test_a_processor_among_those_that_logfire_is_given_sees_every_call(run: Run, otlp_sink: OtlpSink) -> None:
    run("logfire", AMONG_PROCESSORS + CALL)

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1


def test_logfire_configured_anew_is_instrumented_by_the_same_line_again(run: Run, otlp_sink: OtlpSink) -> None:
    run("logfire", (LOGFIRE + INSTRUMENT + CALL) * 2)

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * 2
    # Logfire makes a new meter provider each time; a counter of the process goes on from where it was.
    assert reported_calls(otlp_sink) == [1, 2]


@pytest.mark.parametrize("vendor", ["traceloop", "openlit"])
def test_beside_automatic_instrumentation_a_call_is_counted_once(vendor: str, run: Run, otlp_sink: OtlpSink) -> None:
    run(vendor, SET_UPS[vendor] + CALL, "opentelemetry-instrument")

    exported = {each.span.span_id: each for each in otlp_sink.spans()}  # both send the span
    assert emissions_on(list(exported.values())) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1


def test_beside_automatic_instrumentation_logfire_keeps_a_provider_of_its_own_which_can_be_named(
    run: Run, otlp_sink: OtlpSink
) -> None:
    naming = "otel_carbon.instrument(logfire.DEFAULT_LOGFIRE_INSTANCE.config.get_tracer_provider())\n"
    run("logfire", LOGFIRE + "import otel_carbon\n" + naming + CALL, "opentelemetry-instrument")

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E]
    assert booked_calls(otlp_sink) == 1
