from __future__ import annotations

import pytest

from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.methods.sci import sci_results, sci_score_gco2e
from tests.support.small_registry import DAY, MODEL, small_registry


def _usage(input_tokens: int | None, output_tokens: int) -> TokenUsage:
    return TokenUsage("acme", MODEL, input_tokens=input_tokens, output_tokens=output_tokens, at=DAY)


def _scores(usage: TokenUsage) -> dict[str, Interval | Unestimated]:
    footprint = estimate(usage, registry=small_registry())
    assert isinstance(footprint, Footprint)
    return {result.functional_unit: result.emissions_gco2e for result in sci_results(usage, footprint)}


def test_the_score_is_energy_times_intensity_plus_embodied_over_the_units() -> None:
    score = sci_score_gco2e(Interval(1, 2, 3), Interval(10, 20, 40), Interval(0, 5, 10), 4)
    assert score == Interval((1 * 10 + 0) / 4, (2 * 20 + 5) / 4, (3 * 40 + 10) / 4)


@pytest.mark.parametrize("units", [0, -1])
def test_a_score_of_no_units_is_refused(units: float) -> None:
    with pytest.raises(ValueError, match="must be more than 0"):
        sci_score_gco2e(Interval(1, 2, 3), Interval(1, 2, 3), Interval(1, 2, 3), units)


def test_a_call_is_scored_for_a_thousand_tokens_for_a_thousand_output_tokens_and_as_a_whole() -> None:
    """The small registry: 1 and 2 Wh for 1,000 tokens, PUE 1.25, 20 gCO2e a kWh, 50 g embodied for an IT kWh."""
    scores = _scores(_usage(3000, 1000))
    it_kwh = (3000 * 1 + 1000 * 2) / 1e6
    grams = it_kwh * 1.25 * 20 + it_kwh * 50
    assert {unit: score.mid for unit, score in scores.items() if isinstance(score, Interval)} == pytest.approx(
        {"ktoken": grams / 4, "ktoken_output": grams / 1, "call": grams}, rel=1e-12
    )


def test_without_input_tokens_there_is_no_score_for_all_tokens() -> None:
    scores = _scores(_usage(None, 1000))
    assert scores["ktoken"] == Unestimated("no_input_count")
    assert isinstance(scores["ktoken_output"], Interval)


def test_no_tokens_give_no_score_and_not_zero() -> None:
    scores = _scores(_usage(0, 0))
    assert scores["ktoken"] == scores["ktoken_output"] == Unestimated("no_tokens")
    assert scores["call"] == Interval.exactly(0.0)
