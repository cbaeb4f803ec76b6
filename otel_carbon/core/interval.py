"""A quantity known only between two bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Interval:
    """A non-negative quantity as `low <= mid <= high`; the unit is in the name of whatever holds it.

    `low` and `high` of a fact are its expert 95 % range.
    Sums and products combine them worst case with worst case: those are bounds, not a 95 % range.

    Raises:
        ValueError: a bound is negative, not finite, or out of order.
    """

    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.low <= self.mid <= self.high < math.inf):
            msg = f"an interval needs 0 <= low <= mid <= high, finite; got {self.low}, {self.mid}, {self.high}"
            raise ValueError(msg)

    @classmethod
    def exactly(cls, amount: float) -> Interval:
        """The interval of an amount that is known."""
        return cls(amount, amount, amount)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.mid + other.mid, self.high + other.high)

    def __mul__(self, other: Interval) -> Interval:
        return Interval(self.low * other.low, self.mid * other.mid, self.high * other.high)

    def scaled(self, factor: float) -> Interval:
        """All three bounds times one known, non-negative factor."""
        return Interval(self.low * factor, self.mid * factor, self.high * factor)

    def as_dict(self) -> dict[str, float]:
        """The JSON form: `{"low": x, "mid": y, "high": z}`."""
        return {"low": self.low, "mid": self.mid, "high": self.high}


ZERO = Interval(0.0, 0.0, 0.0)


def total(intervals: Iterable[Interval]) -> Interval:
    """The sum of many intervals, each bound summed without rounding drift."""
    terms = list(intervals)
    return Interval(math.fsum(t.low for t in terms), math.fsum(t.mid for t in terms), math.fsum(t.high for t in terms))
