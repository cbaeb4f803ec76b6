"""Read, count, estimate, book as a whole: what is booked, for whom, and what is left to others."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon import TokenUsage, estimate, metric_names
from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.tokens import KINDS
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher, Outcome
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.metrics.labels import OTHER, LabelBudget
from otel_carbon.metrics.points import points_of
from otel_carbon.metrics.totals import Snapshot, Totals
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.view import KIND_SERVER, MappingAttributes, SpanView
from tests.unit.spans.chat_spans import DAY_NS, NOON_NS, call_span

if TYPE_CHECKING:
    from collections.abc import Mapping

JOULES_PER_KWH = 3.6e6
EMISSIONS_MID = 3
NO_USAGE: Mapping[str, object] = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}


def new_enricher(**settings: Any) -> Enricher:
    return Enricher(Registry.bundled(), EnrichSettings(**settings))


def enrich(enricher: Enricher, span: SpanView) -> Outcome:
    outcome = enricher.enrich(span)
    assert outcome is not None
    return outcome


def operations(snapshot: Snapshot) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for key, count in snapshot.operations.items():
        found[key.status, key.reason] = found.get((key.status, key.reason), 0) + count
    return found


def tokens(snapshot: Snapshot) -> dict[str, float]:
    return {kind: sum(row[AMOUNTS + i] for row in snapshot.rows.values()) for i, kind in enumerate(KINDS)}


def emissions_g(snapshot: Snapshot) -> float:
    return sum(row[EMISSIONS_MID] for row in snapshot.rows.values())


def verdicts(snapshot: Snapshot) -> dict[str, int]:
    found: dict[str, int] = {}
    for span, count in snapshot.spans.items():
        found[span.verdict] = found.get(span.verdict, 0) + count
    return found


def carrying(span: SpanView, outcome: Outcome) -> SpanView:
    """The span as it leaves an enricher."""
    names = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.id")
    counts = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    own = {key: value for key in (*names, *counts) if (value := span.attributes.get(key)) is not None}
    return SpanView(
        MappingAttributes({**own, **outcome.attributes(full=False)}),
        span.scope,
        span.resource,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        kind=span.kind,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
    )


def test_a_call_gets_and_books_the_figure_that_an_estimate_gives() -> None:
    enricher = new_enricher()
    outcome = enrich(enricher, call_span(1))
    expected = estimate(TokenUsage("openai", "gpt-4o", 1000, 200))
    assert isinstance(expected, Footprint)
    assert outcome.footprint is not None
    assert outcome.footprint.emissions_gco2e == expected.emissions_gco2e
    snapshot = enricher.totals.snapshot()
    assert operations(snapshot) == {("estimated", ""): 1}
    assert emissions_g(snapshot) == expected.emissions_gco2e.mid
    assert sum(row[0] for row in snapshot.rows.values()) == expected.energy_kwh.mid * JOULES_PER_KWH
    assert tokens(snapshot) == dict(zip(KINDS, (1000, 0, 0, 200, 0), strict=True))


def test_a_call_that_used_no_tokens_has_a_footprint_of_zero() -> None:
    outcome = enrich(new_enricher(), call_span(1, {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}))
    assert outcome.footprint is not None
    assert outcome.footprint.emissions_gco2e.mid == 0.0
    assert outcome.attributes(full=False)[ours.STATUS] == ours.STATUS_ESTIMATED


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        (NO_USAGE, reasons.NO_USAGE),
        ({**NO_USAGE, "error.type": "500"}, reasons.FAILED_NO_USAGE),
        ({"gen_ai.usage.output_tokens": None}, reasons.NO_USAGE),
        ({"gen_ai.usage.input_tokens": -5}, reasons.INVALID_USAGE),
        ({"gen_ai.usage.reasoning.output_tokens": 201}, reasons.PARTS_EXCEED_WHOLE),
        ({"gen_ai.request.model": "nobodys-image-1"}, reasons.MODEL_NOT_REGISTERED),
        ({"gen_ai.request.model": None}, reasons.MODEL_NOT_NAMED),
        ({"cloud.region": "mars-north-1"}, reasons.ZONE_UNKNOWN),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_has_no_figure_says_why_and_is_never_zero(attributes: dict[str, object], reason: str) -> None:
    enricher = new_enricher()
    outcome = enrich(enricher, call_span(1, attributes))
    assert (outcome.status, outcome.reason, outcome.footprint) == (ours.STATUS_UNESTIMATED, reason, None)
    assert outcome.attributes(full=True) == {ours.STATUS: ours.STATUS_UNESTIMATED, ours.REASON: reason}
    snapshot = enricher.totals.snapshot()
    assert operations(snapshot) == {("unestimated", reason): 1}
    assert emissions_g(snapshot) == 0.0


def test_the_tokens_of_a_call_without_a_figure_are_booked_all_the_same() -> None:
    enricher = new_enricher()
    enrich(enricher, call_span(1, {"gen_ai.request.model": "nobodys-image-1"}))
    assert sum(tokens(enricher.totals.snapshot()).values()) == 1000 + 200


def test_spans_that_are_nobodys_are_not_touched() -> None:
    enricher = new_enricher()
    web = SpanView(MappingAttributes({"http.request.method": "GET"}), "web", call_span(1).resource)
    assert enricher.enrich(web) is None
    found = enricher.enrich_together([web, call_span(1), web])
    assert [outcome is None for outcome in found] == [True, False, True]
    assert verdicts(enricher.totals.snapshot()) == {"counted": 1}


def test_what_a_first_hop_judged_a_second_hop_does_not_book() -> None:
    first, second = new_enricher(), new_enricher()
    spans = [
        call_span(1, parent=9, times_ms=(1, 5)),
        call_span(2, {"gen_ai.request.model": "nobodys-image-1"}, trace=2),
        call_span(1, trace=3, scope="framework", times_ms=(1, 5)),
        call_span(9, {**NO_USAGE, "gen_ai.operation.name": "invoke_workflow"}),
    ]
    judged = [enrich(first, span) for span in spans]
    assert [outcome.status for outcome in judged] == ["estimated", "unestimated", "duplicate", "aggregate"]
    outcomes = [enrich(second, carrying(span, outcome)) for span, outcome in zip(spans, judged, strict=True)]
    assert [outcome.verdict for outcome in outcomes] == [ours.VERDICT_ALREADY_ENRICHED] * 4
    assert [outcome.attributes(full=True) for outcome in outcomes] == [{}] * 4
    snapshot = second.totals.snapshot()
    assert (snapshot.rows, snapshot.operations) == ({}, {})
    assert verdicts(snapshot) == {ours.VERDICT_ALREADY_ENRICHED: 4}


def test_an_already_enriched_span_that_comes_again_is_repeated() -> None:
    first, second = new_enricher(), new_enricher()
    span = call_span(1)
    enriched = carrying(span, enrich(first, span))
    assert [enrich(second, enriched).verdict for _ in range(2)] == ["already_enriched", "repeated"]


def test_told_to_count_them_already_enriched_spans_are_booked_once() -> None:
    first, second = new_enricher(), new_enricher(already_enriched="count")
    spans = [call_span(1), call_span(1, trace=2, scope="framework")]
    enriched = [carrying(span, enrich(first, span)) for span in spans]
    for span in (*enriched, *enriched):
        assert enrich(second, span).attributes(full=True) == {}
    snapshot = second.totals.snapshot()
    assert operations(snapshot) == {("estimated", ""): 1}
    assert emissions_g(snapshot) == emissions_g(first.totals.snapshot()) > 0


@pytest.mark.parametrize("already_enriched", ["trust", "count"])
@pytest.mark.parametrize("enriched_first", [True, False])
def test_the_unenriched_twin_of_an_enriched_span_is_a_duplicate(already_enriched: str, enriched_first: bool) -> None:
    first, second = new_enricher(), new_enricher(already_enriched=already_enriched)
    span = call_span(1, times_ms=(0, 8))
    enriched, twin = carrying(span, enrich(first, span)), call_span(1, trace=2, scope="gateway", times_ms=(1, 7))
    batch = [enriched, twin] if enriched_first else [twin, enriched]
    found = second.enrich_together(batch)
    by_scope = {span.scope: outcome.verdict for span, outcome in zip(batch, found, strict=True) if outcome}
    assert by_scope == {"sdk": "already_enriched", "gateway": "duplicate"}
    booked = 1 if already_enriched == "count" else 0
    assert sum(operations(second.totals.snapshot()).values()) == booked


@pytest.mark.parametrize(
    ("span", "resource", "settings", "tenant"),
    [
        ({ours.TENANT: "search"}, {}, {}, "search"),
        ({}, {ours.TENANT: "platform"}, {}, "platform"),
        ({ours.TENANT: "search"}, {ours.TENANT: "platform"}, {}, "search"),
        ({"team": "ads", ours.TENANT: "search"}, {}, {"tenant_attribute": "team"}, "ads"),
        ({}, {"team": "ads"}, {"tenant_attribute": "team"}, "ads"),
        ({ours.TENANT: "search"}, {}, {"tenant_attribute": "team"}, "none"),
        ({ours.TENANT: ""}, {ours.TENANT: "platform"}, {}, "platform"),
        ({ours.TENANT: 7}, {}, {}, "7"),
        ({}, {}, {}, "none"),
    ],
)
def test_the_tenant_is_that_of_the_span_then_of_its_resource(
    span: dict[str, object], resource: dict[str, object], settings: dict[str, Any], tenant: str
) -> None:
    enricher = new_enricher(**settings)
    enrich(enricher, call_span(1, span, resource=resource))
    assert {key.labels.tenant for key in enricher.totals.snapshot().operations} == {tenant}


def test_labels_say_who_called_what_and_where() -> None:
    enricher = new_enricher(configured_regions={"openai": "us-east-1"})
    emitter = {"service.name": "shop", "deployment.environment.name": "prod"}
    enrich(enricher, call_span(1, {"gen_ai.response.model": "gpt-4o-2024-08-06"}, resource=emitter))
    (key,) = enricher.totals.snapshot().operations
    assert key.labels._asdict() == {
        "provider": "openai",
        "model": "gpt-4o-2024-08-06",
        "region": "us-east-1",
        "tier": "token_physical",
        "tenant": "none",
        "service": "shop",
        "environment": "prod",
    }


def test_beyond_the_label_budget_totals_still_add_up() -> None:
    calls = [call_span(n, {ours.TENANT: f"tenant {n}"}, trace=n) for n in range(1, 31)]
    tight = Enricher(Registry.bundled(), totals=Totals(budget=LabelBudget(5)))
    ample = Enricher(Registry.bundled())
    for call in calls:
        enrich(tight, call)
        enrich(ample, call)
    few, all_of_them = tight.totals.snapshot(), ample.totals.snapshot()
    assert len(few.rows) <= 5 + 1
    assert few.dropped_series > 0
    assert OTHER in {labels.tenant for labels in few.rows}
    assert operations(few) == operations(all_of_them) == {("estimated", ""): 30}
    assert tokens(few) == tokens(all_of_them) == dict(zip(KINDS, (30_000, 0, 0, 6_000, 0), strict=True))
    assert emissions_g(few) == pytest.approx(emissions_g(all_of_them), rel=1e-12)


def test_the_context_of_each_call_counts_and_not_that_of_their_sum() -> None:
    llama = {"gen_ai.provider.name": "groq", "gen_ai.request.model": "llama-3.1-70b", "gen_ai.response.model": None}
    long = {**llama, "gen_ai.usage.input_tokens": 100_000}
    enricher = new_enricher()
    outcomes = [enrich(enricher, call_span(n, long, trace=n)) for n in (1, 2, 3)]
    footprints = [outcome.footprint for outcome in outcomes if outcome.footprint is not None]
    assert [each.units for each in footprints] == [200 * 100_000 + 200 * 199 // 2] * 3
    booked = emissions_g(enricher.totals.snapshot())
    assert booked == pytest.approx(sum(each.emissions_gco2e.mid for each in footprints), rel=1e-12)


def test_usage_that_comes_late_is_booked_without_a_second_operation() -> None:
    enricher = new_enricher()
    response = {"gen_ai.response.id": "chatcmpl-8d1f2c"}
    silent = enrich(enricher, call_span(1, {**NO_USAGE, **response}))
    telling = enrich(enricher, call_span(1, response, trace=2, scope="framework"))
    assert (silent.status, telling.status) == ("unestimated", "estimated")
    snapshot = enricher.totals.snapshot()
    assert sum(operations(snapshot).values()) == 1
    assert tokens(snapshot) == dict(zip(KINDS, (1000, 0, 0, 200, 0), strict=True))


def assumptions(outcome: Outcome) -> set[str]:
    assert outcome.footprint is not None
    return set(outcome.footprint.provenance.assumptions)


def test_a_call_counts_where_it_is_made_and_not_where_it_is_served() -> None:
    enricher = new_enricher()
    outcome = enrich(enricher, call_span(1, kind=KIND_SERVER))
    assert (outcome.verdict, outcome.status, outcome.reason) == ("duplicate", "duplicate", reasons.ACCOUNTING_POINT)
    snapshot = enricher.totals.snapshot()
    assert (snapshot.rows, snapshot.operations, verdicts(snapshot)) == ({}, {}, {"duplicate": 1})


@pytest.mark.parametrize(
    ("services", "status"), [({"*"}, "estimated"), ({"shop"}, "estimated"), ({"search", "shop-2"}, "duplicate")]
)
def test_a_call_counts_where_it_is_served_for_the_services_that_are_named(services: set[str], status: str) -> None:
    enricher = new_enricher(accounting_point=frozenset(services))
    assert enrich(enricher, call_span(1, kind=KIND_SERVER)).status == status


@pytest.mark.parametrize("served_first", [True, False])
def test_a_call_that_is_made_and_served_is_counted_once_wherever_it_counts(served_first: bool) -> None:
    for accounting_point in (frozenset[str](), frozenset({"*"})):
        enricher = new_enricher(accounting_point=accounting_point)
        made = call_span(1, times_ms=(0, 10))
        served = call_span(2, parent=1, scope="model server", kind=KIND_SERVER, times_ms=(1, 9))
        found = enricher.enrich_together([served, made] if served_first else [made, served])
        assert sorted(outcome.status for outcome in found if outcome) == ["duplicate", "estimated"]
        assert operations(enricher.totals.snapshot()) == {("estimated", ""): 1}


@pytest.mark.parametrize("key", ["http.request.method", "http.route", "rpc.method"])
def test_the_server_span_of_an_application_that_calls_a_model_counts(key: str) -> None:
    assert enrich(new_enricher(), call_span(1, {key: "POST"}, kind=KIND_SERVER)).status == "estimated"


def test_of_an_unknown_model_that_answered_the_one_that_was_asked_for_is_taken() -> None:
    enricher = new_enricher()
    answered = enrich(enricher, call_span(1, {"gen_ai.response.model": "nobodys-image-1"}))
    asked = enrich(new_enricher(), call_span(1))
    assert assumptions(answered) == assumptions(asked) | {"request_model_taken"}
    assert answered.footprint is not None
    assert asked.footprint is not None
    assert answered.footprint.amounts == asked.footprint.amounts
    (key,) = enricher.totals.snapshot().operations
    assert key.labels.model == "nobodys-image-1"


def test_of_two_unknown_models_none_is_taken() -> None:
    unknown = {"gen_ai.request.model": "nobodys-image-1", "gen_ai.response.model": "nor-this-image-1"}
    assert enrich(new_enricher(), call_span(1, unknown)).reason == reasons.MODEL_NOT_REGISTERED


CLAUDE: Mapping[str, object] = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}


@pytest.mark.parametrize(
    ("attributes", "codes"),
    [
        ({}, set()),
        ({"gen_ai.usage.cache_read.input_tokens": 600}, {"cache_within_input"}),
        ({"gen_ai.usage.reasoning.output_tokens": 150}, {"reasoning_within_output"}),
        ({**CLAUDE, "gen_ai.usage.cache_read.input_tokens": 1000}, {"cache_within_input"}),
        ({**CLAUDE, "gen_ai.usage.cache_read.input_tokens": 1001}, {"cache_added_to_input"}),
    ],
)
def test_what_is_taken_of_parts_and_their_whole_is_said(attributes: dict[str, object], codes: set[str]) -> None:
    told = {"cache_within_input", "cache_added_to_input", "reasoning_within_output"}
    assert assumptions(enrich(new_enricher(), call_span(1, attributes))) & told == codes


def test_more_cache_than_input_is_added_where_the_provider_reports_input_without_cache() -> None:
    enricher = new_enricher()
    enrich(enricher, call_span(1, {**CLAUDE, "gen_ai.usage.cache_read.input_tokens": 5000}))
    assert tokens(enricher.totals.snapshot()) == dict(zip(KINDS, (1000, 5000, 0, 200, 0), strict=True))
    other = enrich(new_enricher(), call_span(1, {"gen_ai.usage.cache_read.input_tokens": 5000}))
    assert other.reason == reasons.PARTS_EXCEED_WHOLE


@pytest.mark.parametrize("trusted_first", [True, False])
def test_the_trusted_twin_is_counted_with_the_parts_that_only_the_other_tells(trusted_first: bool) -> None:
    enricher = new_enricher()
    trusted = call_span(1, scope="opentelemetry.util.genai", times_ms=(0, 10))
    telling = call_span(1, {"gen_ai.usage.cache_read.input_tokens": 600}, trace=2, scope="my.app", times_ms=(1, 9))
    found = enricher.enrich_together([trusted, telling] if trusted_first else [telling, trusted])
    by_scope = dict(zip(("trusted", "telling"), found if trusted_first else found[::-1], strict=True))
    assert {name: outcome.status for name, outcome in by_scope.items() if outcome} == {
        "trusted": "estimated",
        "telling": "duplicate",
    }
    assert by_scope["trusted"] is not None
    assert "details_from_twin" in assumptions(by_scope["trusted"])
    assert tokens(enricher.totals.snapshot()) == dict(zip(KINDS, (1000 - 600, 600, 0, 200, 0), strict=True))


def test_parts_of_a_twin_that_do_not_fit_are_left() -> None:
    enricher = new_enricher()
    trusted = call_span(1, {"gen_ai.usage.cache_read.input_tokens": 900}, scope="opentelemetry.util.genai")
    telling = call_span(1, {"gen_ai.usage.cache_creation.input_tokens": 101}, trace=2, scope="my.app")
    enricher.enrich_together([trusted, telling])
    assert tokens(enricher.totals.snapshot()) == dict(zip(KINDS, (1000 - 900, 900, 0, 200, 0), strict=True))


def test_usage_of_one_batch_is_booked_once_whoever_is_trusted_with_it() -> None:
    enricher = new_enricher()
    response = {"gen_ai.response.id": "chatcmpl-8d1f2c"}
    spans = [
        call_span(1, {**NO_USAGE, **response}, times_ms=(0, 10)),
        call_span(1, response, trace=2, scope="my.app", times_ms=(0, 20)),
        call_span(1, response, trace=3, scope="opentelemetry.util.genai", times_ms=(0, 30)),
    ]
    enricher.enrich_together(spans)
    snapshot = enricher.totals.snapshot()
    assert sum(operations(snapshot).values()) == 1
    assert tokens(snapshot) == dict(zip(KINDS, (1000, 0, 0, 200, 0), strict=True))


def test_facts_are_those_of_the_day_of_the_call() -> None:
    enricher = new_enricher()
    old = call_span(1)
    old.start_ns = NOON_NS - 10_000 * DAY_NS
    assert enrich(enricher, old).reason == reasons.OUTSIDE_VALIDITY
    assert enrich(enricher, call_span(2)).status == ours.STATUS_ESTIMATED


def test_an_end_before_the_start_is_taken_as_no_time_at_all() -> None:
    enricher = new_enricher()
    assert enrich(enricher, call_span(1, times_ms=(10, 0))).verdict == "counted"
    assert enrich(enricher, call_span(1, trace=2, scope="framework", times_ms=(5, 20))).verdict == "duplicate"


def test_a_redelivered_span_leaves_with_the_same_attributes() -> None:
    enricher = new_enricher()
    once, again = (enrich(enricher, call_span(1)) for _ in range(2))
    assert again.verdict == ours.VERDICT_REPEATED
    assert again.attributes(full=True) == once.attributes(full=True)
    assert operations(enricher.totals.snapshot()) == {("estimated", ""): 1}


def test_an_empty_response_id_is_no_id_decoded_or_not() -> None:
    calls = {"gen_ai.response.id": "", "gen_ai.request.model": "gpt-4o", "gen_ai.operation.name": "chat"}
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in (1, 2):
        span = spans.add(trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"))
        for key, text in calls.items():
            span.attributes.add(key=key).value.string_value = text
        span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = 10
    _, outcomes = TracesEnricher(new_enricher()).enrich(request.SerializeToString())
    decoded = new_enricher().enrich_together([call_span(1, calls, trace=trace) for trace in (1, 2)])
    assert [outcome.verdict for outcome in outcomes] == ["unestimated"] * 2  # no provider, so no place
    assert [outcome.verdict for outcome in decoded if outcome] == ["counted"] * 2


def test_a_call_without_a_figure_makes_no_series_of_figures() -> None:
    enricher = new_enricher()
    enrich(enricher, call_span(1, NO_USAGE))
    assert list(points_of(enricher.totals.snapshot(), metric_names.EMISSIONS)) == []


def test_the_label_budget_is_spent_on_series_that_exist() -> None:
    enricher = Enricher(Registry.bundled(), totals=Totals(budget=LabelBudget(10)))
    for number in range(1, 11):
        enrich(enricher, call_span(number, {ours.TENANT: f"tenant {number}"}))
    assert enricher.totals.snapshot().dropped_series == 0


def test_long_texts_are_not_kept() -> None:
    enricher = new_enricher()
    enrich(enricher, call_span(1))
    tracemalloc.start()
    try:
        for number in range(100):
            enrich(enricher, call_span(number + 2, {"gen_ai.request.model": f"{number:06d}" + "x" * 100_000}))
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 100 * 100_000 / 10
