"""What arrived is summed up from its attributes alone."""

from __future__ import annotations

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.demo.figures import figures_of
from tests.unit.demo.samples import COEFFICIENT, estimated, judged, plain


def test_amounts_are_the_sums_of_the_spans_attributes() -> None:
    overall = figures_of([estimated(1.0), estimated(2.0)]).overall
    assert overall.amounts is not None
    assert overall.amounts.emissions_gco2e == Interval(0.5 + 1.0, 1.0 + 2.0, 2.0 + 4.0)
    assert overall.amounts.energy_kwh.mid == pytest.approx(0.002 + 0.004)
    assert overall.amounts.water_l.high == pytest.approx(0.008 + 0.016)


def test_unestimated_calls_are_calls_without_amounts() -> None:
    figures = figures_of([estimated(1.0), judged("unestimated", "no_usage", model="silent")])
    assert (figures.overall.calls, figures.overall.estimated, figures.overall.unestimated) == (2, 1, 1)
    silent = next(row for row in figures.models if row.name[1] == "silent")
    assert silent.amounts is None


def test_duplicates_and_roll_ups_are_no_calls() -> None:
    spans = [estimated(1.0), judged("duplicate", "same_shape"), judged("aggregate", "aggregate_operation")]
    figures = figures_of(spans)
    assert figures.overall.calls == 1
    assert figures.overall.input_tokens == 100
    assert figures.spans_with_status("duplicate") == 1
    assert figures.spans_with_status("aggregate") == 1


def test_spans_without_a_verdict_are_other_spans() -> None:
    figures = figures_of([estimated(1.0), plain(), plain()])
    assert (figures.spans, figures.other_spans) == (3, 2)


def test_rows_come_with_the_largest_emissions_first_and_unknown_last() -> None:
    spans = [judged("unestimated", "no_usage", model="a"), estimated(1.0, model="b"), estimated(5.0, model="c")]
    assert [row.name[1] for row in figures_of(spans).models] == ["c", "b", "a"]


def test_calls_without_a_tenant_stand_under_none_so_that_rows_add_up() -> None:
    figures = figures_of([estimated(1.0, tenant="north"), estimated(2.0)])
    assert {row.name[0]: row.calls for row in figures.tenants} == {"north": 1, "none": 1}
    assert sum(row.calls for row in figures.tenants) == figures.overall.calls


def test_days_are_utc_days_in_order() -> None:
    figures = figures_of([estimated(2.0, day=1), estimated(1.0), estimated(4.0, day=1)])
    assert [(row.name[0], row.calls) for row in figures.days] == [("2026-11-21", 1), ("2026-11-22", 2)]
    assert figures.daily_emissions_gco2e == {("2026-11-21", "gpt-4o"): 1.0, ("2026-11-22", "gpt-4o"): 2.0 + 4.0}


def test_the_facts_named_by_spans_are_kept() -> None:
    fact_ids = figures_of([estimated(1.0), estimated(2.0)]).fact_ids
    assert fact_ids.coefficients == (COEFFICIENT,)
    assert fact_ids.places == (("openai", "us-east-1", "reported"),)
    assert fact_ids.assumptions == {"size_guessed": 2}


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match=r"otel_carbon\.water_l of a span of svc is 'a lot', no number"):
        figures_of([estimated(1.0, more={"otel_carbon.water_l": "a lot"})])
