from __future__ import annotations

from dataclasses import replace

import pytest

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.methods.result import CALL, MethodResult, spread_of, why_no_figure

NOTHING = Unestimated("not_published")


def _result(method: str, energy_kwh: float | None, *, compared: bool = True) -> MethodResult:
    amount = NOTHING if energy_kwh is None else Interval(energy_kwh / 2, energy_kwh, energy_kwh * 2)
    comparable = ("energy_kwh",) if compared and energy_kwh is not None else ()
    return MethodResult(method, "1", "All.", CALL, (), amount, NOTHING, NOTHING, comparable)


def test_the_spread_is_the_highest_mid_over_the_lowest_of_what_compares() -> None:
    results = [_result("a", 2.0), _result("b", 8.0), _result("c", 4.0), _result("other boundary", 90.0, compared=False)]
    spread = spread_of("energy_kwh", [*results, _result("silent", None)])
    assert spread is not None
    assert (spread.lowest, spread.highest, spread.ratio, spread.count) == ("a", "b", 4.0, 3)


@pytest.mark.parametrize("mids", [[], [1.0], [0.0, 1.0], [None, 1.0]])
def test_less_than_two_amounts_above_zero_have_no_spread(mids: list[float | None]) -> None:
    results = [_result(f"method {i}", mid) for i, mid in enumerate(mids)]
    assert spread_of("energy_kwh", results) is None


def test_a_quantity_that_nobody_gives_has_no_spread() -> None:
    assert spread_of("water_l", [_result("a", 2.0), _result("b", 8.0)]) is None


def test_a_result_is_admissible_unless_something_speaks_against_it() -> None:
    result = _result("a", 2.0)
    assert result.admissible
    assert not replace(result, not_mid_because=("boundary",)).admissible


def test_a_code_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="a: no words for"):
        replace(_result("a", 2.0), not_mid_because=("because",))
    with pytest.raises(ValueError, match="a: no words for"):
        replace(_result("a", 2.0), functional_unit="fortnight")


def test_what_has_no_amount_cannot_compare() -> None:
    with pytest.raises(ValueError, match="nothing to compare in"):
        replace(_result("a", 2.0), comparable=("water_l",))


def test_why_there_is_no_figure_is_a_sentence_of_methods_or_of_estimates() -> None:
    assert why_no_figure(Unestimated("not_published")) == "The source publishes no such figure."
    assert why_no_figure(Unestimated("model-not-registered", "a/b")) == (
        "EcoLogits does not know the model of this provider. (a/b)"
    )
    assert why_no_figure(Unestimated("model_not_registered", "b")) == (
        "The registry has no energy coefficient for this model. (b)"
    )
