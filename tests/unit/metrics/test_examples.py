"""Calls behind series, as exemplars of an OpenMetrics page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from otel_carbon import metric_names
from otel_carbon.metrics.examples import Example
from otel_carbon.metrics.exposition import Exposition
from tests.unit.metrics.bookings import booking, calls
from tests.unit.sdk.genai_spans import application

if TYPE_CHECKING:
    from prometheus_client.samples import Exemplar

    from otel_carbon.metrics.totals import Totals

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
CALL_JOULES = (800 * 0.206 + 300 * 0.687) / 1000 * 1.16 * 3600  # Wh per 1,000 tokens, PUE, J per Wh


def exemplars(totals: Totals, name: str) -> list[Exemplar | None]:
    page = Exposition(totals).render(OPENMETRICS)[0].decode()
    families = text_string_to_metric_families(page)  # type: ignore[no-untyped-call] # untyped upstream
    return [sample.exemplar for family in families for sample in family.samples if sample.name == name]


def ids_of(number: int) -> dict[str, str]:
    return {"trace_id": f"{number:032x}", "span_id": f"{number:016x}"}


def test_each_amount_leads_to_a_call_of_the_last_request_with_what_that_has_added() -> None:
    totals, book = booking()
    book(calls([1, 2]))
    book(calls([3, 4]))
    (energy,) = exemplars(totals, "otel_carbon_energy_joules_total")
    assert energy is not None
    assert energy.labels == ids_of(3)
    assert energy.value == pytest.approx(CALL_JOULES, rel=1e-9)
    snapshot = totals.snapshot()
    (row,) = snapshot.rows.values()
    for name, total in (("otel_carbon_emissions_grams_total", row[3]), ("otel_carbon_water_L_total", row[6])):
        (found,) = exemplars(totals, name)
        assert found is not None
        assert found.labels == ids_of(3)
        assert found.value == pytest.approx(total / 4, rel=1e-9)
    said = {found.value for found in exemplars(totals, "otel_carbon_tokens_total") if found is not None}
    assert said == {800, 300}
    (operation,) = exemplars(totals, "otel_carbon_operations_total")
    assert operation is not None
    assert (operation.labels, operation.value) == (ids_of(3), 1)


def test_the_time_of_an_example_is_left_to_the_scraper_as_clocks_of_clients_differ() -> None:
    totals, book = booking()
    book(calls([1]))
    (energy,) = exemplars(totals, "otel_carbon_energy_joules_total")
    assert energy is not None
    assert energy.timestamp is None


def test_a_kind_of_tokens_that_the_call_has_none_of_leads_nowhere() -> None:
    totals, book = booking()
    book(calls([1], more={"gen_ai.usage.cache_read.input_tokens": 100}))
    book(calls([2]))
    by_kind = exemplars(totals, "otel_carbon_tokens_total")
    assert sorted(found.value if found else 0 for found in by_kind) == [0, 300, 800]


@pytest.mark.parametrize("metric", [metric_names.ENERGY_LOW, metric_names.EMISSIONS_HIGH, metric_names.WATER_LOW])
def test_bounds_have_no_examples_of_their_own(metric: metric_names.Metric) -> None:
    totals, book = booking()
    book(calls([1]))
    assert exemplars(totals, metric.prometheus_name) == [None]


def test_a_call_without_a_figure_is_found_by_its_reason() -> None:
    totals, book = booking()
    book(calls([1]))
    book(calls([7], more={"gen_ai.request.model": "no-such-image-1", "gen_ai.response.model": "no-such-image-1"}))
    found = {each.labels["trace_id"] for each in exemplars(totals, "otel_carbon_operations_total") if each}
    assert found == {ids_of(1)["trace_id"], ids_of(7)["trace_id"]}


def test_a_duplicate_is_no_example() -> None:
    totals, book = booking()
    book(calls([1]))
    book(calls([2], more={"gen_ai.operation.name": "execute_tool"}))
    book(calls([1]))
    (operation,) = exemplars(totals, "otel_carbon_operations_total")
    assert operation is not None
    assert operation.labels == ids_of(1)


def test_examples_outlive_the_closing_of_accounts_and_no_restart() -> None:
    totals, book = booking()
    book(calls([1]))
    with totals.lock:
        totals.close_accounts()
    assert [each.labels for each in exemplars(totals, "otel_carbon_energy_joules_total") if each] == [ids_of(1)]
    restarted, _ = booking()
    restarted.restore(totals.snapshot())
    assert exemplars(restarted, "otel_carbon_energy_joules_total") == [None]


@pytest.mark.parametrize(
    ("trace_id", "span_id"),
    [
        (0, 5),
        (5, 0),
        (bytes(16), b"s" * 8),
        (b"t" * 16, bytes(8)),
        (b"t" * 8, b"s" * 8),
        (1 << 128, 5),
        (-1, 5),
        (b"", b""),
    ],
)
def test_ids_that_lead_nowhere_are_no_labels(trace_id: int | bytes, span_id: int | bytes) -> None:
    assert Example(trace_id, span_id, None, None).labels() is None


def test_ids_in_process_are_numbers_and_come_out_as_those_of_the_collector() -> None:
    app = application()
    context = app.call().context
    assert context is not None
    (energy,) = exemplars(app.carbon.totals, "otel_carbon_energy_joules_total")
    assert energy is not None
    assert energy.labels == {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
