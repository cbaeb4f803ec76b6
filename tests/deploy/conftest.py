"""Fixtures of the tests of deployment files."""

from __future__ import annotations

from tests.support.otlp_sink import otlp_sink

__all__ = ["otlp_sink"]
