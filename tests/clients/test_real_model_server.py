"""Real clients against real weights: what is counted of their calls is what the model server itself counted.

What instrumentations tell when they are alone is shown in `tests/integration/test_real_model_server.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.clients.test_capture import counted

if TYPE_CHECKING:
    from tests.support.model_server import ModelServer

CHAT = ("plain", "streamed", "asynchronous")
CLIENTS = [
    ("current", "openai_calls", (*CHAT, "responses_streamed"), "official"),
    ("openai2", "openai_calls", (*CHAT, "responses_streamed"), "openinference"),
    ("current", "anthropic_calls", CHAT, "official"),
    ("current", "mistral_calls", ("plain", "asynchronous"), "own"),
    ("current", "litellm_calls", (*CHAT, "asynchronous_anthropic"), "openinference"),
    ("current", "langchain_calls", (*CHAT, "anthropic_streamed"), "official"),
    ("current", "pydantic_ai_calls", ("plain", "streamed", "asynchronous", "anthropic"), "own"),
]
"""Clients of the APIs that the model server speaks, the calls that it can answer, and an instrumentation of each."""


@pytest.mark.parametrize(("environment", "calls", "names", "instrumentation"), CLIENTS)
@pytest.mark.parametrize("how", ["captured", "both"])
def test_as_many_tokens_are_counted_as_the_model_server_counted(
    model_server: ModelServer, environment: str, calls: str, names: tuple[str, ...], instrumentation: str, how: str
) -> None:
    modes = {"captured": ["capture"], "both": ["capture", instrumentation]}[how]
    before = model_server.tokens()
    rows = counted(environment, calls, model_server.url, *modes, "--", *names)
    served = model_server.tokens() - before

    assert {row["call"]: row["error"] for row in rows} == dict.fromkeys(names, "")
    assert [sum(row["operations"].values()) for row in rows] == [1] * len(names)
    tokens: Counter[str] = Counter()
    for row in rows:
        tokens.update(row["tokens"])
    assert tokens == Counter(input_uncached=served.processed, cache_read=served.cached, output_visible=served.predicted)
