"""Pieces of OTTL, the language of the official Collector's `transform` processor: literals, paths and statements.

Integers and floats do not mix in it, a number such as `1e-07` needs a point, and an index that finds nothing is an
error of the statement, which then changes nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Literal = str | int | float | bool | Sequence["Literal"] | Mapping[str, "Literal"]


def literal(value: Literal) -> str:
    """A text, number, flag, list or map as OTTL writes it.

    Raises:
        ValueError: a number is not finite.
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if hasattr(value, "items"):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(literal, value)) + "]"


def _float(number: float) -> str:
    """The shortest decimal that is read as the same double; OTTL tells a float by its point."""
    digits, mark, exponent = json.dumps(number, allow_nan=False).partition("e")
    return (digits if "." in digits else digits + ".0") + mark + exponent


def attribute(key: str) -> str:
    """The path of a span's attribute."""
    return f"span.attributes[{literal(key)}]"


def cache(name: str) -> str:
    """The path of a value that is kept while a span is looked at, and no longer."""
    return f"span.cache[{literal(name)}]"


def put(path: str, value: str, where: str = "") -> str:
    """The statement that sets a path, if a condition holds."""
    return f"set({path}, {value})" + (f" where {where}" if where else "")


def looked_up(table: Literal, *keys: str) -> str:
    """What a table written into the configuration holds under keys, which are expressions.

    `Coalesce` hands the table on as it is: neither it nor a list or map of literals is built anew for a span.
    """
    return f"Coalesce([{literal(table)}])" + "".join(f"[{key}]" for key in keys)


def first_of(paths: Iterable[str]) -> str:
    """The first of some paths that has a value."""
    return f"Coalesce([{', '.join(paths)}])"


def any_of(conditions: Iterable[str]) -> str:
    """A condition that holds when one of some does."""
    return "(" + " or ".join(conditions) + ")"


def matches(path: str, pattern: str) -> str:
    """The condition that a text fits a regular expression."""
    return f"IsMatch({path}, {literal(pattern)})"


def is_one_of(path: str, words: Iterable[str]) -> str:
    """The condition that a text is one of some words."""
    return f"ContainsValue({literal(sorted(words))}, {path})"


def pattern_of_glob(glob: str) -> str:
    """The regular expression of a pattern in which `*` is anything."""
    return "^" + ".*".join(re.escape(part) for part in glob.split("*")) + "$"


def in_yaml(statement: str) -> str:
    """A statement as a YAML text in which the Collector replaces nothing: `$` would begin a variable."""
    return "'" + statement.replace("'", "''").replace("$", "$$") + "'"
