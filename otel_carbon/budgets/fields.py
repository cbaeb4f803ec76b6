"""One mapping of budgets.yaml read key by key; each mistake is noted with its line, key path and what is allowed."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from otel_carbon.yaml_source import Entry, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.yaml_source import Problem

MAX_TEXT_CHARACTERS = 128
"""As long as a label value of ours can be."""
MAX_AMOUNT = 1e15
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")


class Fields:
    """The keys of a mapping; what is wrong is appended to `problems`, and the reader gets None instead."""

    def __init__(self, entry: Entry, key: str, problems: list[Problem], known: Iterable[str]) -> None:
        self.entry = replace(entry, key=key)
        self._problems = problems
        self._below = entry.mapping() or {}
        if entry.mapping() is None:
            self.wrong("must be a mapping, such as {key: value}")
            return
        allowed = tuple(known)
        for name in self._below.keys() - set(allowed):
            self.wrong(f"unknown key; {suggestion(name, allowed)}", name)

    def wrong(self, message: str, name: str = "") -> None:
        """Note a mistake of a key, or of the mapping as a whole."""
        below = self._below.get(name)
        line = below.line if below else self.entry.line
        place = replace(self.entry, line=line, key=self.path(name))
        self._problems.append(place.problem(message))

    def path(self, name: str) -> str:
        """The key path of a key."""
        return joined(self.entry.key, name) if name else self.entry.key

    def has(self, name: str) -> bool:
        """Whether a key is given, and not left empty."""
        return name in self._below and self._below[name].content is not None

    def part(self, name: str) -> Entry | None:
        """What stands behind a key."""
        return self._below.get(name)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text that can be a label value: not empty, not too long, nothing that cannot be encoded."""
        if not self.has(name):
            if default is None:
                self.wrong("is required", name)
            return default
        content = self._below[name].content
        problem = text_problem(content)
        if problem:
            self.wrong(problem, name)
            return None
        return str(content)

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None) -> str | None:
        """One of some words."""
        words = tuple(allowed)
        word = self.text(name, default)
        if word is None or word in words:
            return word
        self.wrong(f"unknown {name} {word!r}; {suggestion(word, words)}", name)
        return None

    def number(self, name: str, *, maximum: float = MAX_AMOUNT) -> float | None:
        """A number over zero."""
        if not self.has(name):
            self.wrong("is required", name)
            return None
        number = positive(self._below[name], maximum)
        if number is None:
            self.wrong(f"must be a number over 0 and up to {maximum:g}, not {self._below[name]!r}", name)
        return number

    def duration(self, name: str, default_s: int | None, *, least_s: int, most_s: int) -> int | None:
        """A duration with its unit, in seconds."""
        if not self.has(name):
            if default_s is None:
                self.wrong("is required", name)
            return default_s
        found_s = seconds(self._below[name].content)
        if found_s is None or not least_s <= found_s <= most_s:
            bounds = f"from {duration_text(least_s)} to {duration_text(most_s)}"
            self.wrong(f"must be a duration {bounds}, such as 5m or 1h, not {self._below[name]!r}", name)
            return None
        return found_s

    def items(self, name: str) -> tuple[Entry, ...]:
        """The entries of a list; none when the key is absent."""
        if not self.has(name):
            return ()
        content = self._below[name].content
        if not isinstance(content, tuple) or not content:
            self.wrong("must be a list that is not empty, such as [one, two]", name)
            return ()
        return content


def text_problem(content: object) -> str | None:
    """What is wrong with a text, None when nothing is."""
    if not isinstance(content, str):
        return f"must be text, not {content!r}; put it in quotes"
    if not content:
        return "must not be empty"
    if len(content) > MAX_TEXT_CHARACTERS:
        return f"is longer than {MAX_TEXT_CHARACTERS} characters, which no label value of ours is"
    if any("\ud800" <= character <= "\udfff" for character in content):
        return "holds half of a surrogate pair, which cannot be encoded"
    return None


def positive(entry: Entry, maximum: float) -> float | None:
    """The number of an entry when it is over zero and not over the maximum."""
    content = entry.content
    if isinstance(content, bool) or not isinstance(content, int | float):
        return None
    return float(content) if math.isfinite(content) and 0 < content <= maximum else None


def seconds(content: object) -> int | None:
    """The seconds of a text such as `5m`, None when it is none."""
    found = _DURATION.fullmatch(content) if isinstance(content, str) else None
    return int(found[1]) * SECONDS[found[2]] if found else None


def duration_text(duration_s: int) -> str:
    """Seconds as the shortest text of one unit: 3600 as `1h`."""
    unit = next(unit for unit in ("d", "h", "m", "s") if duration_s % SECONDS[unit] == 0)
    return f"{duration_s // SECONDS[unit]}{unit}"


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """The nearest allowed name, or all of them."""
    names = sorted(allowed)
    folded = {known.casefold(): known for known in names}
    nearest = get_close_matches(name.casefold(), folded, n=1)
    return f"did you mean {folded[nearest[0]]!r}?" if nearest else f"allowed: {', '.join(names)}"


def mapping_names(entry: Entry | None) -> Mapping[str, Entry]:
    """The keys below an entry, none when it is no mapping."""
    return (entry.mapping() or {}) if entry else {}
