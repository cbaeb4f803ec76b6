"""What one call used, as telemetry reports it: overlapping counts and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.core.tokens import additive_from_counts, check_count

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.core.tokens import AdditiveTokens

COUNT_NAMES = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The tokens of one call to one model; `None` means not reported, which is not zero.

    `input_tokens` includes cache reads and writes, `output_tokens` includes reasoning.
    `region` is a cloud region or grid zone when known; `at` the day of the call in UTC, also taken from a moment
    (one without a time zone is taken as UTC), which gives `hour` as well: 0 to 23 in UTC, `None` when only the day is
    known. Only estimates with a grid table look at the hour.

    Raises:
        UsageError: a count is impossible, or a part is larger than its whole.
        ValueError: the hour is none.
    """

    provider: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    operation: str = "chat"
    region: str | None = None
    at: date | None = None
    hour: int | None = None

    def __post_init__(self) -> None:
        for name in COUNT_NAMES:
            count = getattr(self, name)
            if count is not None:
                object.__setattr__(self, name, check_count(name, count))
        additive_from_counts(*(getattr(self, name) for name in COUNT_NAMES))
        if isinstance(self.at, datetime):  # a subclass of date that cannot be compared with one
            moment = _in_utc(self.at)
            object.__setattr__(self, "at", moment.date())
            object.__setattr__(self, "hour", moment.hour if self.hour is None else self.hour)
        if self.hour is not None and not 0 <= self.hour < HOURS_PER_DAY:
            msg = f"hour is {self.hour!r}, not a whole number from 0 to 23"
            raise ValueError(msg)

    def additive_tokens(self) -> AdditiveTokens:
        """The counts as kinds that add up; a total that was not reported contributes nothing."""
        return additive_from_counts(*(getattr(self, name) for name in COUNT_NAMES))


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment
