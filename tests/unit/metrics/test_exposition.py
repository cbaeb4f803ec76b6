from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families_of_openmetrics
from prometheus_client.parser import text_string_to_metric_families as families_of_text

from otel_carbon import metric_names
from otel_carbon.metrics.exposition import Exposition, TotalsCollector
from otel_carbon.metrics.labels import MAX_LABEL_CHARACTERS
from otel_carbon.metrics.totals import MAX_SCOPES, OperationKey
from otel_carbon.otlp.json_traces import enrich_json_requests
from otel_carbon.otlp.traces import TracesEnricher
from tests.support.golden import check_golden
from tests.unit.metrics.bookings import FixedTotals, booking, calls
from tests.unit.otlp.messages import fresh_enricher, inference_span, otlp_json, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric

    from otel_carbon.metrics.totals import Totals

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "metrics"
TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
CALL_JOULES = (800 * 0.206 + 300 * 0.687) / 1000 * 1.16 * 3600  # Wh per 1,000 tokens, PUE, J per Wh


PARSERS: dict[str, Callable[[str], Iterable[Metric]]] = {TEXT: families_of_text, OPENMETRICS: families_of_openmetrics}


def said(totals: Totals, accept: str) -> list[tuple[str, dict[str, str], float]]:
    """Name, labels and value of each sample on the page, as its parser reads them."""
    page = Exposition(totals).render(accept)[0].decode()
    return [(each.name, each.labels, each.value) for family in PARSERS[accept](page) for each in family.samples]


def samples(totals: Totals, name: str) -> dict[frozenset[tuple[str, str]], float]:
    return {
        frozenset((label, text) for label, text in labels.items() if text): value
        for sample_name, labels, value in said(totals, TEXT)
        if sample_name == name
    }


def total(totals: Totals, name: str) -> float:
    return math.fsum(samples(totals, name).values())


@pytest.mark.parametrize(("accept", "file"), [(TEXT, "page.txt"), (OPENMETRICS, "page.openmetrics")])
def test_the_page_of_a_few_bookings(accept: str, file: str) -> None:
    page, content_type = Exposition(FixedTotals()).render(accept)
    assert content_type.startswith(accept.partition(";")[0])
    check_golden(GOLDEN / file, page.decode())


def test_both_formats_say_the_same() -> None:
    assert said(FixedTotals(), TEXT) == said(FixedTotals(), OPENMETRICS)


@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
def test_a_page_in_slices_is_the_page_that_the_library_writes_in_one_go(accept: str) -> None:
    totals, book = booking()
    book(calls(range(1, 101), more={"otel_carbon.tenant": "t{number} # EOF\n# TYPE", "gen_ai.request.model": "gpt-4o"}))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(TotalsCollector(totals))
    encode, content_type = choose_encoder(accept)
    assert Exposition(totals).render(accept) == (encode(registry), content_type)
    assert len(samples(totals, metric_names.ENERGY.prometheus_name)) == 100


def test_who_books_while_a_snapshot_rests_does_not_wait_and_rows_stay_whole() -> None:
    totals, book = booking()
    book(calls(range(1, 101), more={"otel_carbon.tenant": "t{number}"}))
    numbers = iter(range(101, 201))
    rests = 0

    def rest() -> None:
        nonlocal rests
        rests += 1
        thread = threading.Thread(target=book, args=(calls([next(numbers)], more={"otel_carbon.tenant": "t1"}),))
        thread.start()
        thread.join(30)  # would not end if the lock were held
        assert not thread.is_alive()

    snapshot = totals.snapshot(rest)
    assert rests == 7  # 100 rows, 16 at a time
    assert len(snapshot.rows) == 100
    for labels, row in snapshot.rows.items():
        booked = snapshot.operations[OperationKey(labels, "estimated", "")]
        assert row[0] == pytest.approx(booked * CALL_JOULES, rel=1e-9)
        assert sum(row[9:]) == booked * 1100
    assert sum(totals.snapshot().operations.values()) == 107


def test_totals_without_bookings_are_a_page_without_amounts() -> None:
    totals, _ = booking()
    page = Exposition(totals).render("")[0].decode()
    assert [line for line in page.splitlines() if not line.startswith("#")] == ["otel_carbon_dropped_series_total 0.0"]
    assert page.count("# TYPE") == len(metric_names.ALL)


@pytest.mark.parametrize(
    "text",
    [
        'say "hi"',
        "two\nlines",
        "back\\slash",
        "\\n",
        "größer 模型 \U0001f600",
        "tab\t",
        '{a="b"} 1\n# EOF',
        "x" * 10_000,
        "\x00",
    ],
    ids=lambda text: repr(text)[:20],
)
def test_any_text_is_a_label_value_cut_to_its_bound(text: str) -> None:
    totals, book = booking()
    tenant = text.replace("{", "{{").replace("}", "}}")
    book(calls([1], service=text, scope=text, more={"otel_carbon.tenant": tenant}))
    cut = text[:MAX_LABEL_CHARACTERS]
    (labels,) = samples(totals, metric_names.ENERGY.prometheus_name)
    assert (dict(labels)["service_name"], dict(labels)["otel_carbon_tenant"]) == (cut, cut)
    (labels,) = samples(totals, metric_names.SPANS.prometheus_name)
    assert dict(labels)["otel_carbon_observed_scope"] == cut
    assert said(totals, TEXT) == said(totals, OPENMETRICS)


def test_scopes_that_are_equal_once_cut_are_one_series() -> None:
    totals, book = booking()
    for number, end in enumerate("ab", start=1):
        book(calls([number], scope="x" * 1000 + end, more={"gen_ai.usage.output_tokens": number}))
    assert list(samples(totals, metric_names.SPANS.prometheus_name).values()) == [2]


def test_half_a_surrogate_pair_takes_no_page_down() -> None:
    body = otlp_json(request_of(inference_span(), service="SERVICE")).replace(b"SERVICE", b"\\ud83d")
    enricher = fresh_enricher()
    enrich_json_requests([body], enricher)
    (labels,) = samples(enricher.totals, metric_names.ENERGY.prometheus_name)
    assert dict(labels)["service_name"] == "?"


def test_beyond_the_label_budget_calls_are_booked_as_other_and_totals_add_up() -> None:
    totals, book = booking(max_series=20)
    for number in range(1, 101):
        book(calls([number], more={"otel_carbon.tenant": "t{number}"}))
    energy = samples(totals, metric_names.ENERGY.prometheus_name)
    assert len(energy) <= 21
    other = [labels for labels in energy if ("otel_carbon_tenant", "other") in labels]
    assert [dict(labels)["gen_ai_response_model"] for labels in other] == ["other"]
    assert math.fsum(energy.values()) == pytest.approx(100 * CALL_JOULES, rel=1e-9)
    assert total(totals, metric_names.TOKENS.prometheus_name) == 100 * 1100
    assert total(totals, metric_names.OPERATIONS.prometheus_name) == 100
    assert total(totals, metric_names.DROPPED_SERIES.prometheus_name) >= 80


def test_beyond_the_bound_scopes_are_summed_up_as_other() -> None:
    totals, book = booking()
    for number in range(1, MAX_SCOPES + 51):
        book(calls([number], scope=f"scope {number}", more={"gen_ai.usage.output_tokens": number}))
    seen = samples(totals, metric_names.SPANS.prometheus_name)
    assert (len(seen), math.fsum(seen.values())) == (MAX_SCOPES + 1, MAX_SCOPES + 50)
    other = {"otel_carbon_observed_scope": "other", "otel_carbon_dialect": "gen-ai", "otel_carbon_verdict": "counted"}
    assert seen[frozenset(other.items())] == 50


def test_a_later_snapshot_is_nowhere_smaller_and_the_earlier_one_stays() -> None:
    totals, book = booking()
    book(calls(range(1, 11), more={"otel_carbon.tenant": "t{number}"}))
    first = totals.snapshot()
    copied = {labels: list(sums) for labels, sums in first.rows.items()}
    book(calls(range(11, 16)))
    book(calls(range(1, 3), more={"otel_carbon.tenant": "t{number}"}))
    second = totals.snapshot()
    assert {labels: list(sums) for labels, sums in first.rows.items()} == copied
    for labels, sums in first.rows.items():
        assert all(later >= earlier for earlier, later in zip(sums, second.rows[labels], strict=True))
    assert all(second.operations[key] >= count for key, count in first.operations.items())
    assert sum(second.operations.values()) == 15


def test_reset_starts_from_zero() -> None:
    totals, book = booking()
    book(calls([1]))
    totals.reset()
    assert total(totals, metric_names.ENERGY.prometheus_name) == 0
    assert total(totals, metric_names.SPANS.prometheus_name) == 0


def test_threads_that_book_while_pages_are_rendered_lose_nothing() -> None:
    totals, book = booking()
    threads, requests, spans_each = 6, 10, 10
    done = threading.Event()
    rendered: list[float] = []

    def book_all(thread: int) -> None:
        for request in range(requests):
            first = 1 + (thread * requests + request) * spans_each
            book(calls(range(first, first + spans_each), more={"otel_carbon.tenant": f"t{thread % 3}"}))

    def render() -> None:
        while not done.is_set():
            rendered.append(total(totals, metric_names.OPERATIONS.prometheus_name))

    reader = threading.Thread(target=render)
    writers = [threading.Thread(target=book_all, args=(number,)) for number in range(threads)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(30)
    done.set()
    reader.join(30)
    count = threads * requests * spans_each
    assert rendered == sorted(rendered)
    assert total(totals, metric_names.OPERATIONS.prometheus_name) == count
    assert total(totals, metric_names.TOKENS.prometheus_name) == count * 1100
    assert total(totals, metric_names.ENERGY.prometheus_name) == pytest.approx(count * CALL_JOULES, rel=1e-9)


def test_after_a_fork_an_enricher_books_from_zero() -> None:
    enricher = fresh_enricher()
    book = TracesEnricher(enricher)
    book(calls([1]))
    enricher.reset_after_fork()
    assert total(enricher.totals, metric_names.OPERATIONS.prometheus_name) == 0
    book(calls([1, 2]))  # the window is new as well
    assert total(enricher.totals, metric_names.OPERATIONS.prometheus_name) == 2
    assert total(enricher.totals, metric_names.TOKENS.prometheus_name) == 2 * 1100


def test_a_label_budget_is_spent_by_label_sets_in_use_only() -> None:
    totals, book = booking(max_series=20)
    book(calls(range(1, 21), more={"otel_carbon.tenant": "t{number}"}))
    assert len(samples(totals, metric_names.ENERGY.prometheus_name)) == 20
    assert total(totals, metric_names.DROPPED_SERIES.prometheus_name) == 0
