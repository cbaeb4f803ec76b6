"""Cached and reasoning tokens are taken out of the totals that include them, whichever comes first."""

from __future__ import annotations

from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.usage_metrics.parts import Parts


def test_parts_are_taken_out_of_their_whole() -> None:
    counts = {
        "input_tokens": 100,
        "cache_read_tokens": 30,
        "cache_write_tokens": 20,
        "output_tokens": 50,
        "reasoning_tokens": 15,
    }
    assert Parts().split("a", counts) == AdditiveTokens(100 - 30 - 20, 30, 20, 50 - 15, 15)


def test_a_part_that_comes_before_its_whole_waits_for_it() -> None:
    parts = Parts()
    assert parts.split("a", {"cache_read_tokens": 30, "reasoning_tokens": 15}) == AdditiveTokens(0, 0, 0, 0, 0)
    assert parts.waiting_tokens == 30 + 15
    assert parts.split("b", {"input_tokens": 100}) == AdditiveTokens(100, 0, 0, 0, 0)
    assert parts.split("a", {"input_tokens": 100, "output_tokens": 10}) == AdditiveTokens(100 - 30, 30, 0, 0, 10)
    assert parts.waiting_tokens == 15 - 10


def test_a_part_that_comes_after_its_whole_is_taken_out_of_the_next() -> None:
    parts = Parts()
    booked = [
        parts.split("a", {"input_tokens": 100}),
        parts.split("a", {"cache_read_tokens": 30}),
        parts.split("a", {"input_tokens": 40}),
    ]
    assert [sum(kind) for kind in zip(*booked, strict=True)] == [100 + 40 - 30, 30, 0, 0, 0]


def test_what_waits_is_bounded() -> None:
    parts = Parts(max_waiting=2)
    for owner in ("a", "b", "c"):
        parts.split(owner, {"cache_read_tokens": 1})
    assert parts.waiting_tokens == 2
