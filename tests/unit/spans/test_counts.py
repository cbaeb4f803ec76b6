"""Counts made into totals: for each word of what a count covers, and numbers as texts and JSON members."""

from __future__ import annotations

import json

import pytest

from otel_carbon.core import reasons
from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL
from otel_carbon.errors import UsageError
from otel_carbon.spans import counts
from otel_carbon.spans.counts import PLAIN, Basis, checked_counts, json_members, totals_of
from otel_carbon.spans.dialect import COUNT_FIELDS, EFFECTS

ADDED, WITHIN = ("cache_added_to_input",), ("cache_within_input",)


def told(*numbers: int | None, total: int | None = None) -> list[int | None]:
    """Input, output, cache reads, cache writes and reasoning as far as they are given, and the total."""
    return [*numbers, *[None] * (5 - len(numbers)), total]


@pytest.mark.parametrize("word", [word for word in EFFECTS["input"] if word != "partial"])
@pytest.mark.parametrize("input_tokens", [0, 1000, None])
def test_without_cache_the_input_is_the_total_whatever_it_covers(word: str, input_tokens: int | None) -> None:
    for none in (None, 0):
        found, codes = totals_of(told(input_tokens, 200, none, none, total=1200), Basis(input=word))
        assert (found, codes) == ((input_tokens, 200, none, none, None), ())


@pytest.mark.parametrize(
    ("word", "cached", "total", "input_tokens", "codes"),
    [
        ("includes_cache", (600, 100), None, 1000, WITHIN),
        ("includes_cache", (600, 700), None, 1000, WITHIN),  # more than the whole, which is refused later
        ("excludes_cache", (600, 100), None, 1000 + 600 + 100, ADDED),
        ("excludes_cache", (600, None), None, 1000 + 600, ADDED),
        ("excludes_cache", (None, 100), None, 1000 + 100, ADDED),
        ("by_size", (600, 400), None, 1000, WITHIN),
        ("by_size", (600, 401), None, 1000 + 600 + 401, ADDED),
        ("by_total", (600, 100), 1000 + 200 + 600 + 100, 1000 + 600 + 100, ADDED),
        ("by_total", (600, 100), 1000 + 200, 1000, WITHIN),
        ("by_total", (600, 100), 1000 + 200 + 1, 1000, WITHIN),  # a total that fits neither way
        ("by_total", (600, 100), None, 1000, WITHIN),
    ],
)
def test_cache_is_added_to_the_input_that_leaves_it_out(
    word: str, cached: tuple[int | None, int | None], total: int | None, input_tokens: int, codes: tuple[str, ...]
) -> None:
    found = totals_of(told(1000, 200, *cached, total=total), Basis(input=word))
    assert found == ((input_tokens, 200, *cached, None), codes)


@pytest.mark.parametrize("cached", [None, 0, 600])
def test_a_partial_input_is_no_total(cached: int | None) -> None:
    found = totals_of(told(1000, 200, cached), Basis(input="partial"))
    assert found == ((None, 200, cached, None, None), ("input_partly_reported",))


@pytest.mark.parametrize(("uncached", "input_tokens", "codes"), [(1000, 1000 + 600, ADDED), (400, 1000, WITHIN)])
@pytest.mark.parametrize("word", [word for word in EFFECTS["input"] if word != "partial"])
def test_an_uncached_count_of_its_own_says_whether_the_input_covers_cache(
    word: str, uncached: int, input_tokens: int, codes: tuple[str, ...]
) -> None:
    found = totals_of([*told(1000, 200, 600), uncached], Basis(input=word))
    assert found == ((input_tokens, 200, 600, None, None), codes)


@pytest.mark.parametrize("word", [word for word in EFFECTS["output"] if word != "partial"])
@pytest.mark.parametrize("output_tokens", [0, 200, None])
def test_without_reasoning_or_total_the_output_is_the_total_whatever_it_covers(
    word: str, output_tokens: int | None
) -> None:
    for none in (None, 0):
        found = totals_of(told(1000, output_tokens, None, None, none), Basis(output=word))
        assert found == ((1000, output_tokens, None, None, none), ())


@pytest.mark.parametrize(
    ("word", "output_tokens", "code"),
    [
        ("includes_reasoning", 200, "reasoning_within_output"),
        ("excludes_reasoning", 200 + 150, "reasoning_added_to_output"),
        ("rest_of_total", 200, "reasoning_within_output"),
    ],
)
def test_reasoning_is_added_to_the_output_that_leaves_it_out(word: str, output_tokens: int, code: str) -> None:
    found = totals_of(told(1000, 200, None, None, 150), Basis(output=word))
    assert found == ((1000, output_tokens, None, None, 150), (code,))


@pytest.mark.parametrize(
    ("total", "output_tokens", "codes"),
    [
        (1000 + 200 + 150, 200 + 150, ("output_from_total",)),
        (1000 + 200, 200, ()),
        (1000, 200, ()),  # a total that is too small says nothing
        (None, 200, ()),
    ],
)
def test_the_rest_of_the_total_is_output(total: int | None, output_tokens: int, codes: tuple[str, ...]) -> None:
    found = totals_of(told(1000, 200, total=total), Basis(output="rest_of_total"))
    assert found == ((1000, output_tokens, None, None, None), codes)


def test_without_an_input_there_is_no_rest_of_the_total() -> None:
    found = totals_of(told(None, 200, total=1350), Basis(output="rest_of_total"))
    assert found == ((None, 200, None, None, None), ())


def test_cache_that_is_added_to_the_input_is_no_rest_of_the_total() -> None:
    found = totals_of(told(1000, 200, 600, total=1000 + 600 + 200), Basis("excludes_cache", "rest_of_total"))
    assert found == ((1000 + 600, 200, 600, None, None), ADDED)


def test_a_partial_output_is_no_total() -> None:
    found = totals_of(told(1000, 200, None, None, 150), Basis(output="partial"))
    assert found == ((1000, None, None, None, 150), ("output_partly_reported",))


@pytest.mark.parametrize(
    ("visible", "output_tokens", "code"),
    [(200, 200 + 150, "reasoning_added_to_output"), (50, 200, "reasoning_within_output")],
)
def test_a_visible_count_of_its_own_says_whether_the_output_covers_reasoning(
    visible: int, output_tokens: int, code: str
) -> None:
    found = totals_of([*told(1000, 200, None, None, 150), None, visible], PLAIN)
    assert found == ((1000, output_tokens, None, None, 150), (code,))


@pytest.mark.parametrize("total", [None, 1200])
@pytest.mark.parametrize(("read", "reasoning"), [(None, None), (600, None), (None, 150), (600, 150), (0, 0)])
def test_the_quick_way_of_the_conventions_words_says_what_the_long_way_says(
    read: int | None, reasoning: int | None, total: int | None
) -> None:
    numbers = told(1000, 200, read, None, reasoning, total=total)
    assert totals_of(numbers, PLAIN) == totals_of(numbers, Basis("includes_cache", "includes_reasoning"))


def test_both_parts_are_told_of_in_the_order_of_input_and_output() -> None:
    found = totals_of(told(1000, 200, 600, None, 150), PLAIN)
    codes = ("cache_within_input", "reasoning_within_output")
    assert found == ((1000, 200, 600, None, 150), codes)
    added = ("cache_added_to_input", "reasoning_added_to_output")
    found = totals_of(told(1000, 200, 600, None, 150), Basis("excludes_cache", "excludes_reasoning"))
    assert found == ((1600, 350, 600, None, 150), added)


@pytest.mark.parametrize("spelled", [60, 60.0, "60", " 60 ", "60.0", "6e1"], ids=repr)
def test_a_whole_number_in_any_spelling_is_a_count(spelled: object) -> None:
    assert checked_counts([spelled, None]) == [60, None]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (-1, reasons.INVALID_USAGE),
        (True, reasons.INVALID_USAGE),
        (60.5, reasons.INVALID_USAGE),
        (float("nan"), reasons.INVALID_USAGE),
        ("true", reasons.INVALID_USAGE),
        ("null", reasons.INVALID_USAGE),
        ("NaN", reasons.INVALID_USAGE),
        ("Infinity", reasons.INVALID_USAGE),
        ("1e999", reasons.INVALID_USAGE),
        ("[60]", reasons.INVALID_USAGE),
        ('"60"', reasons.INVALID_USAGE),
        ("", reasons.INVALID_USAGE),
        ((60,), reasons.INVALID_USAGE),
        ("9" * (counts.MAX_NUMBER_CHARACTERS + 1), reasons.INVALID_USAGE),
        ("9" * counts.MAX_NUMBER_CHARACTERS, reasons.ABSURD_USAGE),
        (MAX_TOKENS_PER_CALL + 1, reasons.ABSURD_USAGE),
    ],
    ids=repr,
)
@pytest.mark.parametrize("position", range(5), ids=COUNT_FIELDS[:5])
def test_what_is_no_count_is_refused_under_its_name(position: int, wrong: object, reason: str) -> None:
    numbers: list[object] = [60] * len(COUNT_FIELDS)
    numbers[position] = wrong
    with pytest.raises(UsageError, match=COUNT_FIELDS[position]) as caught:
        checked_counts(numbers)
    assert caught.value.code == reason


@pytest.mark.parametrize("position", range(len(COUNT_FIELDS)), ids=COUNT_FIELDS)
def test_where_it_stands_for_nothing_known_no_number_is_no_count(position: int) -> None:
    numbers: list[object] = [60] * len(COUNT_FIELDS)
    numbers[position] = float("nan")
    expected: list[int | None] = [60] * len(COUNT_FIELDS)
    expected[position] = None
    assert checked_counts(numbers, nan_unknown=True) == expected


USAGE = {"input": 1000, "details": {"cached": 600, "deep": {"audio": 5}}, "list": [1], "none": None, "text": "60"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("input",), 1000),
        (("details", "cached"), 600),
        (("details", "deep", "audio"), 5),
        (("text",), "60"),
        (("none",), None),
        (("absent",), None),
        (("details",), None),  # an object is no number
        (("list",), None),
        (("input", "deeper"), None),
        (("list", "0"), None),
        (("details.cached",), None),
    ],
    ids=str,
)
def test_members_of_json_are_found_by_their_path(path: tuple[str, ...], value: object) -> None:
    assert json_members(json.dumps(USAGE), [path]) == [value]


def test_members_come_in_the_order_that_they_are_asked_for() -> None:
    assert json_members(json.dumps(USAGE), [("details", "cached"), ("absent",), ("input",)]) == [600, None, 1000]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[1, 2]",
        "60",
        "null",
        '"input"',
        '{"input": 1000',
        "[" * 20_000,
        json.dumps({"input": 1000, "filler": "x" * counts.MAX_JSON_CHARACTERS}),
        None,
        1000,
        b'{"input": 1000}',
        ("input", 1000),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_a_text_that_is_no_json_object_has_no_members(text: object) -> None:
    assert json_members(text, [("input",), ("details", "cached")]) == [None, None]


def test_the_text_that_python_prints_for_a_dict_is_read_like_json() -> None:
    assert json_members(str(USAGE), [("input",), ("details", "cached"), ("none",)]) == [1000, 600, None]


@pytest.mark.parametrize(
    "text",
    ["{'input': exit()}", "{'input': 1000", "{'input': " + "-" * 1500 + "1}", "{'a': '" + "x" * 3000 + "'}"],
    ids=lambda text: text[:20],
)
def test_what_only_looks_like_a_printed_dict_has_no_members(text: str) -> None:
    assert json_members(text, [("input",)]) == [None]


@pytest.mark.parametrize("wrong", [-1, float("nan"), "n/a", "", True, MAX_TOKENS_PER_CALL + 1], ids=repr)
@pytest.mark.parametrize("position", range(5, len(COUNT_FIELDS)), ids=COUNT_FIELDS[5:])
def test_a_wrong_sum_is_no_reason_to_refuse_the_counts_that_it_would_check(position: int, wrong: object) -> None:
    told: list[object] = [None] * len(COUNT_FIELDS)
    told[0], told[position] = 60, wrong
    assert checked_counts(told) == [60, *[None] * (len(COUNT_FIELDS) - 1)]
