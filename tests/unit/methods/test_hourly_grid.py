from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from otel_carbon.core.factors import Factors
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.core.steps import steps_of
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.grid.table import DIRECT
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.hourly_grid import is_of_table, zone_of_grid
from otel_carbon.methods.per_token import resolve_factors
from tests.support.grid_tables import hours_of, table_of
from tests.support.small_registry import DAY, MODEL, fact, grid, small_registry

if TYPE_CHECKING:
    from otel_carbon.grid.table import GridTable

CALL = CallSubject("acme", MODEL, "chat", "north-1", "reported", DAY)
YEARLY = Interval(20, 40, 80)
"""Of Sweden, where north-1 stands."""
TABLE = table_of(hours_of("SWE", DAY, {hour: 30.0 if hour < 12 else 50.0 for hour in range(24)}))
HALF = table_of(hours_of("SWE", DAY, {13: 50.0}))
REGISTRY = small_registry()
RANGE = fact("range/grid-hour@1", factor_low=0.9, factor_high=1.1)


def _factors(call: CallSubject, table: GridTable | None) -> Factors:
    found = resolve_factors(REGISTRY, call, grid_table=table)
    assert isinstance(found, Factors)
    return found


@pytest.mark.parametrize(("hour", "mid"), [(0, 30.0), (11, 30.0), (12, 50.0), (23, 50.0)])
def test_a_call_whose_hour_is_known_takes_the_figure_of_the_hour(hour: int, mid: float) -> None:
    factors = _factors(CALL._replace(hour=hour), TABLE)
    assert factors.grid_gco2e_per_kwh.mid == mid
    assert factors.provenance.grid_id == f"table/SWE@{TABLE.version}"
    assert factors.provenance.assumptions == ("size_guessed", "grid_of_the_hour")


def test_a_call_whose_day_alone_is_known_takes_the_mean_of_the_day() -> None:
    assert _factors(CALL, TABLE).grid_gco2e_per_kwh.mid == (12 * 30.0 + 12 * 50.0) / 24


def test_the_range_of_an_hour_is_that_of_its_rule() -> None:
    found = resolve_factors(small_registry(RANGE), CALL._replace(hour=13), grid_table=TABLE)
    assert isinstance(found, Factors)
    assert found.grid_gco2e_per_kwh == Interval(50.0 * 0.9, 50.0, 50.0 * 1.1)
    assert found.provenance.fact_ids["grid_gco2e_per_kwh"] == (
        f"table/SWE@{TABLE.version}",
        "range/grid-hour@1",
        "region/north-1@1",
    )
    assert found.provenance.source_ids[f"table/SWE@{TABLE.version}"] == ("maps",)


@pytest.mark.parametrize(
    ("call", "table", "codes"),
    [
        (CALL._replace(hour=13), None, ()),
        (CALL._replace(region="NOR", hour=13), TABLE, ()),  # a zone that the table does not know at all
        (CALL._replace(hour=12), HALF, ("grid_hour_not_in_table",)),
        (CALL, HALF, ("grid_hour_not_in_table",)),  # one hour is not a day
        (CALL._replace(day=DAY + timedelta(days=7)), HALF, ("grid_hour_not_in_table",)),
        (CALL._replace(day=DAY + timedelta(days=9)), HALF, ("grid_table_stale",)),
    ],
)
def test_where_the_table_says_nothing_the_yearly_average_stands(
    call: CallSubject, table: GridTable | None, codes: tuple[str, ...]
) -> None:
    factors = _factors(call, table)
    assert factors.provenance.grid_id.startswith("grid/")
    assert factors.provenance.assumptions == ("size_guessed", *codes)
    if call.region == "north-1":
        assert factors.grid_gco2e_per_kwh == YEARLY


def test_direct_figures_of_a_table_are_never_used() -> None:
    direct = table_of(hours_of("SWE", DAY, {13: 5.0}, DIRECT))
    factors = _factors(CALL._replace(hour=13), direct)
    assert (factors.grid_gco2e_per_kwh, factors.provenance.assumptions) == (YEARLY, ("size_guessed",))


def test_market_based_figures_are_not_touched() -> None:
    registry = small_registry(grid("grid/SWE/market@1", "SWE", 5, basis="market"))
    found = resolve_factors(registry, CALL._replace(hour=13), grid_table=TABLE)
    assert isinstance(found, Factors)
    assert found.market_gco2e_per_kwh == Interval(2.5, 5, 10)


def test_an_estimate_follows_the_hour_of_its_moment_and_can_be_repeated_with_the_earlier_version() -> None:
    corrected = table_of(hours_of("SWE", DAY, {13: 50.0}), hours_of("SWE", DAY, {13: 60.0}))
    usage = TokenUsage("acme", MODEL, output_tokens=1000, region="north-1", at=DAY, hour=13)
    grams = []
    for table in (corrected, corrected.as_of(corrected.versions[0].id)):
        footprint = estimate(usage, registry=REGISTRY, grid_table=table)
        assert isinstance(footprint, Footprint)
        grams.append(footprint.mid.emissions_operational_gco2e)
    facility_kwh = 1000 * 2e-6 * 1.1
    assert grams == pytest.approx([facility_kwh * 60.0, facility_kwh * 50.0], rel=1e-12)


def test_the_steps_name_the_table_and_its_sources() -> None:
    usage = TokenUsage("acme", MODEL, output_tokens=1000, region="north-1", at=DAY, hour=13)
    footprint = estimate(usage, registry=REGISTRY, grid_table=TABLE)
    assert isinstance(footprint, Footprint)
    step = next(step for step in steps_of(footprint) if step.name == "emissions_operational_gco2e")
    assert f"table/SWE@{TABLE.version}" in step.fact_ids
    assert "maps" in step.source_ids


def test_the_zone_of_a_grid_is_known_from_either_id() -> None:
    assert zone_of_grid(REGISTRY, "table/USA-SRVC@2026-11-26.1+0123456789ab") == "USA-SRVC"
    assert zone_of_grid(REGISTRY, "grid/SWE/location@1") == "SWE"
    assert (is_of_table("table/SWE@1"), is_of_table("grid/SWE/location@1")) == (True, False)
