from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_codec import traces_from_json
from otel_carbon.otlp.json_traces import enrich_json_requests
from otel_carbon.otlp.traces import TracesEnricher
from tests.support.corpus import captures
from tests.unit.otlp.messages import (
    REQUESTS,
    canonical,
    foreign_span,
    fresh_enricher,
    inference_span,
    otlp_json,
    request_of,
)

if TYPE_CHECKING:
    from tests.support.corpus import Capture


SEED = 20261123


def enriched(*bodies: bytes, full: bool = False) -> list[bytes]:
    return enrich_json_requests(bodies, fresh_enricher(full=full))[0]


def first_span(document: dict[str, Any]) -> dict[str, Any]:
    span: dict[str, Any] = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    return span


def call(**changes: Any) -> dict[str, Any]:
    """A request with one inference span, some of its fields replaced."""
    document: dict[str, Any] = json.loads(otlp_json(request_of(inference_span())))
    first_span(document).update(changes)
    return document


def status_of(document: dict[str, Any]) -> str | None:
    (out,) = enriched(json.dumps(document).encode())
    found = {pair.get("key"): pair.get("value") for pair in first_span(json.loads(out)).get("attributes") or []}
    return (found.get("otel_carbon.status") or {}).get("stringValue")


def assert_same_as_protobuf(body: bytes, *, full: bool, **options: Any) -> None:
    message = ExportTraceServiceRequest.FromString(body)
    message.DiscardUnknownFields()
    as_json, as_protobuf = fresh_enricher(full=full), fresh_enricher(full=full)
    (out,), _, count = enrich_json_requests([otlp_json(message, **options)], as_json)
    assert canonical(traces_from_json(out)) == canonical(TracesEnricher(as_protobuf)(message.SerializeToString()))
    assert as_json.totals.snapshot() == as_protobuf.totals.snapshot()
    assert count == sum(len(scope.spans) for resource in message.resource_spans for scope in resource.scope_spans)


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_recordings_get_the_same_attributes_in_json_as_in_protobuf(capture: Capture) -> None:
    for body in capture.traces:
        assert_same_as_protobuf(body, full=True)


@pytest.mark.plants_wrong_attributes
@pytest.mark.parametrize("snake_case", [False, True])
@given(body=REQUESTS)
@settings(max_examples=60, deadline=None, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
def test_any_request_gets_the_same_attributes_in_json_as_in_protobuf(body: bytes, *, snake_case: bool) -> None:
    assert_same_as_protobuf(body, full=False, preserving_proto_field_name=snake_case)


def test_everything_else_keeps_its_json_value() -> None:
    document = call(later={"n": 12345678901234567890123, "f": 0.1, "e": 1e300, "t": "é\u2028\U0001f600\\", "z": [None]})
    document["top"] = {"traceId": "not an id here"}
    (out,) = enriched(json.dumps(document).encode())
    after = json.loads(out)
    first_span(after)["attributes"] = first_span(after)["attributes"][:5]
    assert after == document


def test_a_request_without_a_genai_span_keeps_its_bytes_beside_one_with() -> None:
    web = json.dumps(json.loads(otlp_json(request_of(foreign_span()))), indent=4).encode()
    chat = otlp_json(request_of(inference_span()))
    out = enriched(web, chat)
    assert out[0] is web
    assert json.loads(out[1]) != json.loads(chat)


def test_several_requests_are_judged_together() -> None:
    # The child's instrumentation reports first in the file, its parent in the second request.
    parent, child = inference_span(1), inference_span(2)
    child.trace_id, child.parent_span_id = parent.trace_id, parent.span_id
    child.end_time_unix_nano = parent.end_time_unix_nano - 1
    _, outcomes, count = enrich_json_requests(
        [otlp_json(request_of(parent)), otlp_json(request_of(child, scope="inner"))], fresh_enricher()
    )
    assert count == 2
    assert [outcome.status for outcome in outcomes] == ["duplicate", "estimated"]


@pytest.mark.parametrize(
    "changes",
    [
        {"parentSpanId": None},
        {"startTimeUnixNano": 1780000000000000001, "endTimeUnixNano": 1780000001000000001},
        {"kind": 3},
        {"kind": "SPAN_KIND_CLIENT"},
        {"kind": None, "status": None, "events": None},
        {"later": {"deep": [[[]]]}},
    ],
    ids=str,
)
def test_fields_may_be_null_or_come_by_name_or_number(changes: dict[str, Any]) -> None:
    assert status_of(call(**changes)) == "estimated"


@pytest.mark.parametrize("attributes", [None, []])
def test_a_span_without_attributes_is_nobodys_genai_span(attributes: Any) -> None:
    assert status_of(call(attributes=attributes)) is None


@pytest.mark.parametrize("count", ["300", 300, 300.0])
def test_counts_come_as_text_or_number(count: Any) -> None:
    document = call()
    first_span(document)["attributes"][4]["value"] = {"intValue": count}
    assert status_of(document) == "estimated"


@pytest.mark.parametrize(
    ("value", "model"),
    [
        ({}, "gpt-4o"),
        (None, "gpt-4o"),
        ({"later": 1, "stringValue": "gpt-4o-mini"}, "gpt-4o-mini"),
        ({"bytesValue": "Z3B0LTRv"}, "gpt-4o"),
        ({"arrayValue": {"values": [{"stringValue": "gpt-4o-mini"}, {}]}}, "gpt-4o"),
        ({"kvlistValue": {"values": [{"key": "a"}]}}, "gpt-4o"),
        ({"stringValue": "no-such-image-1"}, "no-such-image-1"),
    ],
    ids=str,
)
def test_a_response_model_that_is_no_text_leaves_the_word_to_the_one_asked_for(value: Any, model: str) -> None:
    document = call()
    first_span(document)["attributes"].append({"key": "gen_ai.response.model", "value": value})
    _, (outcome,), _ = enrich_json_requests([json.dumps(document).encode()], fresh_enricher())
    assert outcome.reading.profile.model == model
    assert outcome.status == "estimated"  # of an unknown model that answered, as the one asked for


def test_half_a_surrogate_pair_survives_as_it_was_escaped() -> None:
    document = call(name="\ud83d")
    (out,) = enriched(json.dumps(document).encode())
    assert first_span(json.loads(out))["name"] == "\ud83d"
    assert out.isascii()


def test_text_beyond_ascii_is_written_as_itself() -> None:
    (out,) = enriched(json.dumps(call(name="größer")).encode())
    assert "größer".encode() in out


@pytest.mark.parametrize(
    "document",
    [
        {"resourceMetrics": []},
        {"resourceSpans": 5},
        {"resourceSpans": "abc"},
        {"resourceSpans": [5]},
        {"resourceSpans": [{"scopeSpans": {"spans": []}}]},
        {"resourceSpans": [{"resource": {"attributes": 5}}]},
        call(traceId="zz"),
        call(traceId=5),
        call(kind=[1]),
        call(startTimeUnixNano="soon"),
        call(startTimeUnixNano=1e400),
        call(startTimeUnixNano=str(2**64)),
        call(endTimeUnixNano="-1"),
        call(attributes=[5]),
        call(attributes=[{"key": "k", "value": {"intValue": "many"}}]),
        call(attributes=[{"key": "k", "value": {"bytesValue": 5}}]),
        call(status="bad"),
        call(attributes=[{"key": [1], "value": {}}]),
    ],
    ids=lambda document: json.dumps(document)[-60:],
)
def test_what_is_no_traces_request_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedBody, match="not an OTLP traces request in JSON"):
        enriched(json.dumps(document).encode())


@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_deep_nesting_is_carried_or_refused(depth: int) -> None:
    later = b"[" * depth + b"]" * depth
    body = json.dumps(call(later="DEEP")).encode().replace(b'"DEEP"', later)
    try:
        (out,) = enriched(body)
    except MalformedBody:
        assert depth > 100
    else:
        assert later in out


def test_no_request_is_an_empty_result() -> None:
    assert enrich_json_requests([], fresh_enricher()) == ([], [], 0)
    assert enrich_json_requests([b"{}"], fresh_enricher()) == ([b"{}"], [], 0)


def test_random_damage_is_refused_or_carried() -> None:
    chance = random.Random(SEED)
    body = otlp_json(request_of(inference_span(), foreign_span()))
    taken = 0
    for _ in range(1_000):
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 2)] = chance.choice(
                [b"0", b"9", b'"', b"{", b"]", b",", b"null", b"\\"]
            )
        try:
            enriched(bytes(damaged))
            taken += 1
        except MalformedBody:
            pass
    assert 50 < taken < 950  # both outcomes were tried
