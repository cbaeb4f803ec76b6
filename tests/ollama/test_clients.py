"""Real clients at a real Ollama: what is counted of a call is what Ollama says of it, in answers and in its log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.test_capture import FAILED, NONE, ONE, counted, totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.clients.test_capture import Counted
    from tests.support.ollama_server import OllamaServer

MODEL, QUESTION = "llama3.1:8b", "zanzibar-question"
"""As in the calls of `tests.clients`."""
CHATS = ("plain", "streamed", "asynchronous", "asynchronous_streamed")
CUT_OFF = ("aborted", "asynchronous_aborted")
CAPTURED, BOTH = ["capture"], ["capture", "openllmetry"]
ANTHROPIC_TOKENS = 20
"""The most that the calls of `tests.clients.anthropic_calls` ask for; what the model is set to counts for less."""


def told(ollama: OllamaServer, path: str, **asked: Any) -> Mapping[str, int]:
    """The tokens of a question, as Ollama tells them to whoever asks without a client and without us."""
    answer = ollama.answer(path, {"stream": False, **asked})
    names = {"input_uncached": "prompt_eval_count", "output_visible": "eval_count"}
    return {kind: answer[name] for kind, name in names.items() if name in answer}


def told_of_chats(ollama: OllamaServer, **options: int) -> Mapping[str, int]:
    return told(ollama, "/api/chat", model=MODEL, messages=[{"role": "user", "content": QUESTION}], options=options)


def test_ollama_tells_the_whole_prompt_although_most_of_it_was_cached(ollama: OllamaServer) -> None:
    first = told_of_chats(ollama)
    again = told_of_chats(ollama)

    prompt = ollama.prompts()[-1]
    assert prompt.cached == prompt.tokens - 1  # the last one is always worked on, to begin the answer from
    assert first == again == {"input_uncached": prompt.tokens, "output_visible": 8}


@pytest.mark.parametrize("modes", [CAPTURED, BOTH[1:], BOTH], ids=["captured", "instrumented", "both"])
def test_a_call_of_ollamas_client_has_the_tokens_that_ollama_tells(ollama: OllamaServer, modes: list[str]) -> None:
    chat = told_of_chats(ollama)
    expected: dict[str, Counted] = {
        **dict.fromkeys(CHATS, (ONE, chat)),
        "generated": (ONE, told(ollama, "/api/generate", model=MODEL, prompt=QUESTION)),
        "embeddings": (ONE, told(ollama, "/api/embed", model="nomic-embed-text", input=QUESTION)),
    }
    before = len(ollama.prompts())
    rows = counted("current", "ollama_calls", ollama.url, *modes, "--", *expected)

    worked_on = sorted(prompt.tokens for prompt in ollama.prompts()[before:])
    assert worked_on == sorted(tokens["input_uncached"] for _, tokens in expected.values())
    if "capture" not in modes:
        expected["embeddings"] = ({}, {})  # of which this instrumentation knows nothing
    assert totals(rows) == expected


@pytest.mark.parametrize("modes", [CAPTURED, BOTH[1:], BOTH], ids=["captured", "instrumented", "both"])
def test_what_is_cut_off_missing_or_only_loaded_is_counted_without_tokens(
    ollama: OllamaServer, modes: list[str]
) -> None:
    rows = counted("current", "ollama_calls", ollama.url, *modes, "--", *CUT_OFF, "loaded", "refused")
    assert totals(rows) == {**dict.fromkeys((*CUT_OFF, "loaded"), (NONE, {})), "refused": (FAILED, {})}
    assert {row["call"]: row["error"] for row in rows if row["error"]} == {"refused": "ResponseError"}


@pytest.mark.parametrize(
    "modes", [CAPTURED, ["official"], ["capture", "official"]], ids=["captured", "instrumented", "both"]
)
def test_a_call_of_openais_client_has_the_tokens_that_ollama_tells(ollama: OllamaServer, modes: list[str]) -> None:
    chat = told_of_chats(ollama)
    embedding = told(ollama, "/api/embed", model="nomic-embed-text", input=QUESTION)
    expected: dict[str, Counted] = {
        **dict.fromkeys((*CHATS, "responses", "responses_streamed"), (ONE, chat)),
        "embeddings": (ONE, embedding),
        **dict.fromkeys(("streamed_without_usage", *CUT_OFF), (NONE, {})),
        "refused": (FAILED, {}),
    }
    assert totals(counted("current", "openai_calls", ollama.url, *modes, "--", *expected)) == expected


@pytest.mark.parametrize(
    "modes", [CAPTURED, ["official"], ["capture", "official"]], ids=["captured", "instrumented", "both"]
)
def test_a_call_of_anthropics_client_has_the_tokens_that_ollama_tells(ollama: OllamaServer, modes: list[str]) -> None:
    """Ollama begins a stream with a guess of its input, and tells the count at the end."""
    chat = told_of_chats(ollama, num_predict=ANTHROPIC_TOKENS)
    expected = {**dict.fromkeys(CHATS, (ONE, chat)), "refused": (FAILED, {})}
    found = totals(counted("current", "anthropic_calls", ollama.url, *modes, "--", *expected, *CUT_OFF))
    cut_off = [found.pop(name) for name in CUT_OFF]

    assert found == expected
    assert [(operations, list(tokens)) for operations, tokens in cut_off] == [(NONE, ["input_uncached"])] * 2
