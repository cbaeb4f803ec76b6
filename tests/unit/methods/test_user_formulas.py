from __future__ import annotations

import math
import re
from typing import Any

import pytest

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.methods.user_formulas import Hardware, flat_factor, hardware_formula


def _usage(input_tokens: int | None, output_tokens: int | None) -> TokenUsage:
    return TokenUsage("acme", "acme-1", input_tokens=input_tokens, output_tokens=output_tokens)


def test_a_million_tokens_at_half_a_gram_for_a_thousand_are_exactly_500_grams() -> None:
    result = flat_factor(_usage(600_000, 400_000), 0.5)
    assert result.emissions_gco2e == Interval.exactly(500.0)  # (600,000 + 400,000) / 1,000 * 0.5


def test_a_flat_factor_has_neither_energy_nor_water_and_compares_with_nothing() -> None:
    result = flat_factor(_usage(600, 400), 0.5)
    assert result.energy_kwh == result.water_l == Unestimated("not_part_of_method")
    assert (result.comparable, result.not_mid_because) == ((), ("boundary",))


def test_a_count_that_is_not_given_is_named() -> None:
    result = flat_factor(_usage(None, 400), 0.5)
    assert result.emissions_gco2e == Interval.exactly(0.2)
    assert result.notes == ("0.5 gCO2e per 1,000 tokens, given by the user", "input_tokens not given")


@pytest.mark.parametrize("factor", [-0.1, math.inf, math.nan])
def test_an_impossible_factor_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="must be from 0 to 1e\\+12"):
        flat_factor(_usage(1, 1), factor)


def test_energy_of_hardware_is_time_times_power() -> None:
    hardware = Hardware(tokens_per_second=50, watts=700, accelerators=8, pue=1.2, batch=64)
    result = hardware_formula(_usage(None, 300), hardware, None)
    joules = 300 / 50 * 700 * 8 * 1.2 / 64  # 6 s, 5.6 kW, shared by 64 requests
    assert result.energy_kwh == Interval.exactly(joules / 3.6e6)
    assert result.comparable == ("energy_kwh",)


def test_emissions_of_hardware_are_those_of_the_grid_where_it_is_known() -> None:
    hardware = Hardware(tokens_per_second=100, watts=3600)
    result = hardware_formula(_usage(None, 100_000), hardware, Interval(10, 20, 40))
    assert result.energy_kwh == Interval.exactly(1.0)  # 1,000 s at 3.6 kW
    assert result.emissions_gco2e == Interval(10, 20, 40)
    unknown = hardware_formula(_usage(None, 100_000), hardware, None)
    assert unknown.emissions_gco2e == Unestimated("no_grid_factor")


def test_hardware_does_not_count_the_prompt_and_says_so() -> None:
    hardware = Hardware(tokens_per_second=100, watts=700)
    assert hardware_formula(_usage(5, 5), hardware, None).not_mid_because == ("boundary", "functional_unit")
    assert hardware_formula(_usage(None, 5), hardware, None).not_mid_because == ("boundary",)


def test_hardware_without_output_tokens_has_no_figure() -> None:
    result = hardware_formula(_usage(5, None), Hardware(tokens_per_second=100, watts=700), None)
    assert result.energy_kwh == result.emissions_gco2e == Unestimated("no_usage")
    assert result.comparable == ()


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"tokens_per_second": 0}, "tokens_per_second must be from 1e-06 to 1e+12, got 0"),
        ({"watts": -1}, "watts must be from 1e-06 to 1e+12, got -1"),
        ({"watts": math.nan}, "watts must be from 1e-06 to 1e+12, got nan"),
        ({"pue": 0.9}, "pue must be from 1 to 1e+12, got 0.9"),
        ({"accelerators": 0.5}, "accelerators must be from 1 to 1e+12, got 0.5"),
        ({"batch": math.inf}, "batch must be from 1 to 1e+12, got inf"),
    ],
)
def test_impossible_hardware_is_refused_and_the_number_named(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Hardware(**{"tokens_per_second": 100, "watts": 700} | numbers)
