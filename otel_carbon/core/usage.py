"""What one call used, as telemetry reports it: overlapping counts and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.core.reasons import ABSURD_USAGE, INVALID_USAGE, PARTS_EXCEED_WHOLE
from otel_carbon.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

# Ten times the longest context window offered so far; a guard against garbage, not a fact about models.
MAX_TOKENS_PER_CALL = 100_000_000


def check_count(name: str, count: object) -> int:
    """A token count as an int, for counts that arrive as ints or whole floats.

    Raises:
        UsageError: `invalid_usage` when it is no whole non-negative number, `absurd_usage` when too large.
    """
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise UsageError(INVALID_USAGE, f"{name} must be a whole number of tokens >= 0, got {count!r:.60}")
    if count > MAX_TOKENS_PER_CALL:
        raise UsageError(ABSURD_USAGE, f"{name}={count} is more than {MAX_TOKENS_PER_CALL} tokens in one call")
    return count


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The tokens of one call to one model; `None` means not reported, which is not zero.

    `input_tokens` includes cache reads and writes, `output_tokens` includes reasoning.
    `region` is a cloud region or grid zone when known; `at` the day of the call in UTC.

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
        for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            count = getattr(self, name)
            if count is not None and (type(count) is not int or not 0 <= count <= MAX_TOKENS_PER_CALL):
                object.__setattr__(self, name, check_count(name, count))
        cached = (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)
        _check_part("cache_read_tokens + cache_write_tokens", cached, "input_tokens", self.input_tokens)
        _check_part("reasoning_tokens", self.reasoning_tokens or 0, "output_tokens", self.output_tokens)


def _check_part(part_name: str, part: int, whole_name: str, whole: int | None) -> None:
    if part > (whole or 0):
        raise UsageError(PARTS_EXCEED_WHOLE, f"{part_name}={part} exceeds {whole_name}={whole}")
