"""Fixtures of the integration tests: real components from `tests.support`."""

from __future__ import annotations

from tests.support.llm_server import llm_server
from tests.support.model_server import model_server
from tests.support.otlp_sink import otlp_sink
from tests.support.prometheus_server import prometheus3_server, prometheus_server
from tests.support.third_party_receiver import third_party_receiver

__all__ = [
    "llm_server",
    "model_server",
    "otlp_sink",
    "prometheus3_server",
    "prometheus_server",
    "third_party_receiver",
]
