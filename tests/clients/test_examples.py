"""Every example is run as it says, with the real client, against APIs on this machine whose counts the test decides."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.clients import client_environment, client_program
from tests.support.examples import EXAMPLES, command_of, commands_of, exports_of, name_of, packages_of
from tests.support.exported_calls import EMISSIONS, emissions_of, estimated_on_console
from tests.support.llm_answers.script import CANARY, Script, TokenCounts
from tests.support.ports import free_ports
from tests.support.processes import start
from tests.support.written_collector import running_written_collector
from tools.make_clients import sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.llm_server import ScriptedLlmServer
    from tests.support.written_collector import WrittenCollector

COUNTS = TokenCounts(input=800, output=300)
SECRET = "sk-" + "0123456789abcdef" * 4
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an example calls, and the client environment it runs in."""

    client: str
    model: str = "gpt-4o-mini"
    provider: str = "openai"
    region: str | None = None

    @property
    def emissions_gco2e(self) -> float:
        """The gCO2e of one call with the decided counts."""
        return emissions_of(COUNTS, model=self.model, provider=self.provider, region=self.region)


PYTHON = {
    "openai_chat.py": Call(client="examples-openai"),
    "openai_stream.py": Call(client="examples-openai"),
    "anthropic_messages.py": Call(client="examples-anthropic", model="claude-haiku-4-5", provider="anthropic"),
    "google_genai.py": Call(client="examples-google", model="gemini-2.5-flash", provider="gcp.gemini"),
    "mistral_chat.py": Call(client="examples-mistral", model="mistral-small-latest", provider="mistral_ai"),
    "langchain_chain.py": Call(client="examples-langchain"),
    "pydantic_ai_agent.py": Call(client="examples-pydantic-ai"),
    "openai_agents.py": Call(client="examples-openai-agents"),
    "litellm_sdk.py": Call(client="examples-litellm"),
    "ollama_chat.py": Call(client="examples-ollama", model="llama3.2", provider="self_hosted", region="FRA"),
}
PROXY, VERCEL, CLAUDE, COLLECTOR = "litellm_proxy.yaml", "vercel_ai_sdk.mjs", "claude_code.sh", "collector.yaml"
OTHERS = {
    PROXY: Call(client="examples-litellm-proxy"),
    VERCEL: Call(client="examples-vercel-ai-sdk"),
    CLAUDE: Call(client="examples-claude-code", model="claude-haiku-4-5", provider="anthropic"),
}
"""Run by the tests below; `collector.yaml` by the last two of them."""


def test_every_file_of_the_folder_is_run_by_a_test_and_listed() -> None:
    files = {path.name for path in EXAMPLES.iterdir()} - {"README.md"}
    assert files == {*PYTHON, *OTHERS, COLLECTOR}

    listed = re.findall(r"^\| \[(\S+?)\]\(\1\)", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(files)


@pytest.mark.parametrize("name", [*PYTHON, *OTHERS])
def test_an_example_installs_what_it_is_tested_with(name: str) -> None:
    source = sources()[(PYTHON | OTHERS)[name].client]
    text = source.read_text(encoding="utf-8")
    wanted = text.splitlines() if source.suffix == ".txt" else list(json.loads(text)["dependencies"])
    assert packages_of(EXAMPLES / name) == {name_of(each) for each in wanted}


def addresses(server: ScriptedLlmServer) -> dict[str, str]:
    """The providers' real host names, at a proxy that answers for all of them, and Ollama on this machine."""
    return {
        "HTTP_PROXY": server.url,
        "http_proxy": server.url,
        "OPENAI_BASE_URL": "http://api.openai.com/v1",
        "ANTHROPIC_BASE_URL": "http://api.anthropic.com",
        "GOOGLE_GEMINI_BASE_URL": "http://generativelanguage.googleapis.com",
        "MISTRAL_SERVER_URL": "http://api.mistral.ai",
        "OLLAMA_HOST": server.url,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is fetched
    }


@pytest.fixture
def reader_folder(tmp_path: Path) -> Path:
    """Where a reader types: it has the examples, and whatever is written stays there."""
    shutil.copytree(EXAMPLES, tmp_path / "docs" / "examples")
    return tmp_path


def run_as_reader(command: str, client: str, variables: dict[str, str], folder: Path) -> str:
    """What a command of an example prints, typed into a shell."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=client_environment(client, variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", list(PYTHON))
def test_a_python_example_shows_the_footprint_of_its_call(
    name: str, llm_server: ScriptedLlmServer, reader_folder: Path
) -> None:
    llm_server.script = Script(counts=COUNTS)
    path, call = EXAMPLES / name, PYTHON[name]
    (command,) = [each for each in commands_of(path) if each.endswith(f"python docs/examples/{name}")]

    printed = run_as_reader(command, call.client, addresses(llm_server) | exports_of(path, SECRET), reader_folder)

    estimated = estimated_on_console(printed)
    assert [each[EMISSIONS] for each in estimated] == [call.emissions_gco2e]
    assert len(llm_server.calls) == 1
    assert CANARY in printed.partition("{\n")[0]  # the application got its answer
    assert CANARY not in str(estimated)


def test_the_proxy_example_shows_the_footprint_of_a_call_through_it(
    llm_server: ScriptedLlmServer, reader_folder: Path
) -> None:
    llm_server.script = Script(counts=COUNTS)
    path, call = EXAMPLES / PROXY, OTHERS[PROXY]
    variables = addresses(llm_server) | exports_of(path, SECRET) | {"OPENAI_BASE_URL": f"{llm_server.url}/v1"}
    (port,) = free_ports(1)
    proxy = start(
        ["sh", "-c", f"cd {reader_folder} && exec {command_of(path, 'opentelemetry-instrument ')} --port={port}"],
        folder=reader_folder,
        name="proxy",
        environment=client_environment(call.client, variables),
    )
    try:
        proxy.wait_until_listening(port, timeout_s=TIMEOUT_S)
        asking = command_of(path, "curl ").replace("localhost:4000", f"--silent 127.0.0.1:{port}")
        answer = json.loads(run_as_reader(asking, call.client, variables, reader_folder))
        assert answer["usage"]["completion_tokens"] == COUNTS.output
        (span,) = proxy.wait_for(
            lambda: estimated_on_console(proxy.stdout()), timeout_s=TIMEOUT_S, what="estimated span"
        )
        assert span[EMISSIONS] == call.emissions_gco2e
    finally:
        proxy.stop()


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[WrittenCollector]:
    """The collector of the examples, on ports that nobody has."""
    config = (EXAMPLES / COLLECTOR).read_text(encoding="utf-8")
    with running_written_collector(config, tmp_path) as running:
        yield running


def test_the_vercel_example_is_enriched_by_the_collector(
    collector: WrittenCollector, llm_server: ScriptedLlmServer, reader_folder: Path
) -> None:
    llm_server.script = Script(counts=COUNTS)
    path, call = EXAMPLES / VERCEL, OTHERS[VERCEL]
    (reader_folder / "node_modules").symlink_to(client_program(call.client, "").parent)
    variables = {
        "OPENAI_BASE_URL": f"{llm_server.url}/v1",
        "OPENAI_API_KEY": SECRET,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
    }

    printed = run_as_reader(command_of(path, "node "), call.client, variables, reader_folder)

    assert CANARY in printed
    logged = collector.process.wait_for(
        lambda: re.findall(r"otel_carbon\.status=(\w+)", collector.log()), timeout_s=TIMEOUT_S, what="logged spans"
    )
    assert sorted(logged) == ["aggregate", "estimated"]
    assert re.findall(r"otel_carbon\.emissions_gco2e=(\S+)", collector.log()) == [str(call.emissions_gco2e)]


def test_the_claude_code_example_is_counted_from_its_metrics(
    collector: WrittenCollector, llm_server: ScriptedLlmServer, reader_folder: Path
) -> None:
    llm_server.script = Script(counts=COUNTS)
    path, call = EXAMPLES / CLAUDE, OTHERS[CLAUDE]
    variables = {
        "HOME": str(reader_folder),
        "ANTHROPIC_BASE_URL": llm_server.url,
        "ANTHROPIC_API_KEY": SECRET,
        "ANTHROPIC_MODEL": call.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
        "CARBON_METRICS": collector.metrics_url,
    }

    printed = run_as_reader(command_of(path, "sh "), call.client, variables, reader_folder)

    assert CANARY in printed
    (grams,) = re.findall(r"^otel_carbon_emissions_grams_total\{.*\} (\S+)$", printed, re.MULTILINE)
    calls = [each for each in llm_server.calls if each.path == "/v1/messages"]
    assert float(grams) == pytest.approx(len(calls) * call.emissions_gco2e)
