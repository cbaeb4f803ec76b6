"""Real clients against answers whose counts are known: with their instrumentations, captured, and both.

Every client runs in an environment of its own (`python tools/make_clients.py`), without a line of ours in its calls.
"""

from __future__ import annotations

import json
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.clients import client_program
from tests.support.llm_server import Script, TokenCounts, running_llm_server
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.llm_server import ScriptedLlmServer

    Counted = tuple[Mapping[str, int], Mapping[str, int]]
    """Operations by status, and tokens by type."""
    Expected = Mapping[str, Mapping[str, Counted]]

COUNTS = TokenCounts(input=120, output=45, cache_read=30, cache_write=10, reasoning=7)
TIMEOUT_S = 180

OPENAI = {"input_uncached": 120 - 30, "cache_read": 30, "output_visible": 45 - 7, "output_reasoning": 7}
RESPONSES = {**OPENAI, "input_uncached": 120 - 30 - 10, "cache_write": 10}
"""Of OpenAI's APIs only this one tells what was written to the cache."""
ANTHROPIC = {"input_uncached": 120 - 30 - 10, "cache_read": 30, "cache_write": 10, "output_visible": 45}
BEGUN = {key: count for key, count in ANTHROPIC.items() if key != "output_visible"}
COHERE = {"input_uncached": 120 - 30, "cache_read": 30, "output_visible": 45}
OLLAMA = {"input_uncached": 120, "output_visible": 45}
EMBEDDED = {"input_uncached": 120}
GEMINI_BEGUN = {"input_uncached": 120}
"""Each event tells what was used until then; the parts of the input stand in the last one only."""
ONE, NONE, FAILED = {"estimated": 1}, {"unestimated": 1}, {"unestimated": 1}

EXPECTED: Expected = {
    "openai_calls": {
        "plain": (ONE, OPENAI),
        "streamed": (ONE, OPENAI),
        "streamed_without_usage": (NONE, {}),
        "aborted": (NONE, {}),
        "asynchronous": (ONE, OPENAI),
        "asynchronous_streamed": (ONE, OPENAI),
        "asynchronous_aborted": (NONE, {}),
        "responses": (ONE, RESPONSES),
        "responses_streamed": (ONE, RESPONSES),
        "embeddings": (ONE, EMBEDDED),
        "raw_response": (ONE, OPENAI),
        "retried": (ONE, OPENAI),
        "refused": (FAILED, {}),
        "azure": (ONE, OPENAI),
    },
    "anthropic_calls": {
        "plain": (ONE, ANTHROPIC),
        "streamed": (ONE, ANTHROPIC),
        "thinking": (ONE, ANTHROPIC),
        "aborted": (NONE, BEGUN),
        "asynchronous": (ONE, ANTHROPIC),
        "asynchronous_streamed": (ONE, ANTHROPIC),
        "asynchronous_aborted": (NONE, BEGUN),
        "refused": (FAILED, {}),
    },
    "google_calls": {
        "plain": (ONE, OPENAI),
        "streamed": (ONE, OPENAI),
        "aborted": (NONE, GEMINI_BEGUN),
        "embeddings": (ONE, EMBEDDED),
        "refused": (FAILED, {}),
        "asynchronous": (ONE, OPENAI),
        "asynchronous_streamed": (ONE, OPENAI),
        "asynchronous_aborted": (NONE, GEMINI_BEGUN),
    },
    "mistral_calls": {
        "plain": (ONE, OPENAI),
        "streamed": (ONE, OPENAI),
        "aborted": (NONE, {}),
        "asynchronous": (ONE, OPENAI),
        "asynchronous_streamed": (ONE, OPENAI),
        "asynchronous_aborted": (NONE, {}),
        "embeddings": (ONE, EMBEDDED),
    },
    "ollama_calls": {
        "plain": (ONE, OLLAMA),
        "streamed": (ONE, OLLAMA),
        "aborted": (NONE, {}),
        "generated": (ONE, OLLAMA),
        "loaded": (NONE, {}),
        "asynchronous": (ONE, OLLAMA),
        "asynchronous_streamed": (ONE, OLLAMA),
        "asynchronous_aborted": (NONE, {}),
        "embeddings": (ONE, EMBEDDED),
        "refused": (FAILED, {}),
    },
    "cohere_calls": {
        "plain": (ONE, COHERE),
        "streamed": (ONE, COHERE),
        "asynchronous": (ONE, COHERE),
        "embeddings": (ONE, EMBEDDED),
    },
    "aiohttp_calls": {
        "asynchronous": (ONE, OPENAI),
        "asynchronous_streamed": (ONE, OPENAI),
        "asynchronous_in_chunks": (ONE, OPENAI),
        "asynchronous_aborted": (NONE, {}),
        "asynchronous_refused": (FAILED, {}),
    },
    "bedrock_calls": dict.fromkeys(("asynchronous", "asynchronous_streamed", "asynchronous_invoked"), (ONE, ANTHROPIC)),
    "litellm_calls": {
        "plain": (ONE, OPENAI),
        "streamed": (ONE, OPENAI),
        "aborted": (NONE, {}),
        "asynchronous": (ONE, OPENAI),
        "asynchronous_streamed": (ONE, OPENAI),
        "asynchronous_aborted": (NONE, {}),
        "anthropic": (ONE, ANTHROPIC),
        "asynchronous_anthropic": (ONE, ANTHROPIC),
    },
    "langchain_calls": {
        "plain": (ONE, OPENAI),
        "streamed": (ONE, OPENAI),
        "aborted": (NONE, {}),
        "asynchronous": (ONE, OPENAI),
        "asynchronous_streamed": (ONE, OPENAI),
        "asynchronous_aborted": (NONE, {}),
        "anthropic": (ONE, ANTHROPIC),
        "anthropic_streamed": (ONE, ANTHROPIC),
    },
    "pydantic_ai_calls": {
        "plain": (ONE, OPENAI),
        "streamed": (ONE, OPENAI),
        "aborted": (NONE, {}),
        "asynchronous": (ONE, OPENAI),
        "anthropic": (ONE, ANTHROPIC),
    },
}
WITHOUT_PARTS = {"input_uncached": 120, "output_visible": 45}
WITHOUT_REASONING = {"input_uncached": 120 - 30, "cache_read": 30, "output_visible": 45}
GAPS: Mapping[tuple[str, str], Mapping[str, Counted]] = {
    ("openai_calls", "openllmetry"): {
        "streamed": (ONE, WITHOUT_REASONING),
        "asynchronous_streamed": (ONE, WITHOUT_REASONING),
        "responses": (ONE, OPENAI),
        "responses_streamed": (ONE, OPENAI),
    },
    ("openai_calls", "official-v2"): {
        **dict.fromkeys(
            ("plain", "streamed", "asynchronous", "asynchronous_streamed", "raw_response", "retried", "azure"),
            (ONE, WITHOUT_PARTS),
        ),
        "responses": ({}, {}),
        "responses_streamed": ({}, {}),
    },
    ("google_calls", "openinference"): {"embeddings": (NONE, {})},
    ("mistral_calls", "own"): dict.fromkeys(
        ("plain", "streamed", "asynchronous", "asynchronous_streamed"), (ONE, WITHOUT_REASONING)
    ),
    ("ollama_calls", "openllmetry"): {"embeddings": ({}, {})},
}
"""What instrumentations do not tell when they are alone; capturing fills all of it in."""
RETRIED_ALONE = ({"estimated": 1, "unestimated": 1}, OPENAI)
"""On the wire a call that is refused and repeated is two, one of which used nothing."""

OURS, OF_AIOHTTP = "otel_carbon.capture", "opentelemetry.instrumentation.aiohttp_client"
ALONE = [
    ("current", "openai_calls"),
    ("openai2", "openai_calls"),
    ("current", "anthropic_calls"),
    ("current", "google_calls"),
    ("examples-google", "google_calls"),
    ("google2", "google_calls"),
    ("current", "mistral_calls"),
    ("current", "ollama_calls"),
    ("current", "cohere_calls"),
    ("current", "aiohttp_calls"),
    ("aiohttp38", "aiohttp_calls"),
    ("bedrock", "bedrock_calls"),
    ("current", "litellm_calls"),
    ("current", "langchain_calls"),
    ("current", "pydantic_ai_calls"),
]
INSTRUMENTED = [
    ("current", "openai_calls", "official"),
    ("current", "openai_calls", "openllmetry"),
    ("openai2", "openai_calls", "official-v2"),
    ("openai2", "openai_calls", "openinference"),
    ("current", "anthropic_calls", "official"),
    ("current", "anthropic_calls", "openllmetry"),
    ("current", "google_calls", "openinference"),
    ("google2", "google_calls", "official"),
    ("current", "mistral_calls", "own"),
    ("current", "ollama_calls", "openllmetry"),
    ("current", "litellm_calls", "openinference"),
    ("current", "langchain_calls", "official"),
    ("current", "pydantic_ai_calls", "own"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedLlmServer]:
    with running_llm_server() as running:
        running.script = Script(counts=COUNTS)
        yield running


@lru_cache(maxsize=64)
def counted(environment: str, calls: str, url: str, *modes: str) -> tuple[dict[str, Any], ...]:
    """What was counted of each call of a module, made in an environment with these things switched on."""
    done = subprocess.run(
        [client_program(environment, "python"), "-m", "tests.clients.run_calls", calls, url, *modes],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=programs.environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return tuple(json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"call"'))


def totals(rows: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {row["call"]: (row["operations"], row["tokens"]) for row in rows}


@pytest.mark.parametrize(("environment", "calls"), ALONE)
def test_a_client_that_is_captured_and_nothing_else_is_counted_right(
    server: ScriptedLlmServer, environment: str, calls: str
) -> None:
    expected: dict[str, Counted] = dict(EXPECTED[calls])
    if "retried" in expected:
        expected["retried"] = RETRIED_ALONE
    assert totals(counted(environment, calls, server.url, "capture")) == expected


@pytest.mark.parametrize(("environment", "calls", "instrumentation"), INSTRUMENTED)
def test_an_instrumentation_alone_is_counted_right_as_far_as_it_tells(
    server: ScriptedLlmServer, environment: str, calls: str, instrumentation: str
) -> None:
    expected = {**EXPECTED[calls], **GAPS.get((calls, instrumentation), {})}
    assert totals(counted(environment, calls, server.url, instrumentation)) == expected


@pytest.mark.parametrize(("environment", "calls", "instrumentation"), INSTRUMENTED)
def test_both_together_are_counted_once_and_in_full(
    server: ScriptedLlmServer, environment: str, calls: str, instrumentation: str
) -> None:
    assert totals(counted(environment, calls, server.url, "capture", instrumentation)) == EXPECTED[calls]


@pytest.mark.parametrize("http", ["httpx", "httpx2"])
@pytest.mark.parametrize("environment", ["current", "openai2"])
def test_spans_of_http_clients_change_nothing(server: ScriptedLlmServer, environment: str, http: str) -> None:
    if environment == "openai2" and http == "httpx2":
        return  # which is not installed there
    rows = counted(environment, "openai_calls", server.url, "capture", http)
    assert totals(rows) == {**EXPECTED["openai_calls"], "retried": RETRIED_ALONE}


@pytest.mark.parametrize("calls", ["aiohttp_calls", "google_calls", "litellm_calls"])
def test_spans_of_aiohttp_are_below_ours_and_change_nothing(server: ScriptedLlmServer, calls: str) -> None:
    rows = counted("current", calls, server.url, "capture", "aiohttp", "httpx", "httpx2")
    assert totals(rows) == EXPECTED[calls]
    spans = [span for row in rows if row["call"].startswith("asynchronous") for span in row["spans"]]
    by_scope = {scope: [span["is_below"] for span in spans if span["scope"] == scope] for scope in (OURS, OF_AIOHTTP)}
    calls_made = sum(call.startswith("asynchronous") for call in EXPECTED[calls])
    assert by_scope == {OURS: [False] * calls_made, OF_AIOHTTP: [True] * calls_made}


def test_a_span_of_an_instrumentation_is_the_only_one_of_its_call(server: ScriptedLlmServer) -> None:
    rows = counted("current", "openai_calls", server.url, "capture", "official")
    assert {span["scope"] for row in rows for span in row["spans"]} == {"opentelemetry.instrumentation.genai.openai"}


@pytest.mark.parametrize(("environment", "calls"), ALONE)
def test_no_span_of_ours_holds_a_word_that_was_said(server: ScriptedLlmServer, environment: str, calls: str) -> None:
    spans = [span for row in counted(environment, calls, server.url, "capture") for span in row["spans"]]
    assert spans
    assert not [span for span in spans if span["leaks"]]
