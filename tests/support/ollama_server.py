"""A real Ollama, built by `tests/ollama/build.sh`, with real weights under the names that the clients ask for.

What it says of tokens, checked against its log (Ollama 0.17.4):

* `prompt_eval_count` is the whole prompt, whether or not a part of it was still in the cache;
* which part that was, it tells nobody: it stands in the log only;
* `eval_count` is what was generated; embeddings have no such count.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.components import require_built, require_model_weights
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LONGEST_ANSWER_TOKENS = 8
CUT_OFF_ANSWER_TOKENS = 400
"""Of an answer that is to be cut off there must be more than what is read of it."""

_START_TIMEOUT_S = 60.0
_CALL_TIMEOUT_S = 120.0
_PARAMETERS = {
    "top_k": 1,  # the likeliest word each time, whatever temperature a client asks for
    "num_ctx": 2 * CUT_OFF_ANSWER_TOKENS,
    "num_thread": 1,  # several wait for each other in loops, for very long on a machine that does something else too
}
_NOT_OURS = ("OLLAMA", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_LISTENING = re.compile(r"Listening on (127\.0\.0\.1:\d+)")
_PROMPT = re.compile(r'msg="loading cache slot" .*\bprompt=(\d+) used=(\d+)')


def require_ollama() -> Path:
    """Path of Ollama; without one the test is skipped, or fails in CI where Go is."""
    return require_built("Ollama", "tests/ollama/build.sh", "OLLAMA")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the log says of a prompt, in tokens; those that were cached are among all."""

    tokens: int
    cached: int


@dataclass(frozen=True, slots=True)
class OllamaServer:
    """A running Ollama at `url` (no trailing slash)."""

    url: str
    process: ManagedProcess

    def prompts(self) -> list[Prompt]:
        """All prompts that it has worked on, in order, as its log has them."""
        return [Prompt(int(tokens), int(cached)) for tokens, cached in _PROMPT.findall(self.process.stderr())]

    def answer(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What it answers to a question that no client and nothing of ours has touched."""
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_CALL_TIMEOUT_S) as answer:
            answered: dict[str, Any] = json.load(answer)
            return answered


@contextmanager
def running_ollama(folder: Path, models: Mapping[str, int]) -> Iterator[OllamaServer]:
    """Ollama with these models, each with the most tokens of an answer; all files that it writes go to `folder`."""
    program, weights = require_ollama(), require_model_weights()
    kept = {key: text for key, text in os.environ.items() if not key.startswith(_NOT_OURS)}
    ours = {
        "HOME": str(folder),
        "OLLAMA_MODELS": str(folder / "models"),
        "OLLAMA_HOST": "127.0.0.1:0",
        "OLLAMA_DEBUG": "1",  # else it does not say what is in a prompt
        "OLLAMA_NO_CLOUD": "1",
        "OLLAMA_NUM_PARALLEL": "1",
    }
    process = start([program, "serve"], folder=folder, name="ollama", environment=kept | ours)
    try:
        found = process.wait_for(
            lambda: _LISTENING.search(process.stderr()), timeout_s=_START_TIMEOUT_S, what="address of Ollama"
        )
        for name, most_tokens in models.items():
            _create(program, folder, name, weights, most_tokens, kept | ours | {"OLLAMA_HOST": found[1]})
        yield OllamaServer(f"http://{found[1]}", process)
    finally:
        process.stop()


def _create(
    program: Path, folder: Path, name: str, weights: Path, most_tokens: int, environment: Mapping[str, str]
) -> None:
    """Make a model that always answers the same; it takes the weights from where they are."""
    file = folder / "Modelfile"
    parameters = _PARAMETERS | {"num_predict": most_tokens}
    lines = [f"FROM {weights}", *(f"PARAMETER {key} {number}" for key, number in parameters.items())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [program, "create", name, "-f", file],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_CALL_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
