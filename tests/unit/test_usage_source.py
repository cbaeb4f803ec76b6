"""Services that are counted from their metrics: their spans keep their place in a trace and are not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher, Outcome
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.view import KIND_SERVER, MappingAttributes, SpanView
from tests.unit.spans.chat_spans import call_span

if TYPE_CHECKING:
    from collections.abc import Mapping

FROM_METRICS = (ours.VERDICT_DUPLICATE, ours.STATUS_DUPLICATE, reasons.USAGE_FROM_METRICS)
AGENT: Mapping[str, object] = {"gen_ai.operation.name": "invoke_workflow"}


def new_enricher(**settings: Any) -> Enricher:
    return Enricher(Registry.bundled(), EnrichSettings(**{"usage_source": {"billing": "metrics"}, **settings}))


def enrich(enricher: Enricher, span: SpanView) -> tuple[str, str, str]:
    outcome = enricher.enrich(span)
    assert outcome is not None
    return as_tuple(outcome)


def as_tuple(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.verdict, outcome.status, outcome.reason


def billing(number: int, attributes: Mapping[str, object] | None = None, **more: Any) -> SpanView:
    return call_span(number, attributes, resource={"service.name": "billing"}, **more)


def gateway(number: int, **more: Any) -> SpanView:
    return call_span(number, resource={"service.name": "gateway"}, scope="gateway", **more)


def test_spans_of_a_service_that_is_counted_from_metrics_are_marked_and_not_booked() -> None:
    enricher = new_enricher()
    outcome = enricher.enrich(billing(1))
    assert outcome is not None
    assert as_tuple(outcome) == FROM_METRICS
    assert outcome.attributes(full=True) == {
        ours.STATUS: ours.STATUS_DUPLICATE,
        ours.REASON: reasons.USAGE_FROM_METRICS,
    }
    snapshot = enricher.totals.snapshot()
    assert (snapshot.rows, snapshot.operations) == ({}, {})
    assert {(span.verdict, count) for span, count in snapshot.spans.items()} == {(ours.VERDICT_DUPLICATE, 1)}


def test_spans_of_every_other_service_count() -> None:
    enricher = new_enricher()
    assert enrich(enricher, call_span(1))[1] == ours.STATUS_ESTIMATED
    assert sum(enricher.totals.snapshot().operations.values()) == 1


def test_a_star_stands_for_every_service_that_is_not_named() -> None:
    settings = EnrichSettings(usage_source={"*": "metrics", "web": "spans"})
    assert [settings.counts_metrics_of(service) for service in ("billing", "", "web")] == [True, True, False]
    assert not EnrichSettings().counts_metrics_of("billing")


def test_a_span_that_is_delivered_again_gets_the_same_attributes() -> None:
    enricher = new_enricher()
    assert [enrich(enricher, billing(1))[1:] for _ in range(2)] == [FROM_METRICS[1:]] * 2


def test_sums_over_calls_stay_aggregates() -> None:
    found = new_enricher().enrich_together([billing(1, parent=2), billing(2, AGENT)])
    assert [outcome.status for outcome in found if outcome is not None] == ["duplicate", "aggregate"]


def test_a_gateway_that_reports_the_same_call_does_not_count_it_either() -> None:
    enricher = new_enricher()
    assert enrich(enricher, billing(1)) == FROM_METRICS
    assert enrich(enricher, gateway(2, parent=1))[1:] == (ours.STATUS_DUPLICATE, reasons.COUNTED_ANCESTOR)


def test_the_same_holds_for_spans_that_arrive_together() -> None:
    found = new_enricher().enrich_together([gateway(2, parent=1), billing(1)])
    assert [outcome.status for outcome in found if outcome is not None] == ["duplicate", "duplicate"]


def test_a_server_that_is_counted_from_metrics_takes_the_calls_of_its_clients() -> None:
    enricher = new_enricher(usage_source={"vllm": "metrics"})
    served = call_span(2, parent=1, kind=KIND_SERVER, resource={"service.name": "vllm"}, scope="vllm")
    assert enrich(enricher, served) == FROM_METRICS
    assert enrich(enricher, call_span(1))[1:] == (ours.STATUS_DUPLICATE, reasons.COUNTED_DESCENDANT)


@pytest.mark.parametrize("already_enriched", ["trust", "count"])
def test_spans_that_an_earlier_hop_estimated_are_not_booked_either(already_enriched: str) -> None:
    enricher = new_enricher(already_enriched=already_enriched)
    keys = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.usage.input_tokens")
    span = billing(1, {"gen_ai.usage.output_tokens": 200, ours.STATUS: ours.STATUS_ESTIMATED})
    assert isinstance(span.attributes, MappingAttributes)
    assert all(span.attributes.get(key) is not None for key in keys)
    assert enrich(enricher, span) == (ours.VERDICT_ALREADY_ENRICHED, "", "")
    assert enricher.totals.snapshot().operations == {}
