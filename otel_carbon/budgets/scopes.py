"""Which calls a budget is about: the labels that its scope may name, and whether two scopes can share a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.metrics.labels import SeriesLabels
from otel_carbon.metrics.points import LABEL_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.budgets.model import Budget

PROMETHEUS_LABELS = {name: key.replace(".", "_") for name, key in zip(SeriesLabels._fields, LABEL_KEYS, strict=True)}
"""The labels of our series by the word for them in a scope; the user's own are beside them under their own names."""


def prometheus_label(name: str) -> str:
    """How Prometheus spells a label of a scope."""
    return PROMETHEUS_LABELS.get(name, name)


def matches(scope: Mapping[str, tuple[str, ...]], labels: SeriesLabels) -> bool:
    """Whether calls with these labels are in a scope; a label of the user's own is on no call in process."""
    return all(getattr(labels, name, "") in values for name, values in scope.items())


def can_share_calls(first: Budget, second: Budget) -> bool:
    """Whether a call can be in both scopes and counts in both with the same quantity."""
    if first.unit.quantity is not second.unit.quantity:
        return False
    common = first.scope.keys() & second.scope.keys()
    return all(set(first.scope[name]) & set(second.scope[name]) for name in common)


def scope_text(scope: Mapping[str, tuple[str, ...]]) -> str:
    """A scope for people: `tenant "search", provider "openai" or "anthropic"`."""
    parts = (f"{name} {' or '.join(_quoted(value) for value in values)}" for name, values in sorted(scope.items()))
    return ", ".join(parts) or "all calls"


def shown_text(text: str) -> str:
    """A text on one line, with escapes for what is not printable."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)


def _quoted(value: str) -> str:
    return f'"{shown_text(value)}"'
