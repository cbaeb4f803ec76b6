"""Fixtures of the tests with client programs."""

from __future__ import annotations

from tests.support.llm_server import llm_server
from tests.support.model_server import model_server
from tests.support.otlp_sink import otlp_sink

__all__ = ["llm_server", "model_server", "otlp_sink"]
