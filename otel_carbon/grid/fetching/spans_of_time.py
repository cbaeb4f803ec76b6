"""The time that a refresh is to read, in parts that a source gives at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta


class Times(NamedTuple):
    """From one moment up to another, which is not part of it; UTC."""

    start: datetime
    end: datetime

    def parts(self, longest: timedelta) -> Iterator[Times]:
        """The same time in parts of at most that length, in order."""
        start = self.start
        while start < self.end:
            end = min(start + longest, self.end)
            yield Times(start, end)
            start = end

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether a period lies within it."""
        return self.start <= start and end <= self.end
