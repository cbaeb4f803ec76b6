"""Token counts as spans carry them: which are taken, which are refused and why, and what absence means."""

from __future__ import annotations

import pytest

from otel_carbon.core import reasons
from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, AdditiveTokens
from otel_carbon.spans.counts import MAX_NUMBER_CHARACTERS
from tests.unit.spans.chat_spans import CHAT, USAGE, read

INPUT = "gen_ai.usage.input_tokens"
OUTPUT = "gen_ai.usage.output_tokens"
CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE = "gen_ai.usage.cache_write.input_tokens"
REASONING = "gen_ai.usage.reasoning.output_tokens"
COUNT_KEYS = (INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, REASONING)


@pytest.mark.parametrize("spelled", [60, 60.0, "60", " 60 "], ids=["int", "whole float", "text", "padded text"])
def test_whole_numbers_are_counts_however_they_are_typed(spelled: object) -> None:
    reading = read({**CHAT, INPUT: spelled, OUTPUT: spelled})
    assert reading.tokens == AdditiveTokens(60, 0, 0, 60, 0)
    assert reading.counts == (60, 60, None, None, None)
    assert reading.problem is None


@pytest.mark.parametrize("key", COUNT_KEYS)
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (-1, reasons.INVALID_USAGE),
        (-1.0, reasons.INVALID_USAGE),
        (True, reasons.INVALID_USAGE),
        (False, reasons.INVALID_USAGE),
        (0.5, reasons.INVALID_USAGE),
        (float("nan"), reasons.INVALID_USAGE),
        (float("inf"), reasons.INVALID_USAGE),
        ("many", reasons.INVALID_USAGE),
        ("-5", reasons.INVALID_USAGE),
        ("", reasons.INVALID_USAGE),
        ("9" * 5000, reasons.INVALID_USAGE),
        ((1, 2), reasons.INVALID_USAGE),
        ({"tokens": 1}, reasons.INVALID_USAGE),
        (b"60", reasons.INVALID_USAGE),
        (MAX_TOKENS_PER_CALL + 1, reasons.ABSURD_USAGE),
        (2**63 - 1, reasons.ABSURD_USAGE),
        (1e18, reasons.ABSURD_USAGE),
        ("9" * MAX_NUMBER_CHARACTERS, reasons.ABSURD_USAGE),
        ("9" * (MAX_NUMBER_CHARACTERS + 1), reasons.INVALID_USAGE),
    ],
    ids=str,
)
def test_impossible_counts_are_refused_with_their_reason(key: str, wrong: object, reason: str) -> None:
    reading = read({**CHAT, **USAGE, key: wrong})
    assert reading.tokens is None
    assert reading.counts is None
    assert reading.problem is not None
    assert reading.problem.reason == reason


def test_a_wrong_text_is_not_repeated_in_the_detail() -> None:
    reading = read({**CHAT, **USAGE, INPUT: "a secret prompt"})
    assert reading.problem is not None
    assert "secret" not in str(reading.problem)


def test_the_largest_count_is_still_taken() -> None:
    reading = read({**CHAT, INPUT: MAX_TOKENS_PER_CALL, OUTPUT: 1})
    assert reading.tokens == AdditiveTokens(MAX_TOKENS_PER_CALL, 0, 0, 1, 0)


@pytest.mark.parametrize(
    "parts",
    [{CACHE_READ: 1001}, {CACHE_WRITE: 1001}, {CACHE_READ: 600, CACHE_WRITE: 401}, {REASONING: 201}],
    ids=["cache read", "cache write", "both caches", "reasoning"],
)
def test_parts_larger_than_their_whole_are_refused(parts: dict[str, object]) -> None:
    reading = read({**CHAT, **USAGE, **parts})
    assert reading.tokens is None
    assert reading.problem is not None
    assert reading.problem.reason == reasons.PARTS_EXCEED_WHOLE


def test_parts_as_large_as_their_whole_leave_nothing_else() -> None:
    reading = read({**CHAT, **USAGE, CACHE_READ: 600, CACHE_WRITE: 400, REASONING: 200})
    assert reading.tokens == AdditiveTokens(0, 600, 400, 0, 200)


def test_no_count_at_all_is_no_usage_and_not_zero() -> None:
    reading = read(CHAT)
    assert reading.tokens is None
    assert reading.counts is None
    assert reading.problem is not None
    assert reading.problem.reason == reasons.NO_USAGE


def test_parts_without_a_whole_are_no_usage() -> None:
    reading = read({**CHAT, CACHE_READ: 60, REASONING: 10})
    assert reading.problem is not None
    assert reading.problem.reason == reasons.NO_USAGE


def test_an_absent_count_stays_unknown_beside_a_present_one() -> None:
    assert read({**CHAT, INPUT: 60}).counts == (60, None, None, None, None)
    assert read({**CHAT, OUTPUT: 60}).counts == (None, 60, None, None, None)


def test_counts_of_zero_are_counts() -> None:
    reading = read({**CHAT, INPUT: 0, OUTPUT: 0})
    assert reading.tokens == AdditiveTokens(0, 0, 0, 0, 0)
    assert reading.counts == (0, 0, None, None, None)
    assert reading.problem is None


@pytest.mark.parametrize(
    ("attributes", "failed"),
    [({"error.type": "429"}, False), ({}, True), ({"error.type": "timeout"}, True)],
    ids=["error.type", "status", "both"],
)
def test_a_failed_call_without_usage_is_told_from_one_that_merely_says_nothing(
    attributes: dict[str, object], failed: bool
) -> None:
    reading = read({**CHAT, **attributes}, failed=failed)
    assert reading.problem is not None
    assert reading.problem.reason == reasons.FAILED_NO_USAGE


def test_a_failed_call_with_usage_is_read_like_any_other() -> None:
    reading = read({**CHAT, **USAGE, "error.type": "content_filter"}, failed=True)
    assert reading.tokens == AdditiveTokens(1000, 0, 0, 200, 0)
    assert reading.problem is None
