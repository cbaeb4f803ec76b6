"""From a model id to its energy: the model itself, another spelling of it, its family, its size class, any model."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.registry.facts import EnergyCoefficient, Fallback
from otel_carbon.registry.spellings import plain_name, spellings
from otel_carbon.registry.subjects import SIGNS_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from otel_carbon.registry.catalog import Registry

EXACT, ALIAS, FAMILY, SIZE_CLASS, GENERIC = "exact", "alias", "family", "size_class", "generic"
FALLBACKS = (FAMILY, SIZE_CLASS, GENERIC)
"""Matches of models that no coefficient is about, ever wider."""
NO_TOKENS_MODEL = "none"
"""The level of patterns for models whose energy does not follow from text tokens."""
MAX_NAME_CHARACTERS = 128
"""Longer names are matched as they are, or by no more than their fallback."""
_SIZE_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d{1,4}(?:\.\d{1,2})?)b(?![a-z0-9])")


class Match(NamedTuple):
    """The fact that gives a model's energy, and by which step it was found."""

    fact: EnergyCoefficient | Fallback
    kind: str


def match_model(registry: Registry, model: str, operation: str, day: date | None) -> Match | None:
    """The nearest fact for a model and an operation that applies on a day (any day if `None`).

    A model that is known for other operations only, or one that handles no text, has none.
    """
    known = known_model(registry, model, day)
    if known is not None:
        return known
    name = plain_name(model[:MAX_NAME_CHARACTERS])
    for fallback in _fallbacks(registry, name, day):
        if fallback.level == NO_TOKENS_MODEL:
            return None
        if operation in fallback.operations:
            return Match(fallback, fallback.level)
    return None


def known_model(registry: Registry, model: str, day: date | None) -> Match | None:
    """The coefficient that is about a model itself, by this or another spelling of its id."""
    coefficient = registry.about(EnergyCoefficient, model, day)
    if coefficient is not None:
        listed = any(model.lower() == listed.lower() for listed in coefficient.models)
        return Match(coefficient, EXACT if listed else ALIAS)
    if len(model) <= MAX_NAME_CHARACTERS:
        for spelling, _ in spellings(model):
            for subject in (spelling, SIGNS_MARK + spelling):
                coefficient = registry.about(EnergyCoefficient, subject, day)
                if coefficient is not None:
                    return Match(coefficient, ALIAS)
    return None


def _fallbacks(registry: Registry, name: str, day: date | None) -> Iterator[Fallback]:
    """The fallbacks that a name fits, nearest first: by level, a size before words, and the longest pattern."""
    levels = (NO_TOKENS_MODEL, FAMILY, SIZE_CLASS, GENERIC)
    found: dict[str, list[tuple[int, Fallback]]] = {level: [] for level in levels}
    for pattern in registry.subjects("fallback"):
        if _fits(name, pattern):
            fallback = registry.about(Fallback, pattern, day)
            if fallback is not None:
                found[fallback.level].append((len(pattern.replace("*", "")), fallback))
    size_b = _size_in_name(name)
    if size_b is not None:
        found[SIZE_CLASS] += [(MAX_NAME_CHARACTERS, fallback) for fallback in _by_size(registry, size_b, day)]
    for level in levels:
        for _, fallback in sorted(found[level], key=lambda each: -each[0]):
            yield fallback


def _by_size(registry: Registry, size_b: float, day: date | None) -> Iterator[Fallback]:
    for pattern in registry.subjects("fallback"):
        if pattern.startswith(SIZE_PATTERN):
            fallback = registry.about(Fallback, pattern, day)
            if fallback is not None and fallback.low_b <= size_b < fallback.high_b:
                yield fallback


SIZE_PATTERN = "#"
"""Starts the pattern of a class that names are put in by the number of parameters that they tell, as `#70b`."""


def _size_in_name(name: str) -> float | None:
    """Billions of parameters that a name tells: `llama-9-70b` is 70; of several the largest."""
    sizes = [float(size) for size in _SIZE_IN_NAME.findall(name)]
    return max(sizes, default=None)


def _fits(name: str, pattern: str) -> bool:
    first, *others = _parts(pattern)
    if not others:
        return name == first
    *middle, last = others
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("*"))
