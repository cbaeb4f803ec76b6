"""Further findings in real applications, whose causes no check sees without one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_doctor_mistakes import CHAT, OPENAI_SCOPE, run
from tests.support.doctored import APPS, INSTRUMENT, examine
from tests.support.llm_answers.script import Script
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.llm_server import ScriptedLlmServer
    from tests.support.otlp_sink import OtlpSink

GRPC = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}


def test_an_endpoint_that_refuses_what_is_sent(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    llm_server.takes_telemetry = False
    found = run(llm_server, tmp_path)
    assert (found.codes, found.exit_code) == (["exporter_failing"], 1), found.text
    (told,) = found.finding("exporter_failing")["evidence"]
    assert told.endswith("OTLPSpanExporter: 1 batch failed, 0 arrived")


def test_metrics_that_go_where_nothing_answers(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}/v1/metrics"
    where = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": nobody}
    found = run(llm_server, tmp_path, **where)
    assert (found.codes, found.exit_code) == (["exporter_unreachable"], 1), found.text
    told = found.finding("exporter_unreachable")
    assert told["evidence"] == [f"{nobody} over http/protobuf: [Errno 111] Connection refused"]
    assert told["advice"].startswith("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://HOST:PORT/v1/metrics # ")


def test_metrics_that_arrive_are_well(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, OTEL_METRICS_EXPORTER="otlp")
    assert (found.codes, found.exit_code) == ([], 0), found.text
    exporters = [each for process in found.report["processes"] for each in process["metric_exporters"]]
    assert [(each["endpoint"], each["failed"]) for each in exporters] == [(f"{llm_server.url}/v1/metrics", 0)]
    assert exporters[0]["delivered"] > 0


def test_a_collector_over_grpc_is_well(llm_server: ScriptedLlmServer, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.grpc_endpoint, **GRPC)
    assert (found.codes, found.exit_code) == ([], 0), found.text
    assert OPENAI_SCOPE in {span.scope for span in otlp_sink.wait_for_spans(1)}


def test_calls_without_usage(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    llm_server.script = Script(tells_usage=False)
    found = run(llm_server, tmp_path)
    assert (found.codes, found.exit_code) == (["usage_missing"], 1), found.text
    assert found.finding("usage_missing")["evidence"] == [f"{OPENAI_SCOPE}: 1 call"]


def test_a_version_of_an_http_client_that_the_capture_does_not_know(
    llm_server: ScriptedLlmServer, tmp_path: Path
) -> None:
    (tmp_path / "aiohttp.py").write_text('__version__ = "2.0"\n\n\nclass ClientSession: ...\n', encoding="utf-8")
    app = tmp_path / "app.py"
    app.write_text(
        f"import runpy\nimport aiohttp\nrunpy.run_path({str(CHAT)!r}, run_name='__main__')\n", encoding="utf-8"
    )
    found = run(llm_server, tmp_path, command=(*INSTRUMENT, app, "gpt-4o"), PYTHONPATH=str(tmp_path))
    assert (found.codes, found.exit_code) == (["http_client_not_captured"], 1), found.text
    assert found.finding("http_client_not_captured")["evidence"] == ["aiohttp 2.0"]


def test_an_application_without_any_telemetry_is_told_how_to_start_it(
    llm_server: ScriptedLlmServer, tmp_path: Path
) -> None:
    found = run(llm_server, tmp_path, command=[sys.executable, CHAT, "gpt-4o"])
    assert (found.codes, found.exit_code) == (["provider_missing"], 1), found.text
    assert found.finding("provider_missing")["advice"] == f"opentelemetry-instrument {sys.executable} {CHAT} gpt-4o"


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"OTEL_CARBON_DISABLED": "true"}, "carbon_disabled"),
        ({"OTEL_SDK_DISABLED": "true"}, "sdk_disabled"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic,otel_carbon"}, "carbon_instrumentor_disabled"),
        (
            {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic,openai,otel_carbon_capture"},
            "instrumentation_disabled",
        ),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "exporter_missing"),
        ({"OTEL_CARBON_REGION": "opnai=eastus"}, "region_provider_misspelt"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "8"}, "attribute_limit_small"),
    ],
)
def test_what_variables_spoil(
    variables: dict[str, str], code: str, llm_server: ScriptedLlmServer, tmp_path: Path
) -> None:
    found = run(llm_server, tmp_path, **variables)
    assert (found.codes, found.exit_code) == ([code], 1), found.text + found.err


def test_a_region_of_a_provider_that_is_not_called_this_time_is_a_note(
    llm_server: ScriptedLlmServer, tmp_path: Path
) -> None:
    found = run(llm_server, tmp_path, OTEL_CARBON_REGION="openai=eastus,mistral_ai=westeurope")
    assert (found.codes, found.exit_code) == (["region_unused"], 0), found.text


def test_pairs_that_are_parted_by_the_wrong_sign_are_told_once(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, OTEL_CARBON_REGION="openai=eastus;mistral_ai=westeurope")
    assert (found.codes, found.exit_code) == (["setting_invalid", "region_unused"], 1), found.text
    assert found.finding("setting_invalid")["advice"] == "OTEL_CARBON_REGION=openai=eastus,mistral_ai=westeurope"


WITHOUT_CAPTURE = """
import openai, otel_carbon
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
provider = TracerProvider()
trace.set_tracer_provider(provider)
{set_up}
openai.OpenAI(api_key="none").chat.completions.create(model="gpt-4o", messages=[{{"role": "user", "content": "x"}}])
"""
FULL = "otel_carbon.instrument()"


@pytest.mark.parametrize(
    ("set_up", "codes"),
    [
        ("otel_carbon.instrument(capture=False)", ["capture_disabled"]),
        ("provider.add_span_processor(otel_carbon.CarbonSpanProcessor())", ["capture_disabled"]),
        (FULL, []),
        (f"provider.add_span_processor(otel_carbon.CarbonSpanProcessor()); {FULL}", []),
    ],
)
def test_a_set_up_in_code_that_leaves_the_capture_out(
    set_up: str, codes: list[str], llm_server: ScriptedLlmServer, tmp_path: Path
) -> None:
    found = run(llm_server, tmp_path, command=[sys.executable, "-c", WITHOUT_CAPTURE.format(set_up=set_up)])
    assert found.codes == codes, found.text
    if codes:
        assert found.finding("capture_disabled")["advice"].partition(" # ")[0] == FULL


NO_CARBON = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
sys.path.insert(0, {apps!r})
import own_spans
own_spans.call()
"""


def test_a_provider_without_our_processor(tmp_path: Path) -> None:
    code = "import sys" + NO_CARBON.format(apps=str(APPS))
    found = examine([sys.executable, "-c", code], tmp_path, {"OTEL_CARBON_REGION": "openai=eastus"})
    assert (found.codes, found.exit_code) == (["processor_missing"], 1), found.text
    assert found.finding("processor_missing")["evidence"] == ["opentelemetry.sdk.trace.TracerProvider"]


FUTURE = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
trace.get_tracer("own").start_span("work").end(time.time_ns() + 90 * 10**9)
"""


def test_spans_that_end_in_the_future(tmp_path: Path) -> None:
    found = examine([sys.executable, "-c", "import time" + FUTURE], tmp_path)
    assert (found.codes, found.exit_code) == (["spans_in_future"], 1), found.text
    assert found.finding("spans_in_future")["evidence"] == ["1 span, up to 90 s ahead"]


def test_the_place_that_is_taken_by_default_is_a_note(tmp_path: Path) -> None:
    found = examine([sys.executable, APPS / "own_spans.py", "call"], tmp_path)
    assert (found.codes, found.exit_code) == (["region_assumed"], 0), found.text
    assert found.finding("region_assumed")["advice"] == "OTEL_CARBON_REGION=openai=REGION"


def test_an_application_that_calls_no_model_is_well(tmp_path: Path) -> None:
    found = examine([sys.executable, "-c", "print('done')"], tmp_path)
    assert (found.codes, found.exit_code, found.out) == ([], 0, "done\n")


def test_a_client_that_is_loaded_and_not_used(llm_server: ScriptedLlmServer, tmp_path: Path) -> None:
    found = run(llm_server, tmp_path, command=[*INSTRUMENT, "-c", "import openai"])
    assert (found.codes, found.exit_code) == (["no_calls_seen"], 1), found.text
