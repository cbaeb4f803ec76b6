"""Copies of configurations in which time goes by faster: every duration is divided by one number."""

from __future__ import annotations

import json
import re
from typing import Any

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"(?:\d+(?:ms|s|m|h|d|w))+")
_PART = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_IN_PROMQL = re.compile(r"(\[|offset )((?:\d+(?:ms|s|m|h|d|w))+)(?=\]|\s|\)|$|,)")
_KEYS = frozenset(
    {"interval", "for", "group_wait", "group_interval", "repeat_interval", "scrape_interval", "evaluation_interval"}
)
_EXPRESSION = "expr"
_SHORTEST_MS = 250
_SHORTEST_SCRAPE_MS = 500
"""No page is asked for more often, as it has to answer before the next time, on a busy machine as well."""


def shortened(document: Any, factor: float) -> Any:
    """A copy of rules, or of a configuration of Prometheus or Alertmanager, `factor` times as fast."""
    if isinstance(document, list):
        return [shortened(each, factor) for each in document]
    if not isinstance(document, dict):
        return document
    return {key: _shortened_value(key, value, factor) for key, value in document.items()}


def shortened_text(document: Any, factor: float) -> str:
    """The same as JSON, which is YAML."""
    return json.dumps(shortened(document, factor))


def shortened_expression(promql: str, factor: float) -> str:
    """An expression with shorter ranges and offsets."""
    return _IN_PROMQL.sub(lambda found: found[1] + _divided(found[2], factor, at_least_ms=1), promql)


def _shortened_value(key: str, value: Any, factor: float) -> Any:
    if key in _KEYS and isinstance(value, str) and _DURATION.fullmatch(value):
        return _divided(value, factor, at_least_ms=_SHORTEST_SCRAPE_MS if key == "scrape_interval" else _SHORTEST_MS)
    return shortened_expression(value, factor) if key == _EXPRESSION else shortened(value, factor)


def _divided(duration: str, factor: float, *, at_least_ms: int) -> str:
    whole_ms = sum(int(count) * _UNITS_MS[unit] for count, unit in _PART.findall(duration))
    return f"{max(round(whole_ms / factor), at_least_ms)}ms"
