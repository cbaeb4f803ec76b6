"""The per-token method: a model's energy per token, at the place where the call ran."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.core.factors import EnergyPerToken, Factors, PerOutputToken, Provenance
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import TOKENS_PER_KTOKEN, kwh_per_token_from_wh_per_ktoken
from otel_carbon.methods.call_place import PlacedFacts, factors_at, host_of_call, placed_call, provenance_at
from otel_carbon.methods.hourly_grid import grid_of_call
from otel_carbon.methods.metered import metered_factors
from otel_carbon.registry.facts import (
    Assessment,
    EnergyCoefficient,
    ProviderPlace,
    SizeMethod,
)
from otel_carbon.registry.ladder import FALLBACKS, known_model, match_model
from otel_carbon.registry.places import SELF_HOSTED
from otel_carbon.registry.sizing import CEILING, ceiling_wh_per_ktoken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.call_place import CallSubject
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fallback
    from otel_carbon.registry.ladder import Match
    from otel_carbon.registry.places import Place


OLLAMA = "ollama"


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
    model = _tagged(call)
    match = match_model(registry, model, call.operation, call.day)
    if match is None or (strict and match.kind in FALLBACKS):
        if known_model(registry, model, None) is not None:
            return Unestimated(reasons.OUTSIDE_VALIDITY, f"{call.model} on {call.day}")
        if match is None:
            return Unestimated(reasons.MODEL_NOT_REGISTERED, call.model)
        return Unestimated(reasons.STRICT_FALLBACK_REFUSED, f"{call.model} by {match.kind}")
    coefficient = match.fact
    if call.operation not in coefficient.operations:
        return Unestimated(reasons.OPERATION_NOT_COVERED, call.operation)
    placed = placed_call(registry, host_of_call(registry, call, coefficient), call, configured_regions or {})
    if isinstance(placed, Unestimated):
        return placed
    place, shared = placed
    assessment = _assessment(registry, match, place, call.day)
    grid = grid_of_call(registry, place.grid, None if assessment else grid_table, call.day, call.hour)
    return _factors(registry, match, PlacedFacts(shared, place, grid, assessment))


def _tagged(call: CallSubject) -> str:
    """The model as its host means it: to Ollama a name without a tag is `:latest`, often a small model of the line."""
    return f"{call.model}:latest" if call.provider == OLLAMA and ":" not in call.model else call.model


def _factors(registry: Registry, match: Match, facts: PlacedFacts) -> Factors:
    shared, coefficient, assessment = facts.shared, match.fact, facts.assessment
    output, clipped = _within_price(registry, coefficient, facts.place.provider)
    input_kwh = _kwh_per_token(coefficient.input_wh_per_ktoken)
    per_token = EnergyPerToken(
        input_kwh,
        input_kwh * shared.cache_read.ratio,
        input_kwh * shared.cache_write.ratio,
        _kwh_per_token(output),
        _context_kwh(coefficient),
    )
    factors = factors_at(per_token, facts, _provenance(registry, match, facts, clipped))
    return replace(factors, assessed=_per_output_token(assessment)) if assessment else factors


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


def _within_price(
    registry: Registry, coefficient: EnergyCoefficient | Fallback, provider: str
) -> tuple[Interval, tuple[str, ...]]:
    """Wh of 1,000 output tokens, of which nobody who sells an open model can take more than its price pays for.

    Of closed models the fact itself is within; on hardware of one's own no price counts. On a price below the mid
    somebody loses money: it clips nothing, and stands among the findings of plausibility.
    """
    output = coefficient.output_wh_per_ktoken
    if provider == SELF_HOSTED or not isinstance(coefficient, EnergyCoefficient) or not coefficient.open_weights:
        return output, ()
    price = coefficient.output_usd_per_mtok
    method = registry.fact(coefficient.sized_by) if coefficient.sized_by and price else None
    if not isinstance(method, SizeMethod) or not price:
        return output, ()
    ceiling = ceiling_wh_per_ktoken(method, provider, price)
    if not output.mid <= ceiling < output.high:
        return output, ()
    return Interval(output.low, output.mid, ceiling), (CEILING,)


def _context_kwh(coefficient: EnergyCoefficient | Fallback) -> Interval | None:
    per_pair = coefficient.context_wh_per_ktoken_ktoken if isinstance(coefficient, EnergyCoefficient) else None
    return None if per_pair is None else _kwh_per_token(per_pair).scaled(1.0 / TOKENS_PER_KTOKEN)


def _kwh_per_token(wh_per_ktoken: Interval) -> Interval:
    return wh_per_ktoken.scaled(kwh_per_token_from_wh_per_ktoken(1.0))


def _provenance(registry: Registry, match: Match, found: PlacedFacts, clipped: tuple[str, ...]) -> Provenance:
    shared, coefficient = found.shared, match.fact
    sized_by = (registry.fact(coefficient.sized_by),) if coefficient.sized_by else ()
    energy = (coefficient, *sized_by, shared.cache_read, shared.cache_write)
    return provenance_at(registry, found, energy, match.kind, coefficient.method, (*coefficient.assumptions, *clipped))
