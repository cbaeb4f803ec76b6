"""Overlapping token counts made additive: five kinds that partition what the model processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from otel_carbon.core.usage import TokenUsage

INPUT_UNCACHED = "input_uncached"
CACHE_READ = "cache_read"
CACHE_WRITE = "cache_write"
OUTPUT_VISIBLE = "output_visible"
OUTPUT_REASONING = "output_reasoning"
KINDS = (INPUT_UNCACHED, CACHE_READ, CACHE_WRITE, OUTPUT_VISIBLE, OUTPUT_REASONING)


class AdditiveTokens(NamedTuple):
    """Token counts that add up: no token is in two kinds. The order is that of `KINDS`."""

    input_uncached: int
    cache_read: int
    cache_write: int
    output_visible: int
    output_reasoning: int


def additive_from_usage(usage: TokenUsage) -> AdditiveTokens:
    """Split the totals of a valid usage by taking each reported part out of its whole."""
    cache_read = usage.cache_read_tokens or 0
    cache_write = usage.cache_write_tokens or 0
    reasoning = usage.reasoning_tokens or 0
    return AdditiveTokens(
        (usage.input_tokens or 0) - cache_read - cache_write,
        cache_read,
        cache_write,
        (usage.output_tokens or 0) - reasoning,
        reasoning,
    )
