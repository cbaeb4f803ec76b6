"""One unit and one number of decimals for a column."""

from __future__ import annotations

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.presentation.scales import Scale, emissions_scale, energy_scale, water_scale


@pytest.mark.parametrize(
    ("scale", "shown"),
    [
        (energy_scale([0.0123, 0.5]), "500.0 Wh"),
        (energy_scale([1.5]), "0.500 kWh"),
        (energy_scale([1500.0]), "0.001 MWh"),
    ],
)
def test_energy_takes_the_unit_of_the_largest_amount(scale: Scale, shown: str) -> None:
    assert f"{scale.number(0.5)} {scale.unit}" == shown


def test_emissions_are_grams_below_a_kilogram() -> None:
    assert emissions_scale([999.0]).number(12.34) == "12.3"
    assert emissions_scale([999.0]).unit == "gCO2e"
    assert emissions_scale([1000.0]).number(12.34) == "0.012"
    assert emissions_scale([1000.0]).unit == "kgCO2e"


def test_water_is_millilitres_below_a_litre() -> None:
    assert water_scale([0.5]).number(0.25) == "250.0"
    assert water_scale([0.5]).unit == "mL"


def test_a_small_amount_is_never_shown_as_zero() -> None:
    assert Scale("kWh", 1.0, 3).number(0.0001) == "<0.001"


def test_true_zero_is_zero() -> None:
    assert Scale("kWh", 1.0, 3).number(0.0) == "0.000"


def test_bounds_are_low_and_high_in_the_same_unit() -> None:
    assert Scale("g", 1000.0, 0).bounds(Interval(1.0, 1.5, 2.0)) == "1,000 \N{EN DASH} 2,000"


def test_an_empty_column_has_a_scale() -> None:
    assert energy_scale([]).unit == "Wh"
