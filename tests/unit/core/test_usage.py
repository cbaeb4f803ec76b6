from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, AdditiveTokens
from otel_carbon.core.usage import COUNT_NAMES, TokenUsage
from otel_carbon.errors import OtelCarbonError, UsageError


def _usage(**counts: Any) -> TokenUsage:
    return TokenUsage("acme", "one", **counts)


@pytest.mark.parametrize("name", COUNT_NAMES)
@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (-1, "-1"),
        (True, "True"),
        (False, "False"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (1.5, "1.5"),
        (-2.0, "-2"),
        ("12", "a str"),
        ([3], "a list"),
        (b"12", "a bytes"),
        (-(10**5000), "a large negative number"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, int) else None,
)
def test_what_is_no_count_is_refused_by_name(name: str, count: object, shown: str) -> None:
    with pytest.raises(UsageError) as refused:
        _usage(**{name: count})
    assert refused.value.code == "invalid_usage"
    assert str(refused.value) == f"{name} must be a whole number of tokens >= 0, got {shown}"


@pytest.mark.parametrize("name", COUNT_NAMES)
@pytest.mark.parametrize("count", [MAX_TOKENS_PER_CALL + 1, 1e300, 10**5000], ids=["limit", "float", "digits"])
def test_an_absurd_count_is_refused_by_name(name: str, count: float) -> None:
    with pytest.raises(UsageError) as refused:
        _usage(**{name: count})
    assert refused.value.code == "absurd_usage"
    assert str(refused.value) == f"{name} is more than 100,000,000 tokens in one call"


def test_the_largest_count_is_accepted() -> None:
    assert _usage(input_tokens=MAX_TOKENS_PER_CALL).input_tokens == 100_000_000


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens"])
def test_a_whole_float_becomes_an_int(name: str) -> None:
    count = getattr(_usage(**{name: 12.0}), name)
    assert (count, type(count)) == (12, int)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"input_tokens": 10, "cache_read_tokens": 11},
            "cache_read_tokens + cache_write_tokens = 11 exceeds input_tokens = 10",
        ),
        (
            {"input_tokens": 10, "cache_read_tokens": 6, "cache_write_tokens": 5},
            "cache_read_tokens + cache_write_tokens = 11 exceeds input_tokens = 10",
        ),
        (
            {"output_tokens": 10, "cache_write_tokens": 1},
            "cache_read_tokens + cache_write_tokens = 1 exceeds input_tokens = None",
        ),
        ({"output_tokens": 10, "reasoning_tokens": 11}, "reasoning_tokens = 11 exceeds output_tokens = 10"),
        ({"input_tokens": 10, "reasoning_tokens": 1}, "reasoning_tokens = 1 exceeds output_tokens = None"),
    ],
)
def test_a_part_larger_than_its_whole_is_refused(counts: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        _usage(**counts)
    assert (refused.value.code, str(refused.value)) == ("parts_exceed_whole", message)


def test_a_refusal_is_a_value_error_and_one_of_ours() -> None:
    assert issubclass(UsageError, ValueError)
    assert issubclass(UsageError, OtelCarbonError)


def test_parts_are_taken_out_of_their_wholes() -> None:
    usage = _usage(input_tokens=100, output_tokens=50, cache_read_tokens=60, cache_write_tokens=30, reasoning_tokens=20)
    assert usage.additive_tokens() == AdditiveTokens(
        input_uncached=100 - 60 - 30, cache_read=60, cache_write=30, output_visible=50 - 20, output_reasoning=20
    )


def test_a_part_may_be_the_whole() -> None:
    usage = _usage(input_tokens=7, output_tokens=5, cache_read_tokens=7, reasoning_tokens=5)
    assert usage.additive_tokens() == AdditiveTokens(0, 7, 0, 0, 5)


def test_absent_counts_stay_absent_and_contribute_nothing() -> None:
    usage = _usage(output_tokens=0)
    assert (usage.input_tokens, usage.output_tokens) == (None, 0)
    assert usage.additive_tokens() == AdditiveTokens(0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "moment",
    [
        date(2026, 3, 1),
        datetime(2026, 3, 1, 23, 59, tzinfo=UTC),
        datetime(2026, 2, 28, 23, 30, tzinfo=timezone(timedelta(hours=-1))),
        datetime(2026, 3, 2, 0, 30, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 3, 1, 12),  # noqa: DTZ001 - that one without a time zone is taken as UTC is the test
    ],
)
def test_the_day_of_a_moment_is_its_day_in_utc(moment: date) -> None:
    at = _usage(at=moment).at
    assert (at, type(at)) == (date(2026, 3, 1), date)


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        (datetime(2026, 11, 26, 0, 30, tzinfo=timezone(timedelta(hours=2))), 22),
        (datetime(2026, 11, 26, 7, 59), 7),  # noqa: DTZ001 - without a time zone it is taken as UTC
        (date(2026, 11, 26), None),
        (None, None),
    ],
)
def test_a_moment_gives_the_hour_in_utc_and_a_day_gives_none(at: date | None, hour: int | None) -> None:
    assert TokenUsage("acme", "one", output_tokens=1, at=at).hour == hour


@pytest.mark.parametrize("hour", [-1, 24])
def test_an_hour_that_no_day_has_is_refused(hour: int) -> None:
    with pytest.raises(ValueError, match=f"hour is {hour}, not a whole number from 0 to 23"):
        TokenUsage("acme", "one", output_tokens=1, hour=hour)
