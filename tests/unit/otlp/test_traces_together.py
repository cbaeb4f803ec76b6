"""Several requests judged together: twins meet across requests, and everything else is as if each came alone."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon import attributes as ours
from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.traces import TracesEnricher
from tests.unit.otlp.messages import (
    attributes_of,
    foreign_span,
    fresh_enricher,
    inference_span,
    request_of,
    spans_of,
    without_ours,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_carbon.enricher import Enricher

GUESSES = "opentelemetry.instrumentation.langchain"
"""A scope that is trusted less than the next one."""
COUNTS = "opentelemetry.instrumentation.openai_v2"
RESPONSE = {"gen_ai.response.id": "resp-1"}
CACHED: dict[str, str | float] = {**RESPONSE, "gen_ai.usage.cache_read.input_tokens": 500}


def body_of(*spans: Span, scope: str = COUNTS) -> bytes:
    return request_of(*spans, scope=scope).SerializeToString()


def statuses(*bodies: bytes) -> list[list[object]]:
    return [[attributes_of(span).get(ours.STATUS) for span in spans_of(body)] for body in bodies]


def together(enricher: Enricher, *bodies: bytes) -> list[bytes]:
    return [body for body, _ in TracesEnricher(enricher).enrich_together(bodies)]


def total(enricher: Enricher, index: int) -> float:
    return sum(row[index] for row in enricher.totals.snapshot().rows.values())


def operations(enricher: Enricher) -> int:
    return sum(enricher.totals.snapshot().operations.values())


def test_of_twins_in_two_requests_the_trusted_one_counts_whichever_came_first() -> None:
    guess = body_of(inference_span(1, more=RESPONSE), scope=GUESSES)
    count = body_of(inference_span(2, more=RESPONSE), scope=COUNTS)
    for bodies, expected in (
        ((guess, count), [["duplicate"], ["estimated"]]),
        ((count, guess), [["estimated"], ["duplicate"]]),
    ):
        enricher = fresh_enricher()
        assert statuses(*together(enricher, *bodies)) == expected
        assert operations(enricher) == 1


def test_requests_that_are_not_judged_together_count_the_first() -> None:
    traces = TracesEnricher(fresh_enricher())
    guess = traces(body_of(inference_span(1, more=RESPONSE), scope=GUESSES))
    count = traces(body_of(inference_span(2, more=RESPONSE), scope=COUNTS))
    assert statuses(guess, count) == [["estimated"], ["duplicate"]]


def test_the_counted_span_takes_the_cached_tokens_from_its_twin_in_another_request() -> None:
    alone, merged = fresh_enricher(), fresh_enricher(full=True)
    plain = body_of(inference_span(1, more=RESPONSE))
    together(alone, plain)
    cached = body_of(inference_span(2, more=CACHED), scope=GUESSES)
    counted = spans_of(together(merged, plain, cached)[0])[0]
    assert "details_from_twin" in str(attributes_of(counted)[ours.ASSUMPTIONS])
    assert total(merged, 0) < total(alone, 0)  # reading 500 of 800 tokens from a cache takes less energy


def test_verdicts_and_totals_are_those_of_one_request_with_the_same_spans() -> None:
    guesses = [inference_span(number, more={"gen_ai.response.id": f"resp-{number}"}) for number in range(1, 9)]
    counts = [inference_span(number + 50, more={"gen_ai.response.id": f"resp-{number}"}) for number in range(5, 12)]
    one, several = fresh_enricher(), fresh_enricher()
    joined = body_of(*guesses, scope=GUESSES) + body_of(*counts)  # requests put end to end are one request
    parts = (
        *(body_of(span, scope=GUESSES) for span in guesses),
        *(body_of(span, foreign_span(900 + number)) for number, span in enumerate(counts)),
    )
    judged = [each[0] for each in statuses(*together(several, *parts))]
    assert judged == statuses(TracesEnricher(one)(joined))[0]
    # Eight guesses and seven counts, of which four (5 to 8) are told by both: 8 + 7 - 4.
    assert (judged.count("estimated"), judged.count("duplicate"), operations(several)) == (11, 4, 11)
    assert several.totals.snapshot().rows == one.totals.snapshot().rows


def test_bodies_come_back_in_order_and_other_spans_keep_their_bytes() -> None:
    foreign = body_of(foreign_span(1))
    mixed = body_of(foreign_span(2), inference_span(3), foreign_span(4))
    unknown = mixed + b"\xc2\x3e\x03new"  # a field 1000 that no version of OTLP knows
    enriched = together(fresh_enricher(), foreign, mixed, foreign, unknown)
    assert (enriched[0], enriched[2]) == (foreign, foreign)
    assert statuses(enriched[1]) == [[None, "estimated", None]]
    assert statuses(enriched[3]) == [[None, "estimated", None]]  # the same span again is no duplicate
    assert enriched[3].endswith(b"\xc2\x3e\x03new")
    assert [without_ours(body) for body in enriched] == [
        without_ours(body) for body in (foreign, mixed, foreign, unknown)
    ]
    assert spans_of(enriched[1])[0::2] == spans_of(mixed)[0::2]


def test_a_span_that_is_delivered_twice_says_the_same_both_times() -> None:
    guess = body_of(inference_span(1, more=RESPONSE), scope=GUESSES)
    count = body_of(inference_span(2, more=RESPONSE))
    enricher = fresh_enricher()
    enriched = together(enricher, guess, guess, count, count)
    assert statuses(*enriched) == [["duplicate"], ["duplicate"], ["estimated"], ["estimated"]]
    assert (enriched[0], enriched[2]) == (enriched[1], enriched[3])
    assert operations(enricher) == 1


def test_a_malformed_body_is_refused_when_it_is_read_and_nothing_is_judged() -> None:
    enricher = fresh_enricher()
    with pytest.raises(MalformedBody):
        TracesEnricher(enricher).read(b"\x0a\xff")
    with pytest.raises(MalformedBody):
        together(enricher, body_of(inference_span(1)), b"\x0a\xff")
    assert operations(enricher) == 0


def test_what_was_finished_once_is_not_booked_again() -> None:
    enricher = fresh_enricher()
    traces = TracesEnricher(enricher)
    requests = [traces.read(body_of(inference_span(number))) for number in (1, 2)]
    first = [body for body, _ in traces.finish(requests)]
    again = [traces.finish([request])[0][0] for request in requests]
    assert (again, operations(enricher)) == (first, 2)


def test_nothing_together_is_nothing() -> None:
    assert TracesEnricher(fresh_enricher()).enrich_together([]) == []


@pytest.mark.parametrize(("genai", "foreign"), [(50, 0), (1, 49)], ids=["all inference", "hardly any"])
def test_the_size_of_what_is_read_is_about_the_memory_it_takes(genai: int, foreign: int) -> None:
    traces = TracesEnricher(fresh_enricher())
    spans = [inference_span(number, more={"gen_ai.response.id": f"chatcmpl-{number:024d}"}) for number in range(genai)]
    body = body_of(*spans, *(foreign_span(number) for number in range(1000, 1000 + foreign)))
    traces.read(body)
    assert _weight_bytes(traces, [body] * 20) == pytest.approx(20 * (traces.read(body).size_bytes - len(body)), rel=0.3)


def _weight_bytes(traces: TracesEnricher, bodies: Sequence[bytes]) -> int:
    tracemalloc.start()
    before_bytes, _ = tracemalloc.get_traced_memory()
    kept = [traces.read(body) for body in bodies]
    after_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == len(bodies)
    return after_bytes - before_bytes


def test_a_request_without_a_genai_span_weighs_its_bytes_alone() -> None:
    traces = TracesEnricher(fresh_enricher())
    body = body_of(*(foreign_span(number) for number in range(1, 50)))
    assert traces.read(body).size_bytes == len(body)
    assert ExportTraceServiceRequest.FromString(together(fresh_enricher(), body)[0]) == (
        ExportTraceServiceRequest.FromString(body)
    )
