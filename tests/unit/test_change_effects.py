"""Calls before and after a change of facts."""

from __future__ import annotations

import pytest

from otel_carbon.change_effects import effect_on_usage, ratio_of
from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.core.interval import ZERO, Interval
from otel_carbon.core.usage import TokenUsage
from tests.support.small_registry import DAY, energy, grid, small_registry

CALL = TokenUsage("acme", "one", input_tokens=1000, output_tokens=1000, at=DAY)
NEW = TokenUsage("acme", "two", input_tokens=1000, output_tokens=1000, at=DAY)
CLEANER = {**grid("grid/NOR/location@2", "NOR", 10), "supersedes": "grid/NOR/location@1"}


def test_a_cleaner_grid_changes_emissions_and_leaves_energy() -> None:
    effect = effect_on_usage(small_registry(), small_registry(CLEANER), (CALL, CALL))
    # (1 + 2) Wh x PUE 1.25, twice
    assert effect.before.energy_kwh.mid == effect.after.energy_kwh.mid == pytest.approx(2 * 3 * 1.25 / 1000)
    # 3.75 Wh at 20 and 10 g, 3 Wh of IT at 50 g embodied
    assert effect.before.emissions_gco2e.mid == pytest.approx(2 * (0.00375 * 20 + 0.003 * 50))
    assert effect.after.emissions_gco2e.mid == pytest.approx(2 * (0.00375 * 10 + 0.003 * 50))
    assert effect.counted == 2


def test_totals_are_over_the_calls_that_both_estimate() -> None:
    effect = effect_on_usage(small_registry(), small_registry(energy("energy/acme/two@1", "two")), (CALL, NEW))
    assert [type(each.before) for each in effect.calls] == [Footprint, Unestimated]
    assert [type(each.after) for each in effect.calls] == [Footprint, Footprint]
    assert effect.counted == 1
    assert effect.after.energy_kwh.mid == pytest.approx(3 * 1.25 / 1000)


def test_without_calls_the_totals_are_of_nothing() -> None:
    effect = effect_on_usage(small_registry(), small_registry(), ())
    assert (effect.before.energy_kwh, effect.counted) == (ZERO, 0)
    assert ratio_of(ZERO, ZERO) is None


def test_a_ratio_is_that_of_the_mids() -> None:
    assert ratio_of(Interval(1.0, 2.0, 3.0), Interval(1.0, 3.0, 9.0)) == 1.5
