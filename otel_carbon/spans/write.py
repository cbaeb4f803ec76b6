"""What we write onto spans: our own attributes, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.core.factors import Provenance
    from otel_carbon.core.footprint import Footprint

    AttributeValue = str | int | float | Sequence[str]


def status_attributes(status: str, reason: str) -> dict[str, AttributeValue]:
    """The attributes of a span without a figure: its status and why."""
    return {ours.STATUS: status, ours.REASON: reason}


def footprint_attributes(footprint: Footprint, *, full: bool) -> dict[str, AttributeValue]:
    """The attributes of an estimated span: the core set, or all of them."""
    texts = footprint_texts(footprint.factors.provenance, footprint.confidence, full=full)
    return {**footprint_amounts(footprint, full=full), **texts}


def footprint_amounts(footprint: Footprint, *, full: bool) -> dict[str, float]:
    """The amounts, which differ from call to call; always the same keys in the same order."""
    amounts = amount_values(footprint, full=full)
    return dict(zip(AMOUNT_KEYS, amounts, strict=False))  # as many keys as there are amounts


AMOUNT_KEYS = (
    ours.ENERGY_KWH,
    ours.ENERGY_KWH_LOW,
    ours.ENERGY_KWH_HIGH,
    ours.EMISSIONS_GCO2E,
    ours.EMISSIONS_GCO2E_LOW,
    ours.EMISSIONS_GCO2E_HIGH,
    ours.WATER_L,
    ours.WATER_L_LOW,
    ours.WATER_L_HIGH,
    ours.IT_ENERGY_KWH,
    ours.EMISSIONS_OPERATIONAL_GCO2E,
    ours.EMISSIONS_EMBODIED_GCO2E,
    ours.EMISSIONS_MARKET_GCO2E,
)
"""The keys of `amount_values`, of which the core set is the first seven and the market figure is last."""


def amount_values(footprint: Footprint, *, full: bool) -> tuple[float, ...]:
    """The amounts in the order of `AMOUNT_KEYS`, ending where the level or what is known ends."""
    low, mid, high = footprint.low, footprint.mid, footprint.high
    core = (
        mid.energy_kwh,
        low.energy_kwh,
        high.energy_kwh,
        mid.emissions_gco2e,
        low.emissions_gco2e,
        high.emissions_gco2e,
        mid.water_l,
    )
    if not full:
        return core
    market = footprint.emissions_market_gco2e
    return (
        *core,
        low.water_l,
        high.water_l,
        mid.it_energy_kwh,
        mid.emissions_operational_gco2e,
        mid.emissions_embodied_gco2e,
        *(() if market is None else (market.mid,)),
    )


@lru_cache(maxsize=4096)
def footprint_texts(provenance: Provenance, confidence: str, *, full: bool) -> Mapping[str, AttributeValue]:
    """The rest, made once for all footprints of one provenance and confidence."""
    texts: dict[str, AttributeValue] = {
        ours.STATUS: ours.STATUS_ESTIMATED,
        ours.COEFFICIENT_ID: provenance.coefficient_id,
        ours.GRID_ID: provenance.grid_id,
        ours.TIER: provenance.tier,
        ours.CONFIDENCE: confidence,
        ours.REGISTRY_VERSION: provenance.registry_version,
    }
    if full:
        texts[ours.METHOD] = provenance.method
        texts[ours.TIER_NUMBER] = provenance.tier_number
        texts[ours.MATCH] = provenance.match
        texts[ours.SITE_ID] = provenance.site_id
        texts[ours.REGION] = provenance.region
        texts[ours.REGION_EVIDENCE] = provenance.region_evidence
        texts[ours.ASSUMPTIONS] = provenance.assumptions
    return MappingProxyType(texts)
