"""What the pages for each role tell their readers to type and to ask is run."""

from __future__ import annotations

import shlex
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.docs.conftest import reader_environment
from tests.docs.pages import README, REPOSITORY, code_of
from tests.support.components import require_promtool
from tests.support.exported_calls import emissions_of, estimated_on_console
from tests.support.llm_answers.script import Script, TokenCounts
from tests.support.ports import free_ports
from tests.support.prometheus_server import running_prometheus
from tests.support.written_collector import running_written_collector
from tools.markdown_blocks import Block, blocks_of, commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docs.conftest import Run
    from tests.support.llm_server import ScriptedLlmServer
    from tests.support.otlp_sink import OtlpSink
    from tests.support.prometheus_server import PrometheusServer
    from tests.support.written_collector import WrittenCollector

ROLES = ("developer", "platform", "sre", "sustainability")
TEXTS = {role: (REPOSITORY / f"docs/quick-start/{role}.md").read_text(encoding="utf-8") for role in ROLES}
BLOCKS = {role: blocks_of(text) for role, text in TEXTS.items()}
COMMANDS = {
    command
    for blocks in BLOCKS.values()
    for block in blocks
    if block.language == "sh"
    for command in commands_of(block)
}

INSTALLS = {
    "python3 -m venv .venv && . .venv/bin/activate",
    "pip install '.[auto]' openai",
    "pip install '.[collector]'",
}
"""Lines of the README as well, whose commands are run by `.ci/run` and `test_readme_commands.py`."""
INSTRUMENT = (
    "opentelemetry-instrument --traces_exporter console --metrics_exporter none --logs_exporter none python app.py"
)
DOCTOR = f"otel-carbon doctor -- {INSTRUMENT}"
VALIDATE = "otel-carbon collector validate --config collector.yaml"
STARTS = {
    "otel-carbon collector --config collector.yaml",
    "otel-carbon collector --config collector.yaml --config health.yaml",
}
"""Run with ports that nobody has."""
ASKS = {"curl -s http://localhost:9464/metrics", "curl -s http://localhost:13133"}
"""Addresses of the collector, which are asked on those ports."""
SETS = {"export OTEL_CARBON_REGION=openai=eastus", "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}
AS_THEY_ARE = COMMANDS - INSTALLS - STARTS - ASKS - SETS - {INSTRUMENT, DOCTOR, VALIDATE}
"""Run in the folder of a reader."""
COUNTS = TokenCounts(input=800, output=300)
CALL: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
}
USAGE: dict[str, str | int] = {"gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 300}


def file_of(role: str, name: str) -> str:
    (text,) = [block.text for block in BLOCKS[role] if block.file == name]
    return text


def queries() -> list[str]:
    """PromQL of blocks, and of the tables of questions."""
    in_blocks = [block.text for block in all_blocks() if block.language == "promql"]
    in_tables = [code for code in code_of(TEXTS["sre"]) if code.startswith(("increase(", "otelcol_", "otel_carbon_"))]
    return [*in_blocks, *in_tables]


def all_blocks() -> list[Block]:
    return [block for role in ROLES for block in BLOCKS[role]]


def test_there_is_a_page_for_each_role_and_the_index_names_it() -> None:
    index = (REPOSITORY / "docs/README.md").read_text(encoding="utf-8")

    assert sorted(page.stem for page in (REPOSITORY / "docs/quick-start").glob("*.md")) == sorted(ROLES)
    assert [role for role in ROLES if f"quick-start/{role}.md" not in index] == []


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {block.language for block in all_blocks()} == {"sh", "python", "yaml", "promql"}
    assert [block.line for block in all_blocks() if block.language == "yaml" and not block.file] == []


def test_lines_that_install_are_lines_of_the_readme() -> None:
    of_readme = {command for block in blocks_of(README.read_text(encoding="utf-8")) for command in commands_of(block)}

    assert INSTALLS | {INSTRUMENT} <= COMMANDS & of_readme
    assert SETS | STARTS | ASKS | {DOCTOR, VALIDATE} <= COMMANDS


@pytest.mark.parametrize("command", sorted(AS_THEY_ARE))
def test_a_command_of_the_pages_does_what_it_should(command: str, run_as_reader: Run) -> None:
    assert command.startswith("otel-carbon ")
    run_as_reader(shlex.split(command))


@pytest.fixture
def openai_api(llm_server: ScriptedLlmServer, monkeypatch: pytest.MonkeyPatch, reader_folder: Path) -> None:
    """OpenAI's API on this machine, and the application of the page."""
    llm_server.script = Script(counts=COUNTS)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{llm_server.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    (reader_folder / "app.py").write_text(file_of("developer", "app.py"), encoding="utf-8")


def test_the_developers_application_shows_its_footprint(openai_api: None, run_as_reader: Run) -> None:
    (attributes,) = estimated_on_console(run_as_reader(shlex.split(INSTRUMENT)).stdout)

    named = [code for code in code_of(TEXTS["developer"]) if code.startswith("otel_carbon.") and "(" not in code]
    assert {name for name in named if name != "otel_carbon.reason"} <= attributes.keys()
    grams = attributes["otel_carbon.emissions_gco2e"]
    assert grams == emissions_of(COUNTS, model="gpt-4o-mini", provider="openai")


def test_the_doctor_finds_nothing_wrong_with_it(openai_api: None, run_as_reader: Run) -> None:
    assert "gpt-4o-mini" in run_as_reader(shlex.split(DOCTOR)).stderr


def test_the_configurations_are_valid(run_as_reader: Run, reader_folder: Path) -> None:
    (reader_folder / "collector.yaml").write_text(file_of("platform", "collector.yaml"), encoding="utf-8")
    (reader_folder / "health.yaml").write_text(file_of("sre", "health.yaml"), encoding="utf-8")

    run_as_reader(shlex.split(VALIDATE))
    run_as_reader([*shlex.split(VALIDATE), "--config", "health.yaml"])


def test_prometheus_takes_the_scrape_configuration(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(file_of("platform", "prometheus.yml"), encoding="utf-8")

    subprocess.run([require_promtool(), "check", "config", path], check=True, capture_output=True)


@pytest.fixture
def health_port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def collector(reader_folder: Path, otlp_sink: OtlpSink, health_port: int) -> Iterator[WrittenCollector]:
    """The collector of the platform's page with the addition of the SRE's, before a backend."""
    health = file_of("sre", "health.yaml").replace("localhost:13133", f"127.0.0.1:{health_port}")
    config = file_of("platform", "collector.yaml").replace("http://localhost:4328", otlp_sink.http_endpoint)
    with running_written_collector(
        config.replace("service:\n", health), reader_folder, reader_environment()
    ) as running:
        yield running


def send_calls(collector: WrittenCollector) -> None:
    """A call with usage and one without, of a team; and the call of a gateway."""
    for service in ("shop", "llm-gateway"):
        provider = TracerProvider(
            resource=Resource({"service.name": service, "team.name": "search"}), shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{collector.http_endpoint}/v1/traces")))
        tracer = provider.get_tracer("docs")
        tracer.start_span("chat gpt-4o", attributes=CALL | USAGE).end()
        tracer.start_span("chat gpt-4o", attributes=CALL).end()
        provider.shutdown()


def test_every_query_of_the_pages_has_an_answer(collector: WrittenCollector, tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with running_prometheus(folder) as prometheus:
        prometheus.scrape({"otel-carbon": collector.metrics_url.removeprefix("http://").removesuffix("/metrics")})
        send_calls(collector)
        prometheus.wait_for_fresh_scrape()
        send_calls(collector)
        prometheus.wait_for_fresh_scrape()
        prometheus.wait_for_fresh_scrape()

        assert [query for query in queries() if not prometheus.query(query)] == []
        assert_what_the_pages_say(prometheus)


def assert_what_the_pages_say(prometheus: PrometheusServer) -> None:
    # Twice a call of the shop with usage, and one without; the gateway is passed through.
    assert prometheus.value('otel_carbon_operations_total{otel_carbon_status="estimated"}') == 2
    assert prometheus.value('otel_carbon_operations_total{otel_carbon_status="unestimated"}') == 2
    (team,) = prometheus.query("sum by (otel_carbon_tenant) (otel_carbon_emissions_grams_total)")
    assert team.labels == {"otel_carbon_tenant": "search"}
    assert team.value == pytest.approx(2 * emissions_of(COUNTS, model="gpt-4o", provider="openai", region="eastus"))


def test_the_addresses_of_the_pages_answer(collector: WrittenCollector, health_port: int) -> None:
    send_calls(collector)

    assert "\notel_carbon_emissions_grams_total{" in collector.metrics()
    for path in ("", "/status?verbose"):
        with urllib.request.urlopen(f"http://127.0.0.1:{health_port}{path}", timeout=5) as answer:
            assert answer.status == 200
