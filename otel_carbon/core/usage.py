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


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The tokens of one call to one model; `None` means not reported, which is not zero.

    `input_tokens` includes cache reads and writes, `output_tokens` includes reasoning.
    `region` is a cloud region or grid zone when known; `at` the day of the call in UTC, also taken from a moment
    (one without a time zone is taken as UTC).

    Raises:
        UsageError: a count is impossible, or a part is larger than its whole.
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

    def __post_init__(self) -> None:
        for name in COUNT_NAMES:
            count = getattr(self, name)
            if count is not None:
                object.__setattr__(self, name, check_count(name, count))
        additive_from_counts(*(getattr(self, name) for name in COUNT_NAMES))
        if isinstance(self.at, datetime):  # a subclass of date that cannot be compared with one
            object.__setattr__(self, "at", _utc_day(self.at))

    def additive_tokens(self) -> AdditiveTokens:
        """The counts as kinds that add up; a total that was not reported contributes nothing."""
        return additive_from_counts(*(getattr(self, name) for name in COUNT_NAMES))


def _utc_day(moment: datetime) -> date:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
