from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from otel_carbon.core.interval import Interval
from otel_carbon.registry.authoring.amounts import Bounds, expand_amount
from otel_carbon.yaml_source import Entry

if TYPE_CHECKING:
    from otel_carbon.registry.authoring.amounts import Amount
    from otel_carbon.yaml_source import Problem

MIDS = st.floats(min_value=0.0, max_value=1e9)
LOW_FACTORS = st.floats(min_value=1e-3, max_value=1.0)
HIGH_FACTORS = st.floats(min_value=1.0, max_value=1e3)


def _expanded(parts: dict[str, Entry], bounds: Bounds, floor: float) -> tuple[Amount | None, list[Problem]]:
    problems: list[Problem] = []
    return expand_amount(_entry(parts), bounds, floor, problems), problems


def _entry(content: str | float | dict[str, Entry]) -> Entry:
    return Entry(content, "facts.yaml", 1, "facts.grid/x@2025.gco2e_per_kwh")


@given(mid=MIDS, factor_low=LOW_FACTORS, factor_high=HIGH_FACTORS, floor=st.sampled_from([0.0, 1.0]))
def test_a_rule_always_gives_an_interval_around_the_mid(
    mid: float, factor_low: float, factor_high: float, floor: float
) -> None:
    bounds = Bounds(rules={"range/r@2025": (factor_low, factor_high)})
    amount, problems = _expanded({"mid": _entry(mid), "range": _entry("range/r@2025")}, bounds, floor)
    if mid < floor:
        assert amount is None
        assert len(problems) == 1
    else:
        assert amount is not None
        assert Interval(**amount).mid == mid
        assert amount["low"] >= floor


@given(
    members=st.lists(st.tuples(MIDS, LOW_FACTORS, HIGH_FACTORS, st.integers(min_value=1, max_value=9)), min_size=1),
)
def test_a_mix_always_lies_within_its_members(members: list[tuple[float, float, float, int]]) -> None:
    grids = {
        f"grid/{number}@2025": {"low": mid * low, "mid": mid, "high": mid * high}
        for number, (mid, low, high, _) in enumerate(members)
    }
    weights = {f"grid/{number}@2025": _entry(weight) for number, (*_, weight) in enumerate(members)}
    amount, problems = _expanded({"mix": _entry(weights)}, Bounds(grids=grids), 0.0)
    assert problems == []
    assert amount is not None
    mix = Interval(**amount)
    assert mix.low == min(grid["low"] for grid in grids.values())
    assert mix.high == max(grid["high"] for grid in grids.values())


def test_a_member_of_weight_zero_does_not_widen_a_mix() -> None:
    grids = {
        "grid/a@2025": {"low": 1.0, "mid": 2.0, "high": 3.0},
        "grid/b@2025": {"low": 0.0, "mid": 9.0, "high": 99.0},
    }
    weights = {"grid/a@2025": _entry(1), "grid/b@2025": _entry(0)}
    amount, problems = _expanded({"mix": _entry(weights)}, Bounds(grids=grids), 0.0)
    assert (amount, problems) == ({"low": 1.0, "mid": 2.0, "high": 3.0}, [])
