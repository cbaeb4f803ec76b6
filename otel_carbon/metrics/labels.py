"""The labels of our series, and the budget that bounds how many there can be."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DEFAULT_MAX_SERIES = 2000
OTHER = "other"
NO_TENANT = "none"
MAX_LABEL_CHARACTERS = 128


class SeriesLabels(NamedTuple):
    """What a booked call is labelled with; never an id of a span, a conversation or a user."""

    provider: str
    model: str
    region: str
    tier: str
    tenant: str
    service: str
    environment: str


OVERFLOW = SeriesLabels(*[OTHER] * len(SeriesLabels._fields))
"""The labels under which everything is booked once the budget is spent, so that totals still add up."""


class LabelBudget:
    """Admits label sets until `max_series` are in use; later ones become `OVERFLOW`."""

    __slots__ = ("_admitted", "_max_series", "dropped")

    def __init__(self, max_series: int = DEFAULT_MAX_SERIES) -> None:
        self._admitted: set[SeriesLabels] = set()
        self._max_series = max_series
        self.dropped = 0
        """How many times a new label set was refused."""

    def admit(self, labels: SeriesLabels) -> SeriesLabels:
        """The labels to book under."""
        if labels in self._admitted:
            return labels
        if len(self._admitted) >= self._max_series:
            self.dropped += 1
            return OVERFLOW
        self._admitted.add(labels)
        return labels

    def reset(self) -> None:
        """Admit anew."""
        self._admitted.clear()
        self.dropped = 0


def label_text(text: str) -> str:
    """A label value cut to a bound; half a surrogate pair, which no page could be encoded with, becomes `?`."""
    return _encodable(text[:MAX_LABEL_CHARACTERS])


@lru_cache(maxsize=4096)
def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()
