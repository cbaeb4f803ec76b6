"""What a mistake is made of: key paths, and the words to describe it with."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KeyPath = tuple[str | int, ...]
Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, and what is allowed there.

    Attributes:
        path: the key that it is about; empty for the whole configuration.
        message: what is wrong, and what is allowed.
        hides_value: whether nobody knows what the value is, so that it may be a secret.
    """

    path: KeyPath
    message: str
    hides_value: bool = False


def dotted(path: KeyPath) -> str:
    """Write a key path as `service.pipelines.traces.exporters[1]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Point to the nearest allowed name, or list all of them."""
    names = sorted(allowed)
    nearest = get_close_matches(name, names, n=1)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    return f"allowed: {', '.join(names)}" if names else "there are none"


def ancestors(path: KeyPath) -> Iterator[KeyPath]:
    """The path itself, then what it is in, without the root."""
    for length in range(len(path), 0, -1):
        yield path[:length]
