"""The load of the benchmark is what it says: calls that nothing takes for one another, and factors that are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon import Registry
from otel_carbon.attributes import VERDICT_COUNTED
from otel_carbon.enricher import Enricher
from otel_carbon.otlp.traces import TracesEnricher
from tests.bench.collector.bodies import make_load
from tests.bench.collector.coefficients import TOKENS, model_factors
from tests.support.otlp_sink import received_spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.otlp_sink import ReceivedSpan


def spans_of(bodies: list[bytes]) -> list[ReceivedSpan]:
    return [span for body in bodies for span in received_spans(ExportTraceServiceRequest.FromString(body))]


def test_no_two_spans_of_a_load_have_one_id_or_one_time() -> None:
    spans = spans_of(make_load(2000, 64, 1.0).requests)

    assert len(spans) == 32 * 64  # 2000 are 31.25 requests of 64
    assert len({each.span.span_id for each in spans}) == len(spans)
    assert len({each.span.trace_id for each in spans}) == len(spans)
    assert len({each.span.start_time_unix_nano for each in spans}) == len(spans)
    assert len({each.attributes["gen_ai.response.id"] for each in spans}) == len(spans)


def test_a_load_says_how_many_genai_spans_it_has() -> None:
    load = make_load(640, 64, 0.05)

    genai = [each for each in spans_of(load.requests) if "gen_ai.provider.name" in each.attributes]
    assert load.genai_spans == len(genai) == 10 * 4  # 5 % of 64 are 3.2 spans, of which the last one counts whole


def test_every_call_of_a_load_is_counted() -> None:
    enrich = TracesEnricher(Enricher(Registry.bundled())).enrich

    verdicts = [outcome.verdict for body in make_load(5000, 512, 1.0).requests for outcome in enrich(body)[1]]
    assert verdicts == [VERDICT_COUNTED] * (10 * 512)


def test_what_others_multiply_by_gives_our_figures() -> None:
    factors = {each.model: each for each in model_factors()}
    enrich = TracesEnricher(Enricher(Registry.bundled()))

    spans = spans_of([enrich(body) for body in make_load(256, 64, 1.0).requests])
    assert len(spans) == 256
    for read in (each.attributes for each in spans):
        expected = expected_amounts(read, factors[str(read["gen_ai.response.model"])].amounts)
        assert {key: read[key] for key in expected} == pytest.approx(expected, rel=1e-12)


def expected_amounts(read: Mapping[str, Any], amounts: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    return {
        key: sum(factor * read[tokens] for factor, tokens in zip(factors, TOKENS, strict=True))
        for key, factors in amounts.items()
    }
