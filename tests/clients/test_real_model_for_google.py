"""Google's client against real weights, through a gateway: what is counted is what the model server itself counted."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.clients.test_capture import FAILED, NONE, ONE, TIMEOUT_S, counted
from tests.support.google_gateway import CUT_OFF_ANSWER_TOKENS, running_google_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.model_server import ModelServer

ANSWERED = ("plain", "streamed", "asynchronous", "asynchronous_streamed")
CUT_OFF = ("aborted", "asynchronous_aborted")
CLIENTS = [
    pytest.param("current", ["capture"], id="3 over aiohttp, captured"),
    pytest.param("current", ["openinference"], id="3 over aiohttp, instrumented"),
    pytest.param("current", ["capture", "openinference"], id="3 over aiohttp, both"),
    pytest.param("examples-google", ["capture"], id="3 over httpx, captured"),
    pytest.param("google2", ["capture"], id="2 over aiohttp, captured"),
    pytest.param("google2", ["official"], id="2 over aiohttp, instrumented"),
    pytest.param("google2", ["capture", "official"], id="2 over aiohttp, both"),
]
"""Of version 3 and later no official instrumentation knows; that of OpenInference does."""


@pytest.fixture(scope="module")
def gateway(model_server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_google_gateway(model_server, tmp_path_factory.mktemp("gateway")) as address:
        yield address


@pytest.mark.parametrize(("environment", "modes"), CLIENTS)
def test_a_call_through_a_gateway_has_the_tokens_that_the_model_server_counted(
    model_server: ModelServer, gateway: str, environment: str, modes: list[str]
) -> None:
    before = model_server.tokens()
    rows = counted(environment, "google_calls", gateway, *modes, "--", *ANSWERED)
    served = model_server.tokens() - before

    assert [(row["call"], row["error"], row["operations"]) for row in rows] == [(name, "", ONE) for name in ANSWERED]
    tokens: Counter[str] = Counter()
    for row in rows:
        tokens.update(row["tokens"])
    # Clients are not told what was cached, as the last test shows, so it is counted as read anew.
    assert tokens == Counter(input_uncached=served.processed + served.cached, output_visible=served.predicted)


@pytest.mark.parametrize(("environment", "modes"), CLIENTS)
def test_a_stream_that_is_cut_off_and_a_call_that_is_refused_are_counted_without_tokens(
    model_server: ModelServer, gateway: str, environment: str, modes: list[str]
) -> None:
    before = model_server.tokens()
    rows = counted(environment, "google_calls", gateway, *modes, "--", *CUT_OFF, "refused")
    served = model_server.tokens() - before

    assert 0 < served.predicted < len(CUT_OFF) * CUT_OFF_ANSWER_TOKENS  # they were cut off, and began before
    outcomes = {row["call"]: (bool(row["error"]), row["operations"], row["tokens"]) for row in rows}
    assert outcomes == {**dict.fromkeys(CUT_OFF, (False, NONE, {})), "refused": (True, FAILED, {})}


def test_what_the_gateway_tells_is_the_whole_prompt_and_not_how_much_of_it_was_cached(
    model_server: ModelServer, gateway: str
) -> None:
    before = model_server.tokens()
    told = [usage_of(gateway) for _ in range(2)]
    served = model_server.tokens() - before

    assert served.cached > 0
    assert sum(usage["promptTokenCount"] for usage in told) == served.processed + served.cached
    assert sum(usage["candidatesTokenCount"] for usage in told) == served.predicted
    assert not any("cachedContentTokenCount" in usage for usage in told)


def usage_of(gateway: str) -> dict[str, int]:
    """What the gateway tells whoever asks without a client and without us."""
    asked = {"contents": [{"role": "user", "parts": [{"text": "zanzibar-question"}]}]}
    address = f"{gateway}/models/gemini-2.5-flash:generateContent"
    request = urllib.request.Request(address, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        usage: dict[str, int] = json.load(answer)["usageMetadata"]
        return usage
