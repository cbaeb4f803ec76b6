"""A call at its place: what its factors depend on, and the facts that hold there whatever its energy follows from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.core.factors import EnergyPerToken, Factors, Provenance
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.tokens import CACHE_READ, CACHE_WRITE
from otel_carbon.registry.facts import Embodied, ProviderPlace, TokenRatio
from otel_carbon.registry.places import SELF_HOSTED, is_known_region, place_of_call
from otel_carbon.registry.subjects import ANY_HARDWARE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from otel_carbon.methods.hourly_grid import CallGrid
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Assessment, EnergyCoefficient, Fact, Fallback
    from otel_carbon.registry.places import Place

TIER = "token_physical"
TIER_NUMBER = 1
EVIDENCE_CONFIGURED = "configured"
ASSESSED = "assessed_by_supplier"


class CallSubject(NamedTuple):
    """What the factors of a call depend on: everything but its token counts.

    `private_host` says that the call went to a loopback or private address.
    `hour` (UTC) is named only where a grid table is looked at; `None` stands for the whole day.
    `metered` is the boundary of a meter that gives the energy of the call in place of its tokens; empty without one.
    """

    provider: str
    model: str
    operation: str
    region: str | None
    region_evidence: str
    day: date
    private_host: bool = False
    hour: int | None = None
    metered: str = ""


@dataclass(frozen=True, slots=True)
class SharedFacts:
    """Facts that hold for every model."""

    cache_read: TokenRatio
    cache_write: TokenRatio
    embodied: Embodied


class PlacedFacts(NamedTuple):
    """All that a call's factors are made of beside its model."""

    shared: SharedFacts
    place: Place
    grid: CallGrid
    assessment: Assessment | None


def host_of_call(registry: Registry, call: CallSubject, model: EnergyCoefficient | Fallback | None) -> str:
    """Who ran the model: the provider attribute names the API dialect; an open model at a private address is one's own.

    `model` is what is known of it; of a model that nobody knows, a private address says enough.
    """
    if call.private_host and (model is None or model.open_weights):
        return SELF_HOSTED
    home = registry.about(ProviderPlace, call.provider, None)
    return SELF_HOSTED if home is not None and home.provider == SELF_HOSTED else call.provider


def placed_call(
    registry: Registry, provider: str, call: CallSubject, configured_regions: Mapping[str, str]
) -> tuple[Place, SharedFacts] | Unestimated:
    """Where the call ran and the facts that hold everywhere, or what of that is not known."""
    region, evidence = call.region, call.region_evidence
    configured = _configured_region(registry, provider, configured_regions)
    if configured is not None:
        region, evidence = configured, EVIDENCE_CONFIGURED
    place = place_of_call(registry, provider, region, evidence, call.day)
    shared = _shared_facts(registry, call.day)
    if place is None or shared is None:
        return _no_place(registry, provider, region, call.day)
    return place, shared


def _configured_region(registry: Registry, provider: str, configured: Mapping[str, str]) -> str | None:
    """The region that the user names for a provider, under whichever of its names."""
    home = registry.about(ProviderPlace, provider, None)
    names = (provider, home.provider, *home.names) if home else (provider,)
    return next((configured[name.lower()] for name in names if name.lower() in configured), None)


def _shared_facts(registry: Registry, day: date) -> SharedFacts | None:
    cache_read = registry.about(TokenRatio, CACHE_READ, day)
    cache_write = registry.about(TokenRatio, CACHE_WRITE, day)
    embodied = registry.about(Embodied, ANY_HARDWARE, day)
    if cache_read is None or cache_write is None or embodied is None:
        return None
    return SharedFacts(cache_read, cache_write, embodied)


def _no_place(registry: Registry, provider: str, region: str | None, day: date) -> Unestimated:
    """Tell a place that is unknown from one whose facts do not cover the day."""
    if region is not None and not is_known_region(registry, region):
        return Unestimated(reasons.ZONE_UNKNOWN, f"region {region}")
    if region is None and registry.about(ProviderPlace, provider, None) is None:
        return Unestimated(reasons.ZONE_UNKNOWN, f"provider {provider} without a region")
    return Unestimated(reasons.OUTSIDE_VALIDITY, f"place facts on {day}")


def factors_at(per_token: EnergyPerToken, facts: PlacedFacts, provenance: Provenance) -> Factors:
    """The factors of calls that take so much energy for a token there."""
    shared, place, grid, _ = facts
    return Factors(
        per_token,
        place.site.pue,
        grid.gco2e_per_kwh,
        place.market.gco2e_per_kwh if place.market else None,
        shared.embodied.gco2e_per_it_kwh,
        place.site.wue_l_per_it_kwh,
        place.water.l_per_kwh,
        provenance,
    )


def provenance_at(
    registry: Registry,
    found: PlacedFacts,
    energy: tuple[Fact, ...],
    match: str,
    method: str,
    assumptions: tuple[str, ...],
) -> Provenance:
    """Where factors come from; the first fact of `energy` is the one that gives the mid."""
    shared, place, grid, assessment = found
    facts: dict[str, tuple[Fact, ...]] = {
        "energy_per_token": energy,
        "pue": (place.site, *place.named_by),
        "grid_gco2e_per_kwh": (*grid.facts, *place.named_by),
        "embodied_gco2e_per_it_kwh": (shared.embodied,),
        "wue_l_per_it_kwh": (place.site,),
        "ewif_l_per_kwh": (place.water, *place.named_by),
    }
    if assessment is not None:
        facts["assessed"] = (assessment,)
    if place.market is not None:
        facts["market_gco2e_per_kwh"] = (place.market, *place.named_by)
    behind_grid = tuple(fact.id for fact in facts["grid_gco2e_per_kwh"])
    table_ids = {"grid_gco2e_per_kwh": (*grid.table_sources, *behind_grid)}
    assessed = (ASSESSED,) if assessment else ()
    return Provenance(
        registry_version=registry.version,
        registry_digest=registry.digest,
        coefficient_id=energy[0].id,
        match=match,
        grid_id=grid.id,
        site_id=place.site.id,
        region=place.region,
        region_evidence=place.evidence,
        tier=TIER,
        tier_number=TIER_NUMBER,
        method=method,
        assumptions=(*assumptions, *place.assumptions, *grid.assumptions, *assessed),
        provider=place.provider,
        fact_ids={factor: tuple(fact.id for fact in behind) for factor, behind in facts.items()} | table_ids,
        source_ids={fact.id: fact.sources for behind in facts.values() for fact in behind} | dict(grid.table_sources),
    )
