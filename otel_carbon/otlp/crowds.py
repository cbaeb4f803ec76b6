"""How many fields a request has where a parser would make an object of each, counted without making any."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.otlp.splice import field_at

if TYPE_CHECKING:
    from collections.abc import Sequence


class Level(NamedTuple):
    """The messages of one depth: how many fields they may have together, and in which the next ones are."""

    most: int
    inner_tags: frozenset[int] = frozenset()


def is_crowded(body: bytes, levels: Sequence[Level]) -> bool:
    """Whether the messages of some level have more fields than it may have; `levels` begin with the request itself.

    A field of two bytes becomes an object of some tens: 64 MiB of them would become a gigabyte.
    What makes no sense ends the count, and is left to the parser.
    """
    left = [level.most for level in levels]
    at, end, depth = 0, len(body), 0
    ends: list[int] = []
    """Of the messages around the one where we are."""
    while True:
        while at >= end:
            if not ends:
                return False
            end = ends.pop()
            depth -= 1
        if left[depth] == 0:
            return True
        left[depth] -= 1
        try:
            tag, start, after = field_at(body, at)
        except IndexError:
            return False
        if tag in levels[depth].inner_tags:
            ends.append(end)
            at, end, depth = start, min(after, end), depth + 1
        else:
            at = after
