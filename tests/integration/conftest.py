"""Fixtures of the integration tests: real components from `tests.support`."""

from __future__ import annotations

from tests.support.chat_server import chat_server
from tests.support.model_server import model_server
from tests.support.otlp_sink import otlp_sink
from tests.support.prometheus_server import prometheus_server
from tests.support.third_party_receiver import third_party_receiver

__all__ = ["chat_server", "model_server", "otlp_sink", "prometheus_server", "third_party_receiver"]
