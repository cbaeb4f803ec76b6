"""The real model server: real weights behind the OpenAI and Anthropic APIs, with its own token counters as oracle.

What its `/metrics` says, checked call by call against the `usage` of the answers (xllamacpp 2026.10):

* `llamacpp:prompt_tokens_total` counts prompt tokens that were *processed*; cached ones are not in it.
* `llamacpp:prompt_tokens_cached_total` counts prompt tokens reused from the cache.
* `llamacpp:tokens_predicted_total` counts generated tokens.

So over any set of calls, exactly: input = processed + cached, cache read = cached, output = predicted, where

* OpenAI chat: input is `prompt_tokens`, of which `prompt_tokens_details.cached_tokens` were read from the cache;
* OpenAI Responses: input is `input_tokens`, of which `input_tokens_details.cached_tokens`;
* Anthropic Messages: input is `input_tokens + cache_read_input_tokens`: there the cached part stands outside;
* a chat stream with `include_usage` reports the same object in its last chunk;
* a chat stream without it reports nothing, yet the counters move: the only way to know its tokens is the server;
* an Anthropic stream reports input in `message_start` and output in `message_delta`;
* a refused call (unknown route, malformed body, prompt longer than the context: all 4xx) moves no counter;
* `max_tokens=0` still generates, and counts, one token.

Sharing a prefix as small as the chat template already gives cached tokens, and which slot answers decides how many:
assert on what was reported, never on a fixed number. An unknown model name is answered by the loaded model.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.components import require_model_weights
from tests.support.processes import ManagedProcess, start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL_ALIAS = "smollm2-135m"
"""The name under which clients ask for the model, and which answers carry."""

_SERVE_SCRIPT = Path(__file__).with_name("serve_model.py")
_START_TIMEOUT_S = 60.0
_IDLE_TIMEOUT_S = 10.0
_HTTP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ServerTokens:
    """Tokens that the model server itself says it worked on.

    Attributes:
        processed: prompt tokens computed, cached ones not included.
        cached: prompt tokens taken from the cache.
        predicted: tokens generated.
    """

    processed: int
    cached: int
    predicted: int

    @property
    def input(self) -> int:
        """All prompt tokens, cached ones included."""
        return self.processed + self.cached

    def __sub__(self, earlier: ServerTokens) -> ServerTokens:
        return ServerTokens(
            self.processed - earlier.processed, self.cached - earlier.cached, self.predicted - earlier.predicted
        )


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A running model server at `url` (no trailing slash; the OpenAI API is below `/v1`)."""

    url: str

    def tokens(self) -> ServerTokens:
        """The server's own token counts since it started, taken when no request is being worked on."""
        sample = wait_until(self._idle_sample, timeout_s=_IDLE_TIMEOUT_S, what="idle model server")
        return ServerTokens(
            processed=int(sample["llamacpp:prompt_tokens_total"]),
            cached=int(sample["llamacpp:prompt_tokens_cached_total"]),
            predicted=int(sample["llamacpp:tokens_predicted_total"]),
        )

    def _idle_sample(self) -> dict[str, float] | None:
        sample = _parse_samples(_read(f"{self.url}/metrics"))
        busy = sample["llamacpp:requests_processing"] + sample["llamacpp:requests_deferred"]
        return None if busy else sample


@pytest.fixture(scope="session")
def model_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """The real model server, started once per test run; take differences of its counters."""
    weights = require_model_weights()
    process = start(
        [sys.executable, _SERVE_SCRIPT, weights], folder=tmp_path_factory.mktemp("model_server"), name="model_server"
    )
    try:
        address = process.wait_for(lambda: _address(process), timeout_s=_START_TIMEOUT_S, what="model server address")
        process.wait_for(lambda: _is_healthy(address), timeout_s=_START_TIMEOUT_S, what="healthy model server")
        yield ModelServer(address)
    finally:
        process.stop()


def _address(process: ManagedProcess) -> str | None:
    line, newline, _ = process.stdout().partition("\n")
    return str(json.loads(line)["address"]).rstrip("/") if newline else None


def _is_healthy(address: str) -> bool:
    try:
        return bool(_read(f"{address}/health"))
    except OSError:
        return False


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_HTTP_TIMEOUT_S) as answer:
        text: str = answer.read().decode()
        return text


def _parse_samples(exposition: str) -> dict[str, float]:
    rows = (line.rsplit(" ", 1) for line in exposition.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in rows}
