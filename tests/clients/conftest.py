"""Fixtures of the tests with client programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.scripted_llm_server import running_llm_server
from tests.support.model_server import model_server
from tests.support.otlp_sink import otlp_sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.scripted_llm_server import ScriptedLlmServer

__all__ = ["llm_server", "model_server", "otlp_sink"]


@pytest.fixture
def llm_server() -> Iterator[ScriptedLlmServer]:
    """The providers' APIs on this machine, with counts that the test decides."""
    with running_llm_server() as server:
        yield server
