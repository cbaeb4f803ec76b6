"""The registry's facts behind the figures, each with its amounts and its sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.core.tokens import CACHE_READ, CACHE_WRITE
from otel_carbon.presentation.scales import DASH
from otel_carbon.registry.facts import (
    Embodied,
    EnergyCoefficient,
    GridIntensity,
    ProviderPlace,
    Region,
    Site,
    TokenRatio,
    WaterIntensity,
    Zone,
)
from otel_carbon.registry.places import SELF_HOSTED
from otel_carbon.registry.subjects import ANY_HARDWARE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from otel_carbon.core.interval import Interval
    from otel_carbon.demo.figures import FactIds
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fact, Source


@dataclass(frozen=True, slots=True)
class CitedFact:
    """A fact as the page shows it; `sources` are numbers in the list of sources, from 1."""

    id: str
    amounts: tuple[str, ...]
    evidence: str
    note: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All facts used, by heading, and all sources they rest on."""

    facts: tuple[tuple[str, tuple[CitedFact, ...]], ...]
    sources: tuple[Source, ...]


_HEADINGS: tuple[tuple[str, type[Fact]], ...] = (
    ("Energy of the models", EnergyCoefficient),
    ("Cached tokens", TokenRatio),
    ("Manufacture of the hardware", Embodied),
    ("Electricity grids, location-based, life cycle", GridIntensity),
    ("Water of electricity", WaterIntensity),
    ("Data centres", Site),
    ("Cloud regions", Region),
    ("Where providers run when nobody says", ProviderPlace),
)


def evidence_for(registry: Registry, used: FactIds, day: date) -> Evidence:
    """Every fact that the figures rest on.

    Args:
        registry: the facts that the spans were estimated with.
        used: what the spans name.
        day: a day of the period, for the facts that spans do not name.
    """
    facts = {fact.id: fact for fact in (*_named_facts(registry, used), *_implied_facts(registry, used, day))}
    source_ids = sorted({source_id for fact in facts.values() for source_id in fact.sources})
    numbers = {source_id: number for number, source_id in enumerate(source_ids, 1)}
    headed = []
    for heading, kind in _HEADINGS:
        ofkind = sorted((fact for fact in facts.values() if isinstance(fact, kind)), key=lambda fact: fact.id)
        headed.append((heading, tuple(_cited(fact, numbers) for fact in ofkind)))
    return Evidence(tuple(group for group in headed if group[1]), tuple(registry.source(each) for each in source_ids))


def _named_facts(registry: Registry, used: FactIds) -> Iterator[Fact]:
    for fact_id in (*used.coefficients, *used.grids, *used.sites):
        yield registry.fact(fact_id)


def _implied_facts(registry: Registry, used: FactIds, day: date) -> Iterator[Fact]:
    """What spans do not name: water by grid zone, places by region and provider, and what holds for all."""
    found: list[Fact | None] = [
        registry.about(TokenRatio, CACHE_READ, day),
        registry.about(TokenRatio, CACHE_WRITE, day),
        registry.about(Embodied, ANY_HARDWARE, day),
    ]
    for grid_id in used.grids:
        grid = registry.fact(grid_id)
        zone = registry.about(Zone, grid.zone, day) if isinstance(grid, GridIntensity) else None
        found.append(registry.about(WaterIntensity, zone.water_zone, day) if zone else None)
    for provider, region, _ in used.places:
        place = registry.about(Region, region, day)
        found.append(place or _home_of(registry, provider, region, day))
    yield from (fact for fact in found if fact is not None)


def _home_of(registry: Registry, provider: str, zone: str, day: date) -> ProviderPlace | None:
    """The default place in use: an open model at a private address goes by no provider's name."""
    home = registry.about(ProviderPlace, provider, day)
    return home if home is not None and home.zone == zone else registry.about(ProviderPlace, SELF_HOSTED, day)


def _cited(fact: Fact, numbers: dict[str, int]) -> CitedFact:
    cited = tuple(sorted(numbers[source_id] for source_id in fact.sources))
    return CitedFact(fact.id, tuple(_amounts_of(fact)), fact.evidence, fact.note, cited)


def _amounts_of(fact: Fact) -> Iterator[str]:
    match fact:
        case EnergyCoefficient():
            yield f"output {_range(fact.output_wh_per_ktoken)}"
            yield f"input {_range(fact.input_wh_per_ktoken)}"
            yield "Wh of IT energy per 1,000 tokens"
        case GridIntensity():
            yield f"{_range(fact.gco2e_per_kwh)} gCO2e/kWh"
        case WaterIntensity():
            yield f"{_range(fact.l_per_kwh)} L/kWh"
        case Site():
            yield f"PUE {_range(fact.pue)}"
            yield f"WUE {_range(fact.wue_l_per_it_kwh)} L per IT kWh"
        case Embodied():
            yield f"{_range(fact.gco2e_per_it_kwh)} gCO2e per IT kWh"
        case TokenRatio():
            yield f"{_range(fact.ratio)} of an uncached input token"
        case Region():
            yield f"grid {fact.zone}, data centre {fact.site}"
        case ProviderPlace():
            yield f"grid {fact.zone}, data centre {fact.site}"


def _range(interval: Interval) -> str:
    if interval.low == interval.high:
        return f"{interval.mid:.3g}"
    return f"{interval.mid:.3g} ({interval.low:.3g} {DASH} {interval.high:.3g})"
