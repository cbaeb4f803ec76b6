"""One call by every method that can speak of it, ours first: the facade over estimate and methods."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.estimating import estimate
from otel_carbon.methods.ecologits_results import EcoLogitsOptions, ecologits_package_result, ecologits_result
from otel_carbon.methods.ecologits_tables import electricity_mixes
from otel_carbon.methods.literature import literature_results
from otel_carbon.methods.result import CALL, ECONOMICS, QUANTITIES, MethodResult, present
from otel_carbon.methods.sci import sci_results
from otel_carbon.methods.user_formulas import flat_factor, hardware_formula
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient, ProviderPlace, Region, SizeMethod, Zone
from otel_carbon.registry.ladder import known_model
from otel_carbon.registry.places import EVIDENCE_DEFAULT, SELF_HOSTED, place_of_call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.grid.table import GridTable
    from otel_carbon.methods.ecologits_tables import Size
    from otel_carbon.methods.result import Amount
    from otel_carbon.methods.user_formulas import Hardware

OURS = "otel_carbon"
TOKENS_PER_MTOKEN = 1_000_000
_BOUNDARY = (
    "Accelerators, host and idle reserve, and the facility; grid over its life cycle, hardware, "
    "water on site and for electricity."
)
_COUNTS = ("input_tokens", "cache", "output_tokens", "host", "idle", "pue", "electricity", "embodied")


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """What a user brings to a comparison; every entry may be left out."""

    flat_gco2e_per_ktoken: float | None = None
    """A factor for every token, in gCO2e per 1,000 tokens."""
    hardware: Hardware | None = None
    ecologits_sizes: Mapping[str, Size] | None = None
    """EcoLogits' `provider/model` to the size that replaces its own guess."""
    ecologits_sizes_from: str = ""
    """Where those sizes come from, such as a file's name."""
    ecologits_retired: bool = False
    """Whether models that EcoLogits 0.11.3 no longer knows may be used."""
    strict: bool = False
    """As `estimate` has it."""
    grid_table: GridTable | None = None
    """The user's own grid intensities by the hour, for our own estimate and what builds on it."""
    request_latency_s: float = math.inf
    """How long the call took, in seconds; EcoLogits caps its own modelled time with it."""


def compare(
    usage: TokenUsage, registry: Registry | None = None, options: ComparisonOptions | None = None
) -> tuple[MethodResult, ...]:
    """The results of all methods for one call, our own first.

    Energy is in kWh, emissions in gCO2e, water in L; a method that has no figure says why.
    `MethodResult.comparable` says which amounts may be held against ours.

    Args:
        usage: the call's tokens, model, provider, and region and day when known (today in UTC otherwise).
        registry: the facts to use; `None` is the bundled registry.
        options: factors, hardware and sizes of the user's.

    Raises:
        ValueError: a factor or latency of the options is negative or no number.
    """
    known, wanted = registry or Registry.bundled(), options or ComparisonOptions()
    day = usage.at or datetime.now(UTC).date()
    estimated = estimate(usage, registry=known, strict=wanted.strict, grid_table=wanted.grid_table)
    ecologits = EcoLogitsOptions(
        _ecologits_zone(known, usage.region, day),
        wanted.request_latency_s,
        wanted.ecologits_sizes,
        wanted.ecologits_sizes_from,
        wanted.ecologits_retired,
    )
    results = [_own_result(estimated, known), *_user_results(usage, wanted, _grid(estimated, known, usage, day))]
    results += [ecologits_result(usage, ecologits), ecologits_package_result(usage, ecologits)]
    results += literature_results(usage, _developer(known, usage, day))
    if isinstance(estimated, Footprint):
        results += sci_results(usage, estimated)
    pays_kwh = kwh_that_price_pays(known, usage, day)
    return tuple(_held_against_price(usage, result, pays_kwh) for result in results)


def _own_result(estimated: Footprint | Unestimated, registry: Registry) -> MethodResult:
    found = estimated if isinstance(estimated, Footprint) else None
    amounts: dict[str, Amount] = {name: _own_amount(estimated, name) for name in QUANTITIES}
    behind = found.provenance.source_ids.values() if found else ()
    return MethodResult(
        method=OURS,
        version=f"registry {registry.version}",
        boundary=_BOUNDARY,
        functional_unit=CALL,
        counts=_COUNTS,
        energy_kwh=amounts["energy_kwh"],
        emissions_gco2e=amounts["emissions_gco2e"],
        water_l=amounts["water_l"],
        comparable=present(amounts, *QUANTITIES),
        source_ids=tuple(sorted({source for ids in behind for source in ids})),
        notes=found.provenance.assumptions if found else (),
    )


def _own_amount(estimated: Footprint | Unestimated, quantity: str) -> Amount:
    if isinstance(estimated, Footprint):
        amount: Interval = getattr(estimated, quantity)
        return amount
    return estimated


def _user_results(usage: TokenUsage, options: ComparisonOptions, grid: Interval | None) -> list[MethodResult]:
    results = []
    if options.flat_gco2e_per_ktoken is not None:
        results.append(flat_factor(usage, options.flat_gco2e_per_ktoken))
    if options.hardware is not None:
        results.append(hardware_formula(usage, options.hardware, grid))
    return results


def _grid(estimated: Footprint | Unestimated, registry: Registry, usage: TokenUsage, day: date) -> Interval | None:
    """The grid intensity of the call's place, which is known for some calls that have no estimate."""
    if isinstance(estimated, Footprint):
        return estimated.factors.grid_gco2e_per_kwh
    place = place_of_call(registry, usage.provider, usage.region, EVIDENCE_DEFAULT, day)
    return place.grid.gco2e_per_kwh if place else None


def _ecologits_zone(registry: Registry, region: str | None, day: date) -> str | None:
    """EcoLogits' code of a region's country; None, which is the provider's default, where no region is named."""
    if region is None:
        return None
    cloud_region, zone = registry.about(Region, region, day), registry.about(Zone, region, day)
    ours = cloud_region.zone if cloud_region else zone.zone if zone else region
    country = ours.partition("-")[0]
    return country if country in electricity_mixes() else ours


def _developer(registry: Registry, usage: TokenUsage, day: date) -> str:
    """Who made the model: as the registry knows it, else the provider by its first name."""
    known = known_model(registry, usage.model, day)
    if known is not None and isinstance(known.fact, EnergyCoefficient):
        return known.fact.developer
    home = registry.about(ProviderPlace, usage.provider, day)
    return home.provider if home else usage.provider.lower()


def kwh_that_price_pays(registry: Registry, usage: TokenUsage, day: date) -> float | None:
    """The most energy at the facility that the list price of the call pays for; `None` where no price is known."""
    known = known_model(registry, usage.model, day)
    fact, method = (known.fact if known else None), next(iter(registry.current(SizeMethod)), None)
    if not isinstance(fact, EnergyCoefficient) or not fact.output_usd_per_mtok or method is None:
        return None
    read, written = (usage.input_tokens or 0) / TOKENS_PER_MTOKEN, (usage.output_tokens or 0) / TOKENS_PER_MTOKEN
    usd = read * (fact.input_usd_per_mtok or 0.0) + written * fact.output_usd_per_mtok
    return usd * (method.kwh_per_usd_own_chips if fact.developer in method.own_chips else method.kwh_per_usd)


def _held_against_price(usage: TokenUsage, result: MethodResult, pays_kwh: float | None) -> MethodResult:
    """The result, with what its energy says against the list price where somebody else hosts the model."""
    hosted = result.functional_unit == CALL and usage.provider != SELF_HOSTED and pays_kwh is not None
    if hosted and isinstance(result.energy_kwh, Interval) and result.energy_kwh.mid > (pays_kwh or 0.0):
        return replace(result, not_mid_because=(*result.not_mid_because, ECONOMICS))
    return result
