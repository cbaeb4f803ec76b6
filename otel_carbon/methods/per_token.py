"""The per-token method: a model's energy per token, at the place where the call ran."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.core.factors import EnergyPerToken, Factors, PerOutputToken, Provenance
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.tokens import CACHE_READ, CACHE_WRITE
from otel_carbon.core.units import KWH_PER_NJ, TOKENS_PER_KTOKEN, kwh_per_token_from_wh_per_ktoken
from otel_carbon.methods.cascade import METERED
from otel_carbon.methods.hourly_grid import grid_of_call
from otel_carbon.registry.facts import Assessment, Embodied, EnergyCoefficient, Meter, ProviderPlace, TokenRatio
from otel_carbon.registry.ladder import EXACT, FALLBACKS, known_model, match_model
from otel_carbon.registry.places import SELF_HOSTED, is_known_region, place_of_call
from otel_carbon.registry.subjects import ANY_HARDWARE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.hourly_grid import CallGrid
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fact, Fallback
    from otel_carbon.registry.ladder import Match
    from otel_carbon.registry.places import Place

TIER = "token_physical"
TIER_NUMBER = 1
METERED_TIER = "metered"
METERED_TIER_NUMBER = 0
FACILITY = "facility"
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


_NO_TOKENS = (Interval.exactly(0.0),) * 4
"""Where a meter gives the energy, no kind of token does."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """Facts that hold for every model."""

    cache_read: TokenRatio
    cache_write: TokenRatio
    embodied: Embodied


class _Facts(NamedTuple):
    """All that a call's factors are made of beside its model."""

    shared: _Shared
    place: Place
    grid: CallGrid
    assessment: Assessment | None


def resolve_factors(
    registry: Registry,
    call: CallSubject,
    configured_regions: Mapping[str, str] | None = None,
    *,
    strict: bool = False,
    grid_table: GridTable | None = None,
) -> Factors | Unestimated:
    """The factors for a call, or why the registry has none; never raises.

    `configured_regions` (provider in lower case to region) is the user's own word, so it wins over what is reported.
    With `strict` a model that only its family, size class or the generic coefficient stands for has no factors.
    With `grid_table` its figure of the hour or day stands in for the zone's yearly average, where it has one; not where
    a supplier's assessment holds, into which no grid enters.
    """
    if call.metered:
        return metered_factors(registry, call, configured_regions or {}, grid_table)
    match = match_model(registry, call.model, call.operation, call.day)
    if match is None or match.kind in FALLBACKS:
        if known_model(registry, call.model, None) is not None:
            return Unestimated(reasons.OUTSIDE_VALIDITY, f"{call.model} on {call.day}")
        if match is None:
            return Unestimated(reasons.MODEL_NOT_REGISTERED, call.model)
        if strict:
            return Unestimated(reasons.STRICT_FALLBACK_REFUSED, f"{call.model} by {match.kind}")
    coefficient = match.fact
    if call.operation not in coefficient.operations:
        return Unestimated(reasons.OPERATION_NOT_COVERED, call.operation)
    # The provider attribute names the API dialect; an open model at a private address is the user's own.
    provider = SELF_HOSTED if call.private_host and coefficient.open_weights else call.provider
    placed = _placed(registry, provider, call, configured_regions or {})
    if isinstance(placed, Unestimated):
        return placed
    place, shared = placed
    assessment = _assessment(registry, match, place, call.day)
    grid = grid_of_call(registry, place.grid, None if assessment else grid_table, call.day, call.hour)
    return _factors(registry, match, _Facts(shared, place, grid, assessment))


def metered_factors(
    registry: Registry, call: CallSubject, configured_regions: Mapping[str, str], grid_table: GridTable | None
) -> Factors | Unestimated:
    """The factors for a call whose energy a meter gave: what it covers, and the place; the model does not matter."""
    meter = registry.about(Meter, call.metered, call.day)
    if meter is None:
        return Unestimated(reasons.OUTSIDE_VALIDITY, f"meter/{call.metered} on {call.day}")
    match = match_model(registry, call.model, call.operation, call.day)
    own = call.private_host and (match is None or match.fact.open_weights)
    placed = _placed(registry, SELF_HOSTED if own else call.provider, call, configured_regions)
    if isinstance(placed, Unestimated):
        return placed
    place, shared = placed
    grid = grid_of_call(registry, place.grid, grid_table, call.day, call.hour)
    per_kwh = meter.it_per_metered
    if meter.boundary == FACILITY:
        per_kwh = per_kwh.scaled(1.0 / place.site.pue.mid)
    facts = _Facts(shared, place, grid, None)
    per_token = EnergyPerToken(*_NO_TOKENS, metered_kwh=per_kwh.scaled(KWH_PER_NJ))
    return _at_place(per_token, facts, _metered_provenance(registry, meter, facts))


def _placed(
    registry: Registry, provider: str, call: CallSubject, configured_regions: Mapping[str, str]
) -> tuple[Place, _Shared] | Unestimated:
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


def _shared_facts(registry: Registry, day: date) -> _Shared | None:
    cache_read = registry.about(TokenRatio, CACHE_READ, day)
    cache_write = registry.about(TokenRatio, CACHE_WRITE, day)
    embodied = registry.about(Embodied, ANY_HARDWARE, day)
    if cache_read is None or cache_write is None or embodied is None:
        return None
    return _Shared(cache_read, cache_write, embodied)


def _no_place(registry: Registry, provider: str, region: str | None, day: date) -> Unestimated:
    """Tell a place that is unknown from one whose facts do not cover the day."""
    if region is not None and not is_known_region(registry, region):
        return Unestimated(reasons.ZONE_UNKNOWN, f"region {region}")
    if region is None and registry.about(ProviderPlace, provider, None) is None:
        return Unestimated(reasons.ZONE_UNKNOWN, f"provider {provider} without a region")
    return Unestimated(reasons.OUTSIDE_VALIDITY, f"place facts on {day}")


def _factors(registry: Registry, match: Match, facts: _Facts) -> Factors:
    shared, coefficient, assessment = facts.shared, match.fact, facts.assessment
    input_kwh = _kwh_per_token(coefficient.input_wh_per_ktoken)
    per_token = EnergyPerToken(
        input_kwh,
        input_kwh * shared.cache_read.ratio,
        input_kwh * shared.cache_write.ratio,
        _kwh_per_token(coefficient.output_wh_per_ktoken),
        _context_kwh(coefficient),
    )
    factors = _at_place(per_token, facts, _provenance(registry, match, facts))
    return replace(factors, assessed=_per_output_token(assessment)) if assessment else factors


def _at_place(per_token: EnergyPerToken, facts: _Facts, provenance: Provenance) -> Factors:
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


def _assessment(registry: Registry, match: Match, place: Place, day: date) -> Assessment | None:
    """The supplier's own assessment of the model, where the call ran on that supplier's service."""
    if not isinstance(match.fact, EnergyCoefficient):
        return None
    home = registry.about(ProviderPlace, place.provider, day)
    supplier = home.provider if home else place.provider
    found = (registry.about(Assessment, name, day) for name in match.fact.models)
    return next((each for each in found if each is not None and each.supplier == supplier), None)


def _per_output_token(assessment: Assessment) -> PerOutputToken:
    per_token = 1.0 / TOKENS_PER_KTOKEN
    return PerOutputToken(
        assessment.gco2e_per_output_ktoken.scaled(per_token), assessment.l_per_output_ktoken.scaled(per_token)
    )


def _context_kwh(coefficient: EnergyCoefficient | Fallback) -> Interval | None:
    per_pair = coefficient.context_wh_per_ktoken_ktoken if isinstance(coefficient, EnergyCoefficient) else None
    return None if per_pair is None else _kwh_per_token(per_pair).scaled(1.0 / TOKENS_PER_KTOKEN)


def _kwh_per_token(wh_per_ktoken: Interval) -> Interval:
    return wh_per_ktoken.scaled(kwh_per_token_from_wh_per_ktoken(1.0))


def _provenance(registry: Registry, match: Match, found: _Facts) -> Provenance:
    shared, coefficient = found.shared, match.fact
    sized_by = (registry.fact(coefficient.sized_by),) if coefficient.sized_by else ()
    energy = (coefficient, *sized_by, shared.cache_read, shared.cache_write)
    return _provenance_at(registry, found, energy, match.kind, coefficient.method, coefficient.assumptions)


def _metered_provenance(registry: Registry, meter: Meter, found: _Facts) -> Provenance:
    provenance = _provenance_at(registry, found, (meter,), EXACT, METERED, ())
    return replace(provenance, tier=METERED_TIER, tier_number=METERED_TIER_NUMBER)


def _provenance_at(
    registry: Registry,
    found: _Facts,
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
