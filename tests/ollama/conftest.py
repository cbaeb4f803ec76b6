"""The Ollama of these tests, started once for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.ollama_server import CUT_OFF_ANSWER_TOKENS, LONGEST_ANSWER_TOKENS, running_ollama

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.ollama_server import OllamaServer

ANSWERING = ("llama3.1:8b", "nomic-embed-text", "gpt-4o", "text-embedding-3-small", "claude-sonnet-5")
CUT_OFF = ("aborted-llama", "aborted-gpt-4o", "aborted-claude")
"""What the calls of `tests.clients` ask for; all of them are the same small weights."""


@pytest.fixture(scope="session")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    models = dict.fromkeys(ANSWERING, LONGEST_ANSWER_TOKENS) | dict.fromkeys(CUT_OFF, CUT_OFF_ANSWER_TOKENS)
    with running_ollama(tmp_path_factory.mktemp("ollama"), models) as running:
        yield running
