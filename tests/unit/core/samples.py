"""Factors with round numbers, and a call's footprint under them."""

from __future__ import annotations

from dataclasses import replace

from otel_carbon.core.factors import EnergyPerToken, Factors, Provenance
from otel_carbon.core.interval import Interval
from otel_carbon.core.tokens import AdditiveTokens

TOKENS = AdditiveTokens(input_uncached=100, cache_read=40, cache_write=10, output_visible=30, output_reasoning=20)

PER_TOKEN = EnergyPerToken(
    input_kwh=Interval(1.0, 2.0, 3.0),
    cache_read_kwh=Interval(0.1, 0.2, 0.5),
    cache_write_kwh=Interval(1.0, 2.5, 4.0),
    output_kwh=Interval(4.0, 8.0, 16.0),
)

PROVENANCE = Provenance(
    registry_version="2026.1.0+000000000000",
    registry_digest="0" * 64,
    coefficient_id="energy/acme/one@1",
    match="exact",
    grid_id="grid/NOR/location@1",
    site_id="site/fleet@1",
    region="NOR",
    region_evidence="default",
    tier="token_physical",
    tier_number=1,
    method="parametric",
    assumptions=(),
    provider="acme",
    fact_ids={
        "energy_per_token": ("energy/acme/one@1",),
        "pue": ("site/fleet@1",),
        "grid_gco2e_per_kwh": ("grid/NOR/location@1",),
        "embodied_gco2e_per_it_kwh": ("embodied/server@1",),
        "wue_l_per_it_kwh": ("site/fleet@1",),
        "ewif_l_per_kwh": ("water/NOR@1",),
        "market_gco2e_per_kwh": ("grid/NOR/market@1",),
    },
    source_ids={
        "energy/acme/one@1": ("lab",),
        "site/fleet@1": ("operator", "lab"),
        "grid/NOR/location@1": ("grid-office",),
        "grid/NOR/market@1": ("contract",),
        "embodied/server@1": ("maker",),
        "water/NOR@1": ("water-office",),
    },
)

FACTORS = Factors(
    energy_per_token=PER_TOKEN,
    pue=Interval(1.0, 1.25, 1.5),
    grid_gco2e_per_kwh=Interval(10.0, 20.0, 40.0),
    market_gco2e_per_kwh=None,
    embodied_gco2e_per_it_kwh=Interval(25.0, 50.0, 100.0),
    wue_l_per_it_kwh=Interval(0.1, 0.5, 1.0),
    ewif_l_per_kwh=Interval(1.0, 2.0, 4.0),
    provenance=PROVENANCE,
)

FACTORS_WITH_MARKET = replace(FACTORS, market_gco2e_per_kwh=Interval(0.0, 5.0, 10.0))
