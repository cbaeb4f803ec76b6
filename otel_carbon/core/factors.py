"""The sourced numbers that a call's tokens are multiplied with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class EnergyPerToken:
    """IT energy of one token of each kind, in kWh; IT is accelerator, host and idle share, before PUE."""

    input_kwh: Interval
    cache_read_kwh: Interval
    cache_write_kwh: Interval
    output_kwh: Interval
    context_kwh: Interval | None = None
    """What an output token costs more for each token that stands before it; `None` where nobody knows."""
    metered_kwh: Interval | None = None
    """IT energy for each nanojoule that a meter gave for the call, instead of all above; `None` without a meter."""


@dataclass(frozen=True, slots=True, eq=False)
class Provenance:
    """Where a footprint's factors come from: fact ids, how the model was matched, and what was assumed.

    Made once for all calls of a model in a place, and told apart by identity.

    `tier` names the kind of activity data (`token_physical` is 1), `method` how the coefficient came about.
    """

    registry_version: str
    registry_digest: str
    coefficient_id: str
    match: str
    grid_id: str
    site_id: str
    region: str
    region_evidence: str
    tier: str
    tier_number: int
    method: str
    assumptions: tuple[str, ...]
    provider: str
    """Who runs the hardware: the provider as reported, or `self_hosted`."""
    fact_ids: Mapping[str, tuple[str, ...]]
    """Factor name (a field of `Factors`) to the ids of the facts behind it."""
    source_ids: Mapping[str, tuple[str, ...]]
    """Fact id to the ids of its sources."""


class FactorsAtBound(NamedTuple):
    """The factors of a call at one bound, in the units of `EnergyPerToken` and `Factors`."""

    input_kwh: float
    cache_read_kwh: float
    cache_write_kwh: float
    output_kwh: float
    pue: float
    grid_gco2e_per_kwh: float
    embodied_gco2e_per_it_kwh: float
    wue_l_per_it_kwh: float
    ewif_l_per_kwh: float
    unit_kwh: float
    """Of a pair of context or a metered nanojoule; 0 where the tokens give all of the energy."""


_NOTHING = Interval.exactly(0.0)


class PerOutputToken(NamedTuple):
    """What a supplier's life-cycle assessment says of one output token, in gCO2e and litres; hardware is within."""

    gco2e: Interval
    water_l: Interval


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Everything that turns the tokens of one model in one place into a footprint; told apart by identity."""

    energy_per_token: EnergyPerToken
    pue: Interval
    """Facility energy per IT energy."""
    grid_gco2e_per_kwh: Interval
    """Location-based average, life cycle, per kWh at the facility."""
    market_gco2e_per_kwh: Interval | None
    """Market-based average per kWh at the facility; `None` where none is known."""
    embodied_gco2e_per_it_kwh: Interval
    wue_l_per_it_kwh: Interval
    """Water evaporated on site per kWh of IT energy."""
    ewif_l_per_kwh: Interval
    """Water consumed by power stations per kWh at the facility."""
    provenance: Provenance
    assessed: PerOutputToken | None = None
    """Where the supplier of this very service had it assessed: emissions and water follow from it, not from a grid."""
    at_bounds: tuple[FactorsAtBound, FactorsAtBound, FactorsAtBound] = field(init=False, repr=False)
    """The same at low, mid and high, for the arithmetic."""

    def __post_init__(self) -> None:
        per_token = self.energy_per_token
        intervals = (
            per_token.input_kwh,
            per_token.cache_read_kwh,
            per_token.cache_write_kwh,
            per_token.output_kwh,
            self.pue,
            self.grid_gco2e_per_kwh,
            self.embodied_gco2e_per_it_kwh,
            self.wue_l_per_it_kwh,
            self.ewif_l_per_kwh,
            per_token.metered_kwh or per_token.context_kwh or _NOTHING,
        )
        low = FactorsAtBound(*(interval.low for interval in intervals))
        mid = FactorsAtBound(*(interval.mid for interval in intervals))
        high = FactorsAtBound(*(interval.high for interval in intervals))
        object.__setattr__(self, "at_bounds", (low, mid, high))
