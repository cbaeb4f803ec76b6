"""Token counts: checked one by one, then made additive, five kinds that partition what the model processed."""

from __future__ import annotations

from typing import NamedTuple

from otel_carbon.core.reasons import ABSURD_USAGE, INVALID_USAGE, PARTS_EXCEED_WHOLE
from otel_carbon.errors import UsageError

INPUT_UNCACHED = "input_uncached"
CACHE_READ = "cache_read"
CACHE_WRITE = "cache_write"
OUTPUT_VISIBLE = "output_visible"
OUTPUT_REASONING = "output_reasoning"
KINDS = (INPUT_UNCACHED, CACHE_READ, CACHE_WRITE, OUTPUT_VISIBLE, OUTPUT_REASONING)

# Ten times the longest context window offered so far; a guard against garbage, not a fact about models.
MAX_TOKENS_PER_CALL = 100_000_000


class AdditiveTokens(NamedTuple):
    """Token counts that add up: no token is in two kinds. The order is that of `KINDS`."""

    input_uncached: int
    cache_read: int
    cache_write: int
    output_visible: int
    output_reasoning: int


NO_TOKENS_AT_ALL = AdditiveTokens(0, 0, 0, 0, 0)


def attended_pairs(tokens: AdditiveTokens) -> int:
    """Pairs of an output token of one call and a token that stands before it, which it looks back at.

    Formula: `output * input + output * (output - 1) / 2`; cached input is not computed again, but looked back at.
    Pairs of several calls add up; those of their summed tokens are far too many.
    """
    output = tokens.output_visible + tokens.output_reasoning
    return output * (tokens.input_uncached + tokens.cache_read + tokens.cache_write) + output * (output - 1) // 2


def check_count(name: str, count: object) -> int:
    """A token count as an int, for counts that arrive as ints or whole floats.

    Raises:
        UsageError: `invalid_usage` when it is no whole non-negative number, `absurd_usage` when too large.
    """
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise UsageError(INVALID_USAGE, f"{name} must be a whole number of tokens >= 0, got {_shown(count)}")
    if count > MAX_TOKENS_PER_CALL:
        raise UsageError(ABSURD_USAGE, f"{name} is more than {MAX_TOKENS_PER_CALL:,} tokens in one call")
    return count


def additive_from_counts(
    input_tokens: int | None,
    output_tokens: int | None,
    cache_read_tokens: int | None,
    cache_write_tokens: int | None,
    reasoning_tokens: int | None,
) -> AdditiveTokens:
    """Split checked totals by taking each reported part out of its whole; what is absent contributes nothing.

    Raises:
        UsageError: `parts_exceed_whole` when a part is larger than its whole.
    """
    cache_read, cache_write, reasoning = cache_read_tokens or 0, cache_write_tokens or 0, reasoning_tokens or 0
    uncached = (input_tokens or 0) - cache_read - cache_write
    visible = (output_tokens or 0) - reasoning
    if uncached < 0:
        cached = f"cache_read_tokens + cache_write_tokens = {cache_read + cache_write}"
        raise UsageError(PARTS_EXCEED_WHOLE, f"{cached} exceeds input_tokens = {input_tokens}")
    if visible < 0:
        raise UsageError(PARTS_EXCEED_WHOLE, f"reasoning_tokens = {reasoning} exceeds output_tokens = {output_tokens}")
    return AdditiveTokens(uncached, cache_read, cache_write, visible, reasoning)


def _shown(count: object) -> str:
    """A wrong count for a message, without whatever text stands in its place, or more digits than anyone reads."""
    if isinstance(count, int) and abs(count) > MAX_TOKENS_PER_CALL:
        return "a large negative number"
    return repr(count) if isinstance(count, int | float) else f"a {type(count).__name__}"
