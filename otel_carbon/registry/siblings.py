"""Which models of a developer are of one line, and which of them its names call the larger one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_carbon.registry.spellings import plain_name, same_signs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_carbon.registry.facts import EnergyCoefficient

_DATED = re.compile(
    r"-(?:20\d{6}|20\d\d-\d\d-\d\d|\d\d-20\d\d|2[3-9](?:0[1-9]|1[0-2])|preview|exp|latest|0\d\d)(?=-|$)"
)


def sibling_pairs(
    facts: Sequence[EnergyCoefficient], size_words: Iterable[Sequence[str]]
) -> Iterator[tuple[EnergyCoefficient, EnergyCoefficient]]:
    """Pairs of a smaller and a larger model of one developer and line, each once.

    `size_words` are lists of words from small to large; an empty one stands for a name without a word.
    Of several larger models of one name, the one that came nearest in time is taken.
    """
    ladders = [tuple(words) for words in size_words]
    by_name: dict[tuple[str, str], list[EnergyCoefficient]] = {}
    for fact in facts:
        for name in _names(fact):
            by_name.setdefault((fact.developer, name), []).append(fact)
    for fact in facts:
        seen = {fact.id}
        larger = (each for name in sorted(_names(fact)) for each in _larger_names(name, ladders))
        for name in larger:
            found = [other for other in by_name.get((fact.developer, name), ()) if other.id not in seen]
            if found:
                nearest = min(found, key=lambda other: (abs((other.valid_from - fact.valid_from).days), other.id))
                seen.add(nearest.id)
                yield fact, nearest


def _names(fact: EnergyCoefficient) -> set[str]:
    return {_DATED.sub("", same_signs(plain_name(name))) for name in fact.models}


def _larger_names(name: str, ladders: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The names with a word of size replaced by, or without a word extended with, each larger one."""
    for ladder in ladders:
        held = [word for word in ladder if word and f"-{word}-" in f"-{name}-"]
        for word in held or ([""] if "" in ladder else []):
            for larger in ladder[ladder.index(word) + 1 :]:
                found = f"-{name}-".replace(f"-{word}-", f"-{larger}-", 1) if word else f"{name}-{larger}"
                yield found.replace("--", "-").strip("-")
