"""`opentelemetry-instrument python app.py`: an application that knows nothing of OpenTelemetry, and what it called."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.sdk.entry_points import CaptureInstrumentor
from tests.support.applications import CLIENT
from tests.support.automatic import COMMAND, OF_OTHERS, QUIET
from tests.support.exported_calls import estimated_on_console, printed_spans
from tests.support.llm_server import Script, TokenCounts, running_llm_server
from tests.support.model_server import MODEL_ALIAS
from tests.unit.sdk import programs
from tests.unit.sdk.genai_spans import ours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.model_server import ModelServer

OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
import openai
import otel_carbon
client = openai.OpenAI()  # before everything else
otel_carbon.instrument({arguments})
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "zanzibar-question"}])
"""
COUNTS = TokenCounts(120, 45, 30, 10, 7)


@pytest.fixture
def variables() -> Iterator[dict[str, str]]:
    """Those with which the OpenAI client asks a server of ours, and spans are printed."""
    with running_llm_server() as running:
        running.script = Script(counts=COUNTS)
        console = {"OTEL_TRACES_EXPORTER": "console"}
        yield QUIET | console | {"OPENAI_BASE_URL": f"{running.url}/v1", "OPENAI_API_KEY": "none"}


def test_capturing_alone_writes_spans_and_no_footprints(tmp_path: Path, variables: dict[str, str]) -> None:
    app = tmp_path / "app.py"
    app.write_text(f"{CLIENT}\ncall()\n", encoding="utf-8")
    off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"{OF_OTHERS},otel_carbon"}
    done = programs.run([COMMAND, sys.executable, app], variables | off)
    assert done.stderr == ""
    (span,) = printed_spans(done.stdout)
    assert (span["attributes"]["gen_ai.usage.input_tokens"], span["attributes"]["gen_ai.usage.output_tokens"]) == (
        120,
        45,
    )
    assert ours(span["attributes"]) == {}


@pytest.mark.parametrize(("arguments", "names"), [("", ["chat gpt-4o"]), ("capture=False", [])])
def test_one_line_captures_a_client_that_was_made_before_it_with_a_provider_that_comes_later(
    tmp_path: Path, variables: dict[str, str], arguments: str, names: list[str]
) -> None:
    app = tmp_path / "app.py"
    app.write_text(OWN_PROVIDER.replace("{arguments}", arguments), encoding="utf-8")
    done = programs.run([sys.executable, app], variables)
    assert done.stderr == ""
    assert [span["name"] for span in printed_spans(done.stdout)] == names
    assert len(estimated_on_console(done.stdout)) == len(names)


def test_the_entry_point_is_the_instrumentor() -> None:
    (entry,) = entry_points(group="opentelemetry_instrumentor", name="otel_carbon_capture")
    assert entry.load() is CaptureInstrumentor


def test_the_instrumentor_puts_every_method_back() -> None:
    import aiohttp
    import httpx
    import httpx2

    senders: list[Any] = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient]

    def methods() -> list[Any]:
        return [*(each.send for each in senders), aiohttp.ClientSession._request]

    before = methods()
    instrumentor = CaptureInstrumentor()
    instrumentor.instrument()
    assert all(now is not old for now, old in zip(methods(), before, strict=True))
    instrumentor.uninstrument()
    assert methods() == before


REAL = """
import asyncio, sys
import aiohttp, openai
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
    asked = {{"model": model, "messages": messages, "max_tokens": 12, "stream": True}}
    asked["stream_options"] = {{"include_usage": True}}
    async with aiohttp.ClientSession(sys.argv[1]) as session:
        async with session.post("/v1/chat/completions", json=asked) as response:
            async for _ in response.content:
                pass

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
    done = programs.run([COMMAND, sys.executable, app, model_server.url], QUIET | {"OTEL_TRACES_EXPORTER": "none"})
    counted = model_server.tokens() - before
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "gen_ai.usage.input_tokens": counted.input,
        "gen_ai.usage.output_tokens": counted.predicted,
        "gen_ai.usage.cache_read.input_tokens": counted.cached,
    }
