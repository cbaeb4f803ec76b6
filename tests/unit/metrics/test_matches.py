"""How near the facts are to the models of calls, counted beside the calls."""

from __future__ import annotations

from otel_carbon import metric_names
from otel_carbon.metrics.points import points_of
from otel_carbon.metrics.saved_totals import rows_of, totals_of
from otel_carbon.metrics.totals import Totals
from tests.unit.metrics.bookings import booking, calls

MODEL = "gen_ai.request.model"
RESPONSE = "gen_ai.response.model"


def counted(totals: Totals) -> dict[tuple[str, str], float]:
    points = points_of(totals.snapshot(), metric_names.MATCHED_OPERATIONS)
    return {(each.attributes[RESPONSE], each.attributes["otel_carbon.match"]): each.amount for each in points}


def booked() -> Totals:
    totals, enricher = booking()
    for numbers, model in ((range(3), "gpt-4o"), (range(3, 5), "gpt-9-turbo"), (range(5, 6), "no-such-model")):
        enricher.enrich(calls(numbers, more={MODEL: model, RESPONSE: model}))
    enricher.enrich(calls(range(6, 7), more={MODEL: "dall-e-3", RESPONSE: "dall-e-3"}))  # no figure, so no match
    return totals


def test_calls_are_counted_by_how_near_the_fact_is_to_their_model() -> None:
    totals = booked()

    assert counted(totals) == {("gpt-4o", "exact"): 3, ("gpt-9-turbo", "family"): 2, ("no-such-model", "generic"): 1}
    estimated = [
        each.amount
        for each in points_of(totals.snapshot(), metric_names.OPERATIONS)
        if each.attributes["otel_carbon.status"] == "estimated"
    ]
    assert sum(counted(totals).values()) == sum(estimated) == 6


def test_closed_accounts_and_a_restart_lose_none_of_them() -> None:
    totals = booked()
    before = counted(totals)
    totals.close_accounts()
    assert counted(totals) == before

    after = Totals()
    after.restore(totals_of(rows_of(totals.snapshot())))
    assert counted(after) == before
