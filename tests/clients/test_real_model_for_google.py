"""Google's client against real weights, through a gateway: what is counted is what the model server itself counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.test_capture import FAILED, NONE, ONE, counted
from tests.support.google_gateway import running_google_gateway

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
    # The gateway does not tell what was cached, so it is counted as read anew.
    assert all(row["tokens"].keys() == {"input_uncached", "output_visible"} for row in rows)
    assert sum(row["tokens"]["input_uncached"] for row in rows) == served.processed + served.cached
    assert sum(row["tokens"]["output_visible"] for row in rows) == served.predicted


@pytest.mark.parametrize(("environment", "modes"), CLIENTS)
def test_a_stream_that_is_cut_off_and_a_call_that_is_refused_are_counted_without_tokens(
    gateway: str, environment: str, modes: list[str]
) -> None:
    rows = counted(environment, "google_calls", gateway, *modes, "--", *CUT_OFF, "refused")
    outcomes = {row["call"]: (bool(row["error"]), row["operations"], row["tokens"]) for row in rows}
    assert outcomes == {**dict.fromkeys(CUT_OFF, (False, NONE, {})), "refused": (True, FAILED, {})}
