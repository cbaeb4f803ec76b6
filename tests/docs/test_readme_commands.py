"""Every command of the README is run: here, or by `.ci/run` where it installs something."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.docs.conftest import reader_environment
from tests.docs.pages import README, REPOSITORY
from tests.support.exported_calls import EMISSIONS, emissions_of, estimated_on_console
from tests.support.llm_answers.script import CANARY, Script, TokenCounts
from tests.support.llm_server import running_llm_server
from tests.support.written_collector import running_written_collector
from tools.markdown_blocks import blocks_of, commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docs.conftest import CheckOutput, Run
    from tests.support.llm_server import ScriptedLlmServer
    from tests.support.otlp_sink import OtlpSink
    from tests.support.written_collector import WrittenCollector

PAGE = README.read_text(encoding="utf-8")
BLOCKS = blocks_of(PAGE)
COMMANDS = [command for block in BLOCKS if block.language == "sh" for command in commands_of(block)]

INSTALLS = {
    "python3 -m venv .venv && .venv/bin/pip install -q '.[demo]' && .venv/bin/otel-carbon demo",
    "uvx --from '.[demo]' otel-carbon demo",
    "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e '.[dev]' && .venv/bin/python -m pytest",
    "python3 -m venv .venv && . .venv/bin/activate",
    "pip install '.[auto]' openai",
    "pip install '.[collector]'",
}
"""Run by `.ci/run`, which takes the long ones from the README itself."""
INSTRUMENT = (
    "opentelemetry-instrument --traces_exporter console --metrics_exporter none --logs_exporter none python app.py"
)
COLLECTOR = "otel-carbon collector --config collector.yaml"
VALIDATE = "otel-carbon collector validate --config collector.yaml"
COUNTS = TokenCounts(input=800, output=300)
ESTIMATE = "otel-carbon estimate --model gpt-4o --input-tokens 800 --output-tokens 300 --region us-east-1"
ENRICH = "otel-carbon enrich tests/corpus/genai-openai.traces.binpb -o enriched.binpb --summary"


def test_every_command_is_run_by_a_test_or_by_ci() -> None:
    assert set(COMMANDS) == {*INSTALLS, INSTRUMENT, COLLECTOR, VALIDATE, ESTIMATE, ENRICH}


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {block.language for block in BLOCKS} == {"sh", "python", "yaml", "text"}


def test_estimate_prints_what_the_readme_shows(run_as_reader: Run, check_output: CheckOutput) -> None:
    (position,) = [i for i, block in enumerate(BLOCKS) if block.language == "sh" and ESTIMATE in commands_of(block)]
    assert BLOCKS[position + 1].language == "text"
    check_output(README, position + 1, run_as_reader(shlex.split(ESTIMATE)).stdout)


def test_the_fact_that_the_readme_names_can_be_shown(run_as_reader: Run) -> None:
    command = "otel-carbon registry show energy/openai/gpt-4o@2026-11-26"
    assert f"`{command}`" in PAGE
    assert "output_wh_per_ktoken" in run_as_reader(shlex.split(command)).stdout


def test_a_recorded_file_is_enriched(run_as_reader: Run, reader_folder: Path) -> None:
    summary = json.loads(run_as_reader(shlex.split(ENRICH)).stdout)

    assert summary["estimated"] > 0
    recorded = (REPOSITORY / "tests/corpus/genai-openai.traces.binpb").stat().st_size
    assert (reader_folder / "enriched.binpb").stat().st_size > recorded


@pytest.fixture
def openai_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedLlmServer]:
    """OpenAI's API on this machine, where the client of the application finds it."""
    with running_llm_server() as server:
        server.script = Script(counts=COUNTS)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield server


def test_an_application_is_instrumented_without_a_change(
    run_as_reader: Run, reader_folder: Path, openai_api: ScriptedLlmServer
) -> None:
    write_file("app.py", reader_folder)

    printed = run_as_reader(shlex.split(INSTRUMENT)).stdout

    assert printed.split()[0] == CANARY
    (attributes,) = estimated_on_console(printed)
    assert attributes[EMISSIONS] == emissions_of(COUNTS, model="gpt-4o-mini", provider="openai")


def test_the_application_of_the_readme_runs_without_us_too(
    run_as_reader: Run, reader_folder: Path, openai_api: ScriptedLlmServer
) -> None:
    write_file("app.py", reader_folder)

    assert run_as_reader([sys.executable, "-W", "error", "app.py"]).stdout.split()[0] == CANARY


def test_the_configuration_of_the_readme_is_valid(run_as_reader: Run, reader_folder: Path) -> None:
    write_file("collector.yaml", reader_folder)

    run_as_reader(shlex.split(VALIDATE))


@pytest.fixture
def collector(reader_folder: Path, otlp_sink: OtlpSink) -> Iterator[WrittenCollector]:
    """The README's collector, on ports that nobody has, before a backend; it must end well."""
    config = file_of_readme("collector.yaml").replace("http://localhost:4328", otlp_sink.http_endpoint)
    with running_written_collector(config, reader_folder, reader_environment()) as running:
        yield running


def test_the_collector_of_the_readme_enriches_forwards_and_counts(
    collector: WrittenCollector, otlp_sink: OtlpSink
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{collector.http_endpoint}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("docs").start_as_current_span("chat gpt-4o") as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"})
        span.set_attributes({"gen_ai.request.model": "gpt-4o", "gen_ai.usage.output_tokens": 300})
    provider.shutdown()

    (received,) = otlp_sink.wait_for_spans(1)
    # The README's configuration says that openai runs in eastus, which is on the grid of Virginia.
    assert received.attributes["otel_carbon.grid_id"] == "grid/USA-SRVC/location-lifecycle@2023"
    assert "\notel_carbon_emissions_grams_total{" in collector.metrics()


def file_of_readme(name: str) -> str:
    (text,) = [block.text for block in BLOCKS if block.file == name]
    return text


def write_file(name: str, folder: Path) -> None:
    (folder / name).write_text(file_of_readme(name), encoding="utf-8")
