from __future__ import annotations

import math

import pytest

from otel_carbon.core.interval import ZERO, Interval, total


@pytest.mark.parametrize(
    "wrong",
    [
        (-1.0, 0.0, 1.0),
        (2.0, 1.0, 3.0),
        (1.0, 3.0, 2.0),
        (0.0, 1.0, math.inf),
        (math.nan, 1.0, 2.0),
        (0.0, math.nan, 2.0),
        (0.0, 1.0, math.nan),
    ],
)
def test_bounds_that_are_negative_not_finite_or_out_of_order_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"an interval needs 0 <= low <= mid <= high, finite; got "):
        Interval(*wrong)


def test_a_known_amount_has_equal_bounds() -> None:
    assert Interval.exactly(1.5) == Interval(1.5, 1.5, 1.5)


def test_sums_and_products_combine_low_with_low_and_high_with_high() -> None:
    assert Interval(1, 2, 4) + Interval(10, 20, 40) == Interval(11, 22, 44)
    assert Interval(1, 2, 4) * Interval(10, 20, 40) == Interval(10, 40, 160)


def test_a_known_factor_scales_every_bound() -> None:
    assert Interval(1, 2, 4).scaled(0.5) == Interval(0.5, 1, 2)
    assert Interval(1, 2, 4).scaled(0) == ZERO


def test_a_negative_factor_is_refused() -> None:
    with pytest.raises(ValueError, match="low <= mid <= high"):
        Interval(1, 2, 4).scaled(-1)


def test_the_json_form_names_the_bounds() -> None:
    assert Interval(1, 2, 4).as_dict() == {"low": 1, "mid": 2, "high": 4}


def test_a_total_is_summed_without_rounding_drift() -> None:
    tenths = [Interval.exactly(0.1)] * 10
    assert total(tenths) == Interval.exactly(1.0)


def test_a_total_of_nothing_is_zero() -> None:
    assert total([]) == ZERO


def test_an_interval_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Interval(1, 2, 4).mid = 3  # type: ignore[misc]  # that it is refused is the test
