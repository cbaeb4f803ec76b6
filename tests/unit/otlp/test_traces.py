"""The byte path on well-formed requests: what is touched, what is not."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_carbon.otlp.splice import find_spans
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.spans.read import SpanReader
from tests.support.corpus import captures
from tests.unit.otlp.messages import (
    attribute,
    attributes_of,
    field,
    foreign_span,
    fresh_enricher,
    inference_span,
    request_of,
    spans_of,
    varint,
    without_ours,
)

RECORDED = [body for capture in captures() for body in capture.traces]
MARKERS = tuple(marker.encode() for marker in SpanReader().markers)


def span_bytes(body: bytes) -> list[bytes]:
    return [
        body[start:end] for resource in find_spans(body) for scope in resource.scopes for _, start, end in scope.spans
    ]


def enriched(body: bytes, *, full: bool = False) -> bytes:
    return TracesEnricher(fresh_enricher(full=full))(body)


def test_an_inference_span_gets_its_footprint_at_its_end() -> None:
    body = request_of(inference_span()).SerializeToString()
    (before,), (after,) = span_bytes(body), span_bytes(enriched(body))
    assert after.startswith(before)
    added = attributes_of(spans_of(enriched(body))[0])
    it_kwh = (800 * 0.206 + 300 * 0.687) / 1000 / 1000  # Wh per 1,000 tokens
    assert added["otel_carbon.energy_kwh"] == pytest.approx(it_kwh * 1.16, rel=1e-12)  # PUE
    assert added["otel_carbon.status"] == "estimated"


@pytest.mark.parametrize("full", [False, True], ids=["core", "full"])
def test_in_every_recording_spans_only_grow_at_their_end_and_foreign_ones_not_at_all(*, full: bool) -> None:
    for body in RECORDED:
        out = enriched(body, full=full)
        for before, after in zip(span_bytes(body), span_bytes(out), strict=True):
            assert after.startswith(before)
            if not any(marker in before for marker in MARKERS):
                assert after == before
        assert without_ours(out) == without_ours(body)


def test_a_request_without_genai_spans_is_returned_as_the_same_bytes() -> None:
    body = request_of(foreign_span(1), foreign_span(2)).SerializeToString()
    assert enriched(body) is body
    assert enriched(b"") == b""


def test_neighbours_of_a_genai_span_keep_their_bytes() -> None:
    body = request_of(foreign_span(901), inference_span(), foreign_span(902)).SerializeToString()
    before, after = span_bytes(body), span_bytes(enriched(body))
    assert (after[0], after[2]) == (before[0], before[2])
    assert len(after[1]) > len(before[1])


def test_a_span_without_a_figure_gains_status_and_reason_only() -> None:
    span = inference_span(model="no-such-image-1")
    (before,), (after,) = [span], spans_of(enriched(request_of(span).SerializeToString(), full=True))
    assert [(pair.key, pair.value.string_value) for pair in after.attributes[len(before.attributes) :]] == [
        ("otel_carbon.status", "unestimated"),
        ("otel_carbon.reason", "model_not_registered"),
    ]


@pytest.mark.parametrize("key", ["prompt", "http.url", "x.gen_ai.usage.input_tokens", "gen_ai.prompt"])
def test_a_text_that_speaks_of_genai_makes_no_genai_span(key: str) -> None:
    span = foreign_span(more={key: "how do I set gen_ai.usage.input_tokens and gen_ai.request.model?"})
    body = request_of(span).SerializeToString()
    assert enriched(body) == body


def test_a_genai_event_makes_no_genai_span() -> None:
    span = foreign_span()
    span.events.add(name="gen_ai.choice", attributes=[attribute("gen_ai.request.model", "gpt-4o")])
    body = request_of(span).SerializeToString()
    assert enriched(body) == body


def test_duplicate_keys_stay_and_the_last_counts() -> None:
    span = inference_span()
    span.attributes.insert(0, attribute("gen_ai.usage.output_tokens", 9))
    span.attributes.append(attribute("gen_ai.usage.output_tokens", 600))
    after = spans_of(enriched(request_of(span).SerializeToString()))[0]
    kept = [pair.value.int_value for pair in after.attributes if pair.key == "gen_ai.usage.output_tokens"]
    assert kept == [9, 300, 600]
    it_kwh = (800 * 0.206 + 600 * 0.687) / 1000 / 1000
    assert attributes_of(after)["otel_carbon.energy_kwh"] == pytest.approx(it_kwh * 1.16, rel=1e-12)


def test_unknown_fields_stay_where_they_are_at_every_level() -> None:
    later = field(5000, b"a later version") + varint(5001 << 3) + varint(7)
    span = later + inference_span().SerializeToString() + later
    scope = later + field(2, span) + later
    resource = later + field(2, scope) + later
    body = later + field(1, resource) + later
    out = enriched(body)
    added = span_bytes(out)[0].removeprefix(span)
    assert added
    assert out == later + field(1, later + field(2, later + field(2, span + added) + later) + later) + later


def test_tags_and_lengths_spelled_longer_than_needed_are_read() -> None:
    span = inference_span().SerializeToString()
    body = field(1, field(2, field(2, span, 2, 1), 1, 3), 4, 3)
    assert ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0].name == "chat"
    (after,) = spans_of(enriched(body))
    assert attributes_of(after)["otel_carbon.status"] == "estimated"


def test_the_last_scope_name_and_all_resource_attributes_of_repeated_messages_hold() -> None:
    span = inference_span().SerializeToString()
    names = field(1, field(1, b"first")) + field(1, field(1, b"second"))
    one, two = (
        field(1, field(1, attribute(key, text).SerializeToString()))
        for key, text in (("service.name", "shop"), ("otel_carbon.tenant", "red"))
    )
    enricher = fresh_enricher()
    TracesEnricher(enricher)(field(1, one + field(2, names + field(2, span)) + two))
    snapshot = enricher.totals.snapshot()
    assert {(labels.service, labels.tenant) for labels in snapshot.rows} == {("shop", "red")}
    assert [span.scope for span in snapshot.spans] == ["second"]


def test_attributes_of_100_kb_pass() -> None:
    span = inference_span(more={"k" * 100_000: "v" * 100_000})
    body = request_of(span).SerializeToString()
    out = enriched(body)
    assert without_ours(out) == without_ours(body)
    assert attributes_of(spans_of(out)[0])["otel_carbon.status"] == "estimated"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(field(9, b"\x0a\x7f"), id="attribute cut short"),
        pytest.param(field(15, b"\x18"), id="status cut short"),
        pytest.param(b"\x4b", id="group without an end"),
        pytest.param(b"\x4e", id="wire type 6"),
        pytest.param(b"\x30" + b"\xff" * 11, id="varint of 11 bytes"),
    ],
)
def test_a_span_that_cannot_be_read_keeps_its_bytes_and_its_neighbours_are_enriched(bad: bytes) -> None:
    whole = inference_span(1).SerializeToString()
    body = field(1, field(2, field(2, whole + bad) + field(2, inference_span(2).SerializeToString())))
    before, after = span_bytes(body), span_bytes(enriched(body))
    assert after[0] == before[0]
    assert len(after[1]) > len(before[1])


def test_a_key_that_is_no_utf8_stays_and_the_others_are_read() -> None:
    bad = field(9, field(1, b"\xff\xfe") + field(2, field(1, b"v")))
    body = field(1, field(2, field(2, inference_span().SerializeToString() + bad)))
    (before,), (after,) = span_bytes(body), span_bytes(enriched(body))
    assert after.startswith(before)
    assert b"estimated" in after[len(before) :]


def test_a_value_that_is_no_utf8_is_not_read_and_stays() -> None:
    bad = field(9, field(1, b"gen_ai.response.model") + field(2, field(1, b"\xff\xfe")))
    body = field(1, field(2, field(2, inference_span().SerializeToString() + bad)))
    (after,) = span_bytes(enriched(body))
    assert bad in after
    assert b"estimated" in after  # by the model that was asked for


@pytest.mark.parametrize("header", [field(1, b"\x0a\x7f"), field(1, field(1, field(1, b"\xff")))])
def test_spans_of_a_resource_that_cannot_be_read_stay_as_they_are(header: bytes) -> None:
    body = field(1, header + field(2, field(2, inference_span().SerializeToString())))
    assert enriched(body) == body


def test_an_empty_value_of_a_key_leaves_the_word_to_the_older_key() -> None:
    span = inference_span(more={"gen_ai.usage.completion_tokens": 300})
    for pair in span.attributes:
        if pair.key == "gen_ai.usage.output_tokens":
            pair.value.CopyFrom(AnyValue())
    (after,) = spans_of(enriched(request_of(span).SerializeToString()))
    assert attributes_of(after)["otel_carbon.status"] == "estimated"


def test_a_response_id_that_is_a_list_still_tells_calls_apart() -> None:
    spans = [inference_span(number) for number in (1, 2)]
    for span in spans:
        span.attributes.append(KeyValue(key="gen_ai.response.id"))
        span.attributes[-1].value.array_value.values.add(string_value="resp-1")
    states = [
        attributes_of(span)["otel_carbon.status"] for span in spans_of(enriched(request_of(*spans).SerializeToString()))
    ]
    assert states == ["estimated", "duplicate"]


@pytest.mark.parametrize("count", [1, 200])
def test_identical_parallel_calls_of_one_instrumentation_stay_as_many(count: int) -> None:
    body = request_of(*(inference_span(number) for number in range(1, count + 1))).SerializeToString()
    states = [attributes_of(span)["otel_carbon.status"] for span in spans_of(enriched(body))]
    assert states == ["estimated"] * count


def test_a_request_delivered_again_comes_out_as_the_same_bytes_and_is_booked_once() -> None:
    enricher = fresh_enricher()
    enrich = TracesEnricher(enricher)
    body = request_of(inference_span(1), inference_span(2)).SerializeToString()
    first = enrich(body)
    booked = enricher.totals.snapshot()
    assert enrich(body) == first
    assert enricher.totals.snapshot().rows == booked.rows
    assert enricher.totals.snapshot().operations == booked.operations
