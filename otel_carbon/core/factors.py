"""The sourced numbers that a call's tokens are multiplied with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.core.interval import Interval


@dataclass(frozen=True, slots=True)
class EnergyPerToken:
    """IT energy of one token of each kind, in kWh; IT is accelerator, host and idle share, before PUE."""

    input_kwh: Interval
    cache_read_kwh: Interval
    cache_write_kwh: Interval
    output_kwh: Interval


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a footprint's factors come from: fact ids, how the model was matched, and what was assumed.

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


@dataclass(frozen=True, slots=True)
class Factors:
    """Everything that turns the tokens of one model in one place into a footprint."""

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
