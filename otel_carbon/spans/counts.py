"""Token counts as instrumentations write them, made into totals that include their parts."""

from __future__ import annotations

import ast
import json
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, check_count
from otel_carbon.errors import UsageError
from otel_carbon.spans.dialect import COUNT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_NUMBER_CHARACTERS = 32
MAX_LITERAL_CHARACTERS = 2048
MAX_JSON_CHARACTERS = 262_144
"""Longer JSON texts are not usage objects, and are not parsed."""

CACHE_WITHIN_INPUT = "cache_within_input"
CACHE_ADDED_TO_INPUT = "cache_added_to_input"
REASONING_WITHIN_OUTPUT = "reasoning_within_output"
REASONING_ADDED_TO_OUTPUT = "reasoning_added_to_output"
OUTPUT_FROM_TOTAL = "output_from_total"
INPUT_PARTLY_REPORTED = "input_partly_reported"
OUTPUT_PARTLY_REPORTED = "output_partly_reported"
BASIS_CODES = frozenset(
    (CACHE_WITHIN_INPUT, CACHE_ADDED_TO_INPUT, REASONING_WITHIN_OUTPUT, REASONING_ADDED_TO_OUTPUT, OUTPUT_FROM_TOTAL)
)
"""What a count was taken to cover: it depends on which of the spans of a call is counted."""

Counts = tuple[int | None, int | None, int | None, int | None, int | None]
"""Checked counts in the order of `COUNT_NAMES`: input includes cache, output includes reasoning."""


class Basis(NamedTuple):
    """What the input and output counts of a span cover, in the words of `dialect.Rule`."""

    input: str = "includes_cache"
    output: str = "includes_reasoning"


PLAIN = Basis()
"""What the conventions ask for; any other basis is another object."""


def checked_counts(found: list[Any], *, nan_unknown: bool = False) -> list[int | None]:
    """Counts in the order of `dialect.COUNT_FIELDS`, as ints.

    Raises:
        UsageError: one is no whole number of tokens, or absurdly large.
    """
    for i, number in enumerate(found):
        if number is not None and (type(number) is not int or not 0 <= number <= MAX_TOKENS_PER_CALL):
            found[i] = None if nan_unknown and number != number else _checked(i, number)
    return found


_FIRST_SUM = COUNT_FIELDS.index("total_tokens")
"""From here on counts only serve to check the others by; a wrong one is no count."""


def _checked(position: int, number: object) -> int | None:
    try:
        return check_count(COUNT_FIELDS[position], _number(number))
    except UsageError:
        if position >= _FIRST_SUM:
            return None
        raise


def _number(found: object) -> object:
    """A number that some instrumentations write as text or JSON."""
    if not isinstance(found, str) or len(found) > MAX_NUMBER_CHARACTERS:
        return found
    if found.isascii() and found.strip().isdecimal():
        return int(found)
    try:
        return json.loads(found)
    except ValueError:
        return found


def totals_of(checked: Sequence[int | None], basis: Basis) -> tuple[Counts, tuple[str, ...]]:
    """Totals that include their parts, and codes for what was taken to be included or not.

    `checked` are at least the five counts of `COUNT_NAMES`, then as many others of `dialect.COUNT_FIELDS` as there are.
    """
    given, output, read, write, reasoning, *others = checked
    if basis is PLAIN and not any(others):
        return (given, output, read, write, reasoning), WITHIN[bool(read or write), bool(reasoning)]
    total, uncached, visible = (*others, None, None, None)[:3]
    cached = (read or 0) + (write or 0)
    given, codes = _input_total(_Input(given, cached, uncached), output, total, basis.input)
    output, reasoning, more = _output_total(_Output(output, reasoning, visible), given, total, basis.output)
    return (given, output, read, write, reasoning), (*codes, *more)


class _Input(NamedTuple):
    given: int | None
    cached: int
    uncached: int | None


class _Output(NamedTuple):
    given: int | None
    reasoning: int | None
    visible: int | None


def _input_total(
    found: _Input, output: int | None, total: int | None, basis: str
) -> tuple[int | None, tuple[str, ...]]:
    given, cached, uncached = found
    if basis == "partial":
        return None, (INPUT_PARTLY_REPORTED,)
    if given is None or not cached:
        return given, ()
    if uncached is not None:
        excludes = given == uncached
    elif basis == "by_total" and total is not None:
        excludes = given + (output or 0) != total and given + (output or 0) + cached == total
    else:
        excludes = basis == "excludes_cache" or (basis in ("by_size", "by_total") and cached > given)
    return (given + cached, (CACHE_ADDED_TO_INPUT,)) if excludes else (given, (CACHE_WITHIN_INPUT,))


def _output_total(
    found: _Output, given: int | None, total: int | None, basis: str
) -> tuple[int | None, int | None, tuple[str, ...]]:
    output, reasoning, visible = found
    if basis == "partial":
        return None, reasoning, (OUTPUT_PARTLY_REPORTED,)
    if output is None:
        return output, reasoning, ()
    if basis == "rest_of_total" and total is not None and given is not None and total - given > output:
        return total - given, reasoning, (OUTPUT_FROM_TOTAL,)
    if not reasoning:
        return output, reasoning, ()
    larger = basis == "by_size" and reasoning > output
    excludes = (larger or basis == "excludes_reasoning") if visible is None else output == visible
    if excludes:
        return output + reasoning, reasoning, (REASONING_ADDED_TO_OUTPUT,)
    return output, reasoning, (REASONING_WITHIN_OUTPUT,)


WITHIN: Mapping[tuple[bool, bool], tuple[str, ...]] = {
    (False, False): (),
    (True, False): (CACHE_WITHIN_INPUT,),
    (False, True): (REASONING_WITHIN_OUTPUT,),
    (True, True): (CACHE_WITHIN_INPUT, REASONING_WITHIN_OUTPUT),
}
"""By whether there are cached and reasoning tokens."""


def json_members(text: object, paths: Sequence[tuple[str, ...]]) -> list[object | None]:
    """Members of a JSON object by path, `None` where there is none; a text that is no such object has none."""
    parsed = _object(text)
    found = [_member(parsed, path) for path in paths]
    return [None if isinstance(value, dict | list) else value for value in found]


def _object(text: object) -> object:
    if not isinstance(text, str) or len(text) > MAX_JSON_CHARACTERS:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _python_literal(text)


def _python_literal(text: str) -> object:
    """What some write instead of JSON: the text that Python prints for a dict."""
    if not text.startswith("{'") or len(text) > MAX_LITERAL_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # what the text escapes is nobody's concern
            return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _member(parsed: object, path: tuple[str, ...]) -> object | None:
    for name in path:
        if not isinstance(parsed, dict):
            return None
        parsed = parsed.get(name)
    return parsed
