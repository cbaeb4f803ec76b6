"""`opentelemetry-instrument python app.py`: an application that knows nothing of OpenTelemetry, and what it called."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.sdk.entry_points import CaptureInstrumentor
from tests.integration.scripted_llm_server import Script, TokenCounts, running_llm_server
from tests.integration.test_sdk_auto_instrumentation import printed_spans
from tests.support.model_server import MODEL_ALIAS
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.scripted_llm_server import ScriptedLlmServer
    from tests.support.model_server import ModelServer

INSTRUMENT = Path(sys.executable).parent / "opentelemetry-instrument"
BARE = """
import json
import sys
import openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none")
client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "zanzibar-question"}])
"""
OWN_PROVIDER = """
import json
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
import openai
import otel_carbon
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none")  # before everything else
otel_carbon.instrument({arguments})
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "zanzibar-question"}])
"""
OUR_NAMES = {"otel_carbon", "otel_carbon_capture"}
OF_OTHERS = ",".join({each.name for each in entry_points(group="opentelemetry_instrumentor")} - OUR_NAMES)
QUIET = {
    "OTEL_TRACES_EXPORTER": "console",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OF_OTHERS,  # which would trace the call themselves
}
COUNTS = TokenCounts(120, 45, 30, 10, 7)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedLlmServer]:
    with running_llm_server() as running:
        running.script = Script(counts=COUNTS)
        yield running


def run(tmp_path: Path, text: str, url: str, *before: str | Path, **variables: str) -> dict[str, dict[str, Any]]:
    """The attributes of the spans that an application prints, by name; it may not complain."""
    app = tmp_path / "app.py"
    app.write_text(text, encoding="utf-8")
    done = programs.run([*before, sys.executable, app, url], QUIET | variables)
    assert done.stderr == ""
    return printed_spans(done.stdout)


def test_a_bare_script_shows_what_its_call_emitted(tmp_path: Path, server: ScriptedLlmServer) -> None:
    spans = run(tmp_path, BARE, server.url, INSTRUMENT)
    (span,) = spans.values()
    assert list(spans) == ["chat gpt-4o"]
    assert span["otel_carbon.status"] == "estimated"
    assert 0 < span["otel_carbon.emissions_gco2e_low"] < span["otel_carbon.emissions_gco2e"]
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (120, 45)


@pytest.mark.parametrize(
    "off",
    [
        {"OTEL_CARBON_CAPTURE": "false"},
        {"OTEL_CARBON_DISABLED": "true"},
        {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"{OF_OTHERS},otel_carbon_capture"},
    ],
    ids=["variable", "all of otel-carbon", "standard variable"],
)
def test_it_can_be_switched_off_without_touching_the_application(
    tmp_path: Path, server: ScriptedLlmServer, off: dict[str, str]
) -> None:
    assert run(tmp_path, BARE, server.url, INSTRUMENT, **off) == {}


def test_capturing_alone_writes_spans_and_no_footprints(tmp_path: Path, server: ScriptedLlmServer) -> None:
    off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"{OF_OTHERS},otel_carbon"}
    (span,) = run(tmp_path, BARE, server.url, INSTRUMENT, **off).values()
    assert span["gen_ai.usage.input_tokens"] == 120
    assert ours(span) == {}


def test_a_configuration_file_changes_nothing_of_it(tmp_path: Path, server: ScriptedLlmServer) -> None:
    config = tmp_path / "otel.yaml"
    config.write_text(
        'file_format: "1.0"\ntracer_provider: {processors: [{simple: {exporter: {console: {}}}}]}\n', encoding="utf-8"
    )
    app = tmp_path / "app.py"
    app.write_text(BARE, encoding="utf-8")
    done = programs.run([INSTRUMENT, sys.executable, app, server.url], QUIET | {"OTEL_CONFIG_FILE": str(config)})
    (span,) = printed_spans(done.stdout).values()
    assert span["otel_carbon.status"] == "estimated"


@pytest.mark.parametrize(("arguments", "names"), [("", ["chat gpt-4o"]), ("capture=False", [])])
def test_one_line_captures_with_a_provider_that_comes_later(
    tmp_path: Path, server: ScriptedLlmServer, arguments: str, names: list[str]
) -> None:
    spans = run(tmp_path, OWN_PROVIDER.replace("{arguments}", arguments), server.url)
    assert list(spans) == names
    assert {span["otel_carbon.status"] for span in spans.values()} <= {"estimated"}


def test_the_entry_point_is_the_instrumentor() -> None:
    (entry,) = entry_points(group="opentelemetry_instrumentor", name="otel_carbon_capture")
    assert entry.load() is CaptureInstrumentor


def test_the_instrumentor_puts_every_method_back() -> None:
    import httpx
    import httpx2

    owners: list[Any] = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient]
    before = [owner.send for owner in owners]
    instrumentor = CaptureInstrumentor()
    instrumentor.instrument()
    assert all(owner.send is not old for owner, old in zip(owners, before, strict=True))
    instrumentor.uninstrument()
    assert [owner.send for owner in owners] == before


REAL = """
import asyncio, sys
import openai
model, messages = "{model}", [{{"role": "user", "content": "Name a colour."}}]
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none")
client.chat.completions.create(model=model, messages=messages, max_tokens=12)
for _ in client.chat.completions.create(
    model=model, messages=messages, max_tokens=12, stream=True, stream_options={{"include_usage": True}}
):
    pass
client.responses.create(model=model, input="Name a town.", max_output_tokens=12)

async def later():
    async with openai.AsyncOpenAI(base_url=sys.argv[1] + "/v1", api_key="none") as client:
        await client.chat.completions.create(model=model, messages=messages, max_tokens=12)

asyncio.run(later())
"""
SUMMING = """
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

class Summing(SpanProcessor):
    sums = {}

    def on_end(self, span):
        for key, value in span.attributes.items():
            if key.startswith("gen_ai.usage."):
                self.sums[key] = self.sums.get(key, 0) + value

trace.get_tracer_provider().add_span_processor(Summing())
"""


def test_what_a_real_model_server_counted_is_what_was_captured(tmp_path: Path, model_server: ModelServer) -> None:
    app = tmp_path / "app.py"
    shown = "\nimport json\nprint(json.dumps(Summing.sums))\n"
    app.write_text(SUMMING + REAL.format(model=MODEL_ALIAS) + shown, encoding="utf-8")
    before = model_server.tokens()
    done = programs.run([INSTRUMENT, sys.executable, app, model_server.url], QUIET | {"OTEL_TRACES_EXPORTER": "none"})
    counted = model_server.tokens() - before
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "gen_ai.usage.input_tokens": counted.input,
        "gen_ai.usage.output_tokens": counted.predicted,
        "gen_ai.usage.cache_read.input_tokens": counted.cached,
    }
