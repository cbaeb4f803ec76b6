"""Facts found by what people call them: model ids, aliases, regions, zones, sites and providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.registry.facts import GridIntensity, WaterIntensity, Zone, kind_of
from otel_carbon.registry.spellings import nearest_names
from otel_carbon.registry.subjects import NAME_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fact


def facts_named(registry: Registry, name: str) -> tuple[Fact, ...]:
    """The facts that go by a name, whatever its letter case, but for those that one of them supersedes.

    A zone's name also finds its grid and its water.
    """
    facts = tuple(registry.facts())
    wanted = name.lower()
    zones = {fact.zone for fact in facts if isinstance(fact, Zone) and wanted in _names_of(fact)}
    named = [
        fact
        for fact in facts
        if wanted in _names_of(fact) or (isinstance(fact, GridIntensity | WaterIntensity) and fact.zone in zones)
    ]
    superseded = {fact.supersedes for fact in named}
    return tuple(fact for fact in named if fact.id not in superseded)


def similar_ids(registry: Registry, name: str) -> tuple[str, ...]:
    """The ids of facts whose id or name looks most like a name, nearest first."""
    ids: dict[str, list[str]] = {}
    for fact in registry.facts():
        for known in (fact.id, *_names_of(fact)):
            ids.setdefault(known, []).append(fact.id)
    return tuple(dict.fromkeys(fact_id for near in nearest_names(name, ids) for fact_id in ids[near]))


def _names_of(fact: Fact) -> frozenset[str]:
    return frozenset(_lower_names(fact))


def _lower_names(fact: Fact) -> Iterator[str]:
    for field in NAME_FIELDS.get(kind_of(fact.id), ()):
        named = getattr(fact, field)
        yield from (each.lower() for each in ([named] if isinstance(named, str) else named))
