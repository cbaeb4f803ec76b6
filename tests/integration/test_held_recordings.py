"""Recordings split into a request for each span and held: decided as if their spans had come in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from tests.support.corpus import Capture, captures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_carbon.enricher import Observation, Outcome
    from otel_carbon.spans.view import SpanView

WITH_SPANS = [capture for capture in captures() if capture.traces]


def one_by_one(body: bytes) -> list[bytes]:
    """A request for each span, under its own resource and scope."""
    found = []
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                alone = ExportTraceServiceRequest()
                resource = alone.resource_spans.add(
                    resource=resource_spans.resource, schema_url=resource_spans.schema_url
                )
                resource.scope_spans.add(scope=scope_spans.scope, schema_url=scope_spans.schema_url).spans.append(span)
                found.append(alone.SerializeToString())
    return found


def fresh() -> Enricher:
    return Enricher(Registry.bundled(), EnrichSettings(full=True))


class Noting(Enricher):
    """Notes the spans that it is shown."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self.spans: list[SpanView] = []

    def observe(self, span: SpanView) -> Observation | None:
        self.spans.append(span)
        return super().observe(span)


def told(outcomes: Iterable[Outcome]) -> list[object]:
    """What became of each span, and what it is given."""
    return [(each.verdict, each.status, each.reason, each.attributes(full=True)) for each in outcomes]


@pytest.mark.parametrize("recorded", WITH_SPANS, ids=lambda recorded: recorded.name)
def test_a_recording_held_span_by_span_is_decided_like_the_request_it_makes(recorded: Capture) -> None:
    bodies = [part for body in recorded.traces for part in one_by_one(body)]
    whole, held = fresh(), fresh()
    joined, outcomes = TracesEnricher(whole).enrich(b"".join(bodies))
    finished = TracesEnricher(held).enrich_together(bodies)
    assert told(outcome for _, of_body in finished for outcome in of_body) == told(outcomes)
    assert b"".join(body for body, _ in finished) == joined
    of_whole, of_held = whole.totals.snapshot(), held.totals.snapshot()
    assert (of_held.rows, of_held.operations, of_held.spans) == (of_whole.rows, of_whole.operations, of_whole.spans)


@pytest.mark.parametrize("recorded", WITH_SPANS, ids=lambda recorded: recorded.name)
def test_its_verdicts_are_those_of_the_spans_enriched_together(recorded: Capture) -> None:
    bodies = [part for body in recorded.traces for part in one_by_one(body)]
    noting = Noting(Registry.bundled())
    for body in bodies:
        TracesEnricher(noting).read(body)  # one that has learned no layouts yet is shown every span
    finished = TracesEnricher(fresh()).enrich_together(bodies)
    expected = [outcome for outcome in fresh().enrich_together(noting.spans) if outcome is not None]
    assert told(outcome for _, of_body in finished for outcome in of_body) == told(expected)
