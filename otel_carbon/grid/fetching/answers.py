"""Fields of JSON answers, checked: what is wrong is named as `source: history[3].carbonIntensity`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.errors import GridError
from otel_carbon.grid.table_file import moment_from_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class Answer(NamedTuple):
    """A part of an answer with the way to it; every reader raises `GridError` that names the field."""

    source: str
    path: str
    content: object

    def error(self, expected: str) -> GridError:
        """What to raise when this part is not what it has to be."""
        shown = repr(self.content)
        shown = shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}..."
        return GridError(f"{self.source}: {self.path or 'the answer'} is {shown}, not {expected}")

    def field(self, name: str) -> Answer:
        """A field of an object; one that is missing holds `None`."""
        if not isinstance(self.content, dict):
            raise self.error("an object")
        path = f"{self.path}.{name}" if self.path else name
        return Answer(self.source, path, self.content.get(name))

    def entries(self) -> Iterator[Answer]:
        """The entries of a list."""
        if not isinstance(self.content, list):
            raise self.error("a list")
        return (Answer(self.source, f"{self.path}[{i}]", each) for i, each in enumerate(self.content))

    def moment(self) -> datetime:
        """A moment in UTC."""
        moment = moment_from_text(self.content) if isinstance(self.content, str) else None
        if moment is None:
            raise self.error("a moment in UTC")
        return moment

    def intensity_gco2e_per_kwh(self) -> float | None:
        """A number of gCO2e per kWh; `None` where the source knows none."""
        if self.content is None:
            return None
        if (
            isinstance(self.content, bool)
            or not isinstance(self.content, int | float)
            or not math.isfinite(self.content)
        ):
            raise self.error("a number of gCO2e per kWh")
        return float(self.content)


MOST_SHOWN = 40
"""Characters of a wrong value that a message shows."""
