"""What we write onto spans: our own attributes, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import attributes as ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.core.footprint import Footprint

    AttributeValue = str | int | float | Sequence[str]


def status_attributes(status: str, reason: str) -> dict[str, AttributeValue]:
    """The attributes of a span without a figure: its status and why."""
    return {ours.STATUS: status, ours.REASON: reason}


def footprint_attributes(footprint: Footprint, *, full: bool) -> dict[str, AttributeValue]:
    """The attributes of an estimated span: the core set, or all of them."""
    energy, emissions, water = footprint.energy_kwh, footprint.emissions_gco2e, footprint.water_l
    provenance = footprint.factors.provenance
    written: dict[str, AttributeValue] = {
        ours.STATUS: ours.STATUS_ESTIMATED,
        ours.ENERGY_KWH: energy.mid,
        ours.ENERGY_KWH_LOW: energy.low,
        ours.ENERGY_KWH_HIGH: energy.high,
        ours.EMISSIONS_GCO2E: emissions.mid,
        ours.EMISSIONS_GCO2E_LOW: emissions.low,
        ours.EMISSIONS_GCO2E_HIGH: emissions.high,
        ours.WATER_L: water.mid,
        ours.COEFFICIENT_ID: provenance.coefficient_id,
        ours.GRID_ID: provenance.grid_id,
        ours.TIER: provenance.tier,
        ours.CONFIDENCE: footprint.confidence,
        ours.REGISTRY_VERSION: provenance.registry_version,
    }
    if full:
        written.update(_detail_attributes(footprint))
    return written


def _detail_attributes(footprint: Footprint) -> dict[str, AttributeValue]:
    provenance = footprint.factors.provenance
    detail: dict[str, AttributeValue] = {
        ours.WATER_L_LOW: footprint.water_l.low,
        ours.WATER_L_HIGH: footprint.water_l.high,
        ours.IT_ENERGY_KWH: footprint.it_energy_kwh.mid,
        ours.EMISSIONS_OPERATIONAL_GCO2E: footprint.emissions_operational_gco2e.mid,
        ours.EMISSIONS_EMBODIED_GCO2E: footprint.emissions_embodied_gco2e.mid,
        ours.METHOD: provenance.method,
        ours.TIER_NUMBER: provenance.tier_number,
        ours.MATCH: provenance.match,
        ours.SITE_ID: provenance.site_id,
        ours.REGION: provenance.region,
        ours.REGION_EVIDENCE: provenance.region_evidence,
        ours.ASSUMPTIONS: provenance.assumptions,
    }
    market = footprint.emissions_market_gco2e
    if market is not None:
        detail[ours.EMISSIONS_MARKET_GCO2E] = market.mid
    return detail
