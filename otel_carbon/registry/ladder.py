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
"""Of longer names, only the last parts of a path are read, or for a fallback the beginning."""
_NO_WORD = re.compile(r"[^a-z0-9]+")
SIZE_LEEWAY = 1.5
"""A size outside of a family's by more than this factor is of a model that only bears its name."""
_BILLIONS = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,2})?)b(?![a-z0-9])")
_ENDS_IN_SIZE = re.compile(r"\db$")
"""Whoever calls a model by its size alone calls the weights that answer: `qwen2.5:7b`."""
MOST_WHOLE_EXPERTS = 8
"""Up to so many, `8x7b` is experts times size; `128x17b` is of experts and of parameters at work."""
_EXPERTS = re.compile(r"(?<![a-z0-9.])\d{1,3}e(?![a-z0-9])")
_MILLIONS = re.compile(r"(?<![a-z0-9.])([2-9]\d|[1-9]\d\d)m(?![a-z0-9])")
_TRILLIONS = re.compile(r"(?<![a-z0-9.])([12](?:\.\d)?)t(?![a-z0-9])")


class Match(NamedTuple):
    """The fact that gives a model's energy, and by which step it was found."""

    fact: EnergyCoefficient | Fallback
    kind: str


def match_model(registry: Registry, model: str, operation: str, day: date | None) -> Match | None:
    """The nearest fact for a model and an operation that applies on a day (any day if `None`).

    A model or family that is known for other operations only keeps its fact, which does not cover this one: what is
    said of any model would be said of the wrong ones. A model that handles no text has none.
    """
    model = model.strip()
    known = known_model(registry, model, day)
    if known is not None:
        return known
    of_another_use = None
    for fallback in _fallbacks(registry, plain_name(_whole_end(model) or model[:MAX_NAME_CHARACTERS]), day):
        if fallback.level == NO_TOKENS_MODEL:
            return None
        if fallback.level != FAMILY and of_another_use is not None:
            break
        if operation in fallback.operations:
            return Match(fallback, fallback.level)
        if fallback.level == FAMILY and of_another_use is None:
            of_another_use = Match(fallback, FAMILY)
    return of_another_use


def _whole_end(model: str) -> str:
    """A name that is not too long, or the last parts of its path that together are not; empty if one is too long."""
    if len(model) <= MAX_NAME_CHARACTERS:
        return model
    return model[-MAX_NAME_CHARACTERS:].partition("/")[2]


def known_model(registry: Registry, model: str, day: date | None) -> Match | None:
    """The coefficient that is about a model itself, by this or another spelling of its id."""
    model = model.strip()
    coefficient = registry.about(EnergyCoefficient, model, day)
    if coefficient is not None:
        listed = any(model.lower() == listed.lower() for listed in coefficient.models)
        return Match(coefficient, EXACT if listed else ALIAS)
    if end := _whole_end(model):
        for spelling, _ in spellings(end):
            chat = (f"{SIGNS_MARK}{spelling}-instruct",) if _ENDS_IN_SIZE.search(spelling) else ()
            for subject in (spelling, SIGNS_MARK + spelling, *chat):
                coefficient = registry.about(EnergyCoefficient, subject, day)
                if coefficient is not None:
                    return Match(coefficient, ALIAS)
    return None


def _fallbacks(registry: Registry, name: str, day: date | None) -> Iterator[Fallback]:
    """The fallbacks that a name fits, nearest first: by level, a size before words, and the longest pattern."""
    levels = (NO_TOKENS_MODEL, FAMILY, SIZE_CLASS, GENERIC)
    found: dict[str, list[tuple[int, Fallback]]] = {level: [] for level in levels}
    for pattern in registry.subjects("fallback"):
        bare = pattern.endswith("-*") and name == pattern[:-2]  # `mixtral` of the line `mixtral-*`
        if bare or _fits(name, pattern):
            fallback = registry.about(Fallback, pattern, day)
            if fallback is not None:
                letters = len(pattern.strip("<>").replace("*", "")) - 2 * bare
                found[fallback.level].append((letters, fallback))
    size_b = size_in_name(name)
    if size_b is not None:
        found[SIZE_CLASS] += [(MAX_NAME_CHARACTERS, fallback) for fallback in _by_size(registry, size_b, day)]
        for level, leeway in ((FAMILY, SIZE_LEEWAY), (GENERIC, 1.0)):
            found[level] = [each for each in found[level] if _holds(each[1], size_b, leeway)]
        found[FAMILY] = [each for each in found[FAMILY] if not _says_less(each[1], found[SIZE_CLASS])]
    for level in levels:
        for _, fallback in sorted(found[level], key=lambda each: (-each[0], -_width(each[1]), each[1].id)):
            yield fallback


def _says_less(family: Fallback, classes: list[tuple[int, Fallback]]) -> bool:
    """Whether the size that a name tells says more of the model than its family, which is of many sizes."""
    by_size = (each for _, each in classes if each.high_b > 0.0 and each.patterns[0].startswith(SIZE_PATTERN))
    return any(_width(each) < _width(family) and {*family.operations} <= {*each.operations} for each in by_size)


def _holds(fallback: Fallback, size_b: float, leeway: float) -> bool:
    """Whether a size that a name tells may be one of a family's, or of any model's; where none is given it may."""
    return fallback.high_b == 0.0 or fallback.low_b / leeway <= size_b <= fallback.high_b * leeway


def _width(fallback: Fallback) -> float:
    """How far apart the bounds are: of two that fit equally well, the one that claims less is taken."""
    amount = fallback.input_wh_per_ktoken
    return amount.high / amount.low if amount.low else 0.0


def _by_size(registry: Registry, size_b: float, day: date | None) -> Iterator[Fallback]:
    for pattern in registry.subjects("fallback"):
        if pattern.startswith(SIZE_PATTERN):
            fallback = registry.about(Fallback, pattern, day)
            if fallback is not None and fallback.low_b <= size_b < fallback.high_b:
                yield fallback


SIZE_PATTERN = "#"
"""Starts the pattern of a class that names are put in by the number of parameters that they tell, as `#70b`."""


def size_in_name(name: str) -> float | None:
    """Billions of parameters that a name tells: `llama-9-70b` is 70, `8x7b` 56; of several the largest.

    Millions and trillions count where nothing is told in billions, since `1m` is most often a context and `3t` what
    a model was trained on. `17b-16e` and `16x17b` tell the parameters at work, and not how many there are.
    """
    sizes = [(float(times or 1), float(size)) for times, size in _BILLIONS.findall(name)]
    if sizes:
        unsure = _EXPERTS.search(name) or any(times > MOST_WHOLE_EXPERTS for times, _ in sizes)
        return None if unsure else max(times * size for times, size in sizes)
    for pattern, factor in ((_MILLIONS, 0.001), (_TRILLIONS, 1000.0)):
        if told := [float(size) * factor for size in pattern.findall(name)]:
            return max(told)
    return None


def _fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern: `*` is anything, `<word>` a word that stands alone in it."""
    if pattern.startswith("<"):
        return f"-{pattern[1:-1]}-" in f"-{_words(name)}-"
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


@lru_cache(maxsize=16)
def _words(name: str) -> str:
    return _NO_WORD.sub("-", name)


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("*"))
