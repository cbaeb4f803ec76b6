"""What holds for all tokens and factors: bounds keep their order, amounts add up, and more of anything costs more."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otel_carbon.core import formulas, units
from otel_carbon.core.factors import EnergyPerToken, Factors
from otel_carbon.core.footprint import Amounts, Footprint, confidence_from_range, footprint_of
from otel_carbon.core.interval import Interval, total
from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, AdditiveTokens, additive_from_counts, attended_pairs
from otel_carbon.core.usage import TokenUsage
from otel_carbon.errors import UsageError
from tests.unit.core.samples import PROVENANCE

laws = settings(max_examples=150, deadline=None)

amounts = st.floats(min_value=1e-12, max_value=1e6)
intervals = st.lists(st.just(0.0) | amounts, min_size=3, max_size=3).map(lambda bounds: Interval(*sorted(bounds)))
counts = st.integers(min_value=0, max_value=MAX_TOKENS_PER_CALL)
tokens = st.builds(AdditiveTokens, counts, counts, counts, counts, counts)
per_token = st.builds(EnergyPerToken, intervals, intervals, intervals, intervals, st.none() | intervals)
factors = st.builds(
    Factors,
    per_token,
    intervals,
    intervals,
    st.none() | intervals,
    intervals,
    intervals,
    intervals,
    st.just(PROVENANCE),
)
reported = st.none() | st.integers(min_value=0, max_value=20)
PER_TOKEN_FACTORS = [each.name for each in fields(EnergyPerToken) if each.name != "metered_kwh"]
"""A meter replaces the others; its own laws stand with it."""
PLACE_FACTORS = [
    "pue",
    "grid_gco2e_per_kwh",
    "embodied_gco2e_per_it_kwh",
    "wue_l_per_it_kwh",
    "ewif_l_per_kwh",
]


def _bounds(footprint: Footprint) -> tuple[Amounts, Amounts, Amounts]:
    return (footprint.low, footprint.mid, footprint.high)


def _never_less(more: Footprint, less: Footprint) -> bool:
    pairs = zip(_bounds(more), _bounds(less), strict=True)
    return all(m >= n for bounds in pairs for m, n in zip(*bounds, strict=True))


@laws
@given(intervals, intervals)
def test_sums_and_products_of_intervals_are_intervals_of_their_bounds(left: Interval, right: Interval) -> None:
    added, multiplied = left + right, left * right
    assert 0 <= added.low <= added.mid <= added.high
    assert 0 <= multiplied.low <= multiplied.mid <= multiplied.high
    assert added == right + left
    assert multiplied == right * left
    assert (added.low, multiplied.high) == (left.low + right.low, left.high * right.high)


@laws
@given(intervals, st.just(0.0) | amounts)
def test_a_known_factor_is_an_interval_without_width(interval: Interval, factor: float) -> None:
    assert interval.scaled(factor) == interval * Interval.exactly(factor)


@laws
@given(st.data())
def test_a_total_does_not_depend_on_the_order(data: st.DataObject) -> None:
    parts = data.draw(st.lists(intervals, max_size=20))
    assert total(parts) == total(data.draw(st.permutations(parts)))


@laws
@given(tokens, factors)
def test_a_footprint_equals_the_formulas_to_the_bit(call: AdditiveTokens, place: Factors) -> None:
    it_energy = formulas.it_energy_kwh(call, place.energy_per_token, attended_pairs(call))
    energy = formulas.facility_energy_kwh(it_energy, place.pue)
    operational = formulas.operational_emissions_gco2e(energy, place.grid_gco2e_per_kwh)
    embodied = formulas.embodied_emissions_gco2e(it_energy, place.embodied_gco2e_per_it_kwh)
    footprint = footprint_of(call, place)
    assert footprint.it_energy_kwh == it_energy
    assert footprint.energy_kwh == energy
    assert footprint.emissions_operational_gco2e == operational
    assert footprint.emissions_embodied_gco2e == embodied
    assert footprint.emissions_gco2e == formulas.total_emissions_gco2e(operational, embodied)
    on_site = formulas.water_on_site_l(it_energy, place.wue_l_per_it_kwh)
    electricity = formulas.water_electricity_l(energy, place.ewif_l_per_kwh)
    assert (footprint.water_on_site_l, footprint.water_electricity_l) == (on_site, electricity)
    assert footprint.water_l == formulas.water_l(on_site, electricity)


@laws
@given(tokens, tokens, factors)
def test_the_footprint_of_two_calls_is_the_sum_of_theirs(
    one: AdditiveTokens, other: AdditiveTokens, place: Factors
) -> None:
    both = AdditiveTokens(*(a + b for a, b in zip(one, other, strict=True)))
    together = footprint_of(both, place, attended_pairs(one) + attended_pairs(other))
    first, second = (footprint_of(call, place) for call in (one, other))
    for whole, part, rest in zip(_bounds(together), _bounds(first), _bounds(second), strict=True):
        assert tuple(whole) == pytest.approx([a + b for a, b in zip(part, rest, strict=True)], rel=1e-12, abs=0)


@laws
@given(tokens, factors, st.integers(min_value=0, max_value=1000))
def test_a_call_repeated_costs_so_many_times_as_much(call: AdditiveTokens, place: Factors, times: int) -> None:
    repeated = AdditiveTokens(*(count * times for count in call))
    together = footprint_of(repeated, place, attended_pairs(call) * times)
    for whole, once in zip(_bounds(together), _bounds(footprint_of(call, place)), strict=True):
        assert tuple(whole) == pytest.approx([amount * times for amount in once], rel=1e-12, abs=0)


@pytest.mark.parametrize("kind", AdditiveTokens._fields)
@settings(max_examples=40, deadline=None)
@given(call=tokens, place=factors, more=counts)
def test_more_tokens_of_any_kind_never_cost_less(kind: str, call: AdditiveTokens, place: Factors, more: int) -> None:
    grown = call._replace(**{kind: getattr(call, kind) + more})
    assert _never_less(footprint_of(grown, place), footprint_of(call, place))


@pytest.mark.parametrize("factor", PLACE_FACTORS)
@settings(max_examples=40, deadline=None)
@given(call=tokens, place=factors, more=intervals)
def test_a_larger_factor_never_costs_less(factor: str, call: AdditiveTokens, place: Factors, more: Interval) -> None:
    grown = replace(place, **{factor: getattr(place, factor) + more})
    assert _never_less(footprint_of(call, grown), footprint_of(call, place))


@pytest.mark.parametrize("kind", PER_TOKEN_FACTORS)
@settings(max_examples=40, deadline=None)
@given(call=tokens, place=factors, more=intervals)
def test_a_larger_coefficient_never_costs_less(kind: str, call: AdditiveTokens, place: Factors, more: Interval) -> None:
    before = getattr(place.energy_per_token, kind) or Interval.exactly(0.0)
    larger = replace(place.energy_per_token, **{kind: before + more})
    assert _never_less(footprint_of(call, replace(place, energy_per_token=larger)), footprint_of(call, place))


@laws
@given(reported, reported, reported, reported, reported)
def test_parts_are_refused_exactly_when_they_exceed_their_whole(
    whole_in: int | None, whole_out: int | None, read: int | None, write: int | None, reasoning: int | None
) -> None:
    cached, thought = (read or 0) + (write or 0), reasoning or 0
    if cached > (whole_in or 0) or thought > (whole_out or 0):
        with pytest.raises(UsageError) as refused:
            TokenUsage("acme", "one", whole_in, whole_out, read, write, reasoning)
        assert refused.value.code == "parts_exceed_whole"
        return
    call = TokenUsage("acme", "one", whole_in, whole_out, read, write, reasoning).additive_tokens()
    assert call == additive_from_counts(whole_in, whole_out, read, write, reasoning)
    assert call.input_uncached + call.cache_read + call.cache_write == (whole_in or 0)
    assert call.output_visible + call.output_reasoning == (whole_out or 0)
    assert min(call) >= 0


@laws
@given(amounts)
def test_units_come_back_from_a_round_trip(amount: float) -> None:
    there_and_back = units.kwh_from_joules(units.joules_from_kwh(amount))
    per_token = units.kwh_per_token_from_wh_per_ktoken(amount)
    assert there_and_back == pytest.approx(amount, rel=1e-15, abs=0)
    assert units.wh_per_ktoken_from_kwh_per_token(per_token) == pytest.approx(amount, rel=1e-15, abs=0)


@laws
@given(amounts, amounts, amounts)
def test_confidence_does_not_depend_on_the_size_of_the_call(low: float, high: float, tokens_used: float) -> None:
    assume(low <= high)
    ratio = high / low
    assume(all(abs(ratio - limit) > 1e-9 for limit in (2.0, 5.0)))
    expected = "high" if ratio < 2 else "medium" if ratio < 5 else "low"
    assert confidence_from_range(low, high) == expected
    assert confidence_from_range(low * tokens_used, high * tokens_used) == expected
