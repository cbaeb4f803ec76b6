from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import BodyTooLarge, MalformedBody
from otel_carbon.otlp.delimited import delimited, records_in
from otel_carbon.otlp.file_enrichment import (
    DELIMITED,
    JSON,
    JSON_LINES,
    PROTOBUF,
    EnrichedFile,
    detect_encoding,
    enrich_file_bytes,
)
from otel_carbon.otlp.json_codec import traces_from_json
from tests.support.corpus import captures
from tests.unit.otlp.messages import (
    REQUESTS,
    attribute,
    canonical,
    foreign_span,
    fresh_enricher,
    inference_span,
    joined,
    otlp_json,
    request_of,
    spans_of,
)

if TYPE_CHECKING:
    from tests.support.corpus import Capture

BOM = b"\xef\xbb\xbf"
AMOUNTS = ("energy_kwh", "emissions_gco2e", "water_l")
REQUEST = request_of(inference_span(), foreign_span())
ENCODED = {
    "protobuf": REQUEST.SerializeToString(),
    "json": otlp_json(REQUEST),
    "pretty json": json.dumps(json.loads(otlp_json(REQUEST)), indent=2).encode() + b"\n",
    "json with a byte order mark": BOM + otlp_json(REQUEST),
    "json lines": otlp_json(REQUEST) + b"\n" + otlp_json(request_of(inference_span(2))) + b"\n",
    "json lines as Windows ends them": otlp_json(REQUEST) + b"\r\n\r\n" + otlp_json(request_of(inference_span(2))),
}


def enriched(body: bytes, **settings: Any) -> EnrichedFile:
    return enrich_file_bytes(body, fresh_enricher(**settings))


def assert_adds_up(summary: dict[str, Any]) -> None:
    unestimated = sum(summary["unestimated_by_reason"].values())
    judged = summary["estimated"] + unestimated + summary["aggregate"] + summary["duplicate"]
    assert summary["spans"] == judged + summary["genai_other"] + summary["not_genai"]
    assert summary["with_usage"] <= summary["inference_calls"] <= summary["estimated"] + unestimated
    assert sum(row["calls"] for row in summary["models"]) == summary["inference_calls"]
    for kind, count in summary["tokens"].items():
        assert sum(row["tokens"][kind] for row in summary["models"]) == count
    for name in AMOUNTS:
        assert (summary[name] is None) == (f"{name}_reason" in summary)
        assert summary[name] is None or summary[name]["low"] <= summary[name]["mid"] <= summary[name]["high"]


@pytest.mark.parametrize(("name", "body"), ENCODED.items(), ids=ENCODED)
def test_the_encoding_is_told_and_kept(name: str, body: bytes) -> None:
    file = enriched(body)
    expected = PROTOBUF if name == "protobuf" else JSON_LINES if "lines" in name else JSON
    assert (file.encoding, detect_encoding(file.body)) == (expected, expected)
    assert file.summary["estimated"] == (2 if "lines" in name else 1)
    assert_adds_up(file.summary)


@pytest.mark.parametrize("body", ENCODED.values(), ids=ENCODED)
def test_enriching_an_enriched_file_changes_no_byte(body: bytes) -> None:
    once = enriched(body).body
    assert enriched(once).body == once


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_to_which_nothing_is_added_stays_as_it_is(*, as_json: bool) -> None:
    request = request_of(foreign_span())
    body = json.dumps(json.loads(otlp_json(request)), indent=3).encode() if as_json else request.SerializeToString()
    assert enriched(body).body == body
    assert enriched(gzip.compress(body)).body == gzip.compress(body)


@pytest.mark.parametrize("body", ENCODED.values(), ids=ENCODED)
def test_a_gzip_file_is_read_and_comes_out_uncompressed(body: bytes) -> None:
    assert enriched(gzip.compress(body)) == enriched(body)


def test_a_gzip_bomb_is_refused() -> None:
    with pytest.raises(BodyTooLarge, match="after decompression"):
        enriched(gzip.compress(bytes(65 * 1024 * 1024)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\t\n", "the file is empty"),
        (BOM, "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        (gzip.compress(b"{}")[:-9], "cut short"),
        (b"[]", "neither an OTLP protobuf request, nor OTLP JSON, nor JSON lines"),
        (b"null", "neither"),
        (b"<!doctype html><html></html>", "neither"),
        (b"trace_id,span_id\n1,2\n", "neither"),
        (b"(a0b8c", "it holds no ResourceSpans"),  # text that happens to be a protobuf message
        (b'{"resourceSpans": [', "not JSON"),
        (b'{"resourceMetrics": []}', "no resourceSpans, but resourceMetrics"),
        (b'{"resourceSpans": []}\n{"half": }', "not JSON"),
        ('{"resourceSpans": []}'.encode("utf-16"), "neither"),
    ],
)
def test_what_is_no_trace_file_is_refused_with_what_is_wrong(body: bytes, message: str) -> None:
    with pytest.raises(MalformedBody, match=message):
        enriched(body)


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans": []}', b"{}\n{}\n"])
def test_a_request_without_spans_is_a_summary_of_none(body: bytes) -> None:
    file = enriched(body)
    assert (file.body, file.summary["spans"], file.summary["energy_kwh"]) == (body, 0, None)
    assert file.summary["energy_kwh_reason"] == "nothing_estimated"
    assert_adds_up(file.summary)


def test_the_summary_of_a_known_file() -> None:
    failed = inference_span(4)
    del failed.attributes[3:]
    failed.attributes.append(attribute("error.type", "timeout"))
    tool = foreign_span(5, more={"gen_ai.operation.name": "execute_tool"})
    plan = foreign_span(6, more={"gen_ai.operation.name": "plan"})
    again = inference_span(1)
    cached = inference_span(2, more={"gen_ai.usage.cache_read.input_tokens": 500})
    unknown = inference_span(3, model="no-such-image-1")
    body = request_of(
        inference_span(1), again, cached, unknown, failed, tool, plan, foreign_span(7)
    ).SerializeToString()
    summary = enriched(body).summary
    assert_adds_up(summary)
    it_kwh = (800 * 0.206 + 300 * 0.687) / 1e6
    assert summary["energy_kwh"]["mid"] > it_kwh * 1.16  # one call in full, and the partly cached one
    assert {key: value for key, value in summary.items() if key not in (*AMOUNTS, "registry_version")} == {
        "spans": 8,
        "estimated": 2,
        "unestimated_by_reason": {"failed_no_usage": 1, "model_not_registered": 1},
        "aggregate": 1,
        "duplicate": 1,  # the second delivery
        "genai_other": 1,
        "already_enriched": 0,
        "not_genai": 1,
        "inference_calls": 3,  # the failed request ran no model
        "with_usage": 3,
        "tokens": {"input": 2400, "output": 900, "cache_read": 500, "cache_write": 0, "reasoning": 0},
        "models": [
            {
                "provider": "openai",
                "model": "gpt-4o",
                "calls": 2,
                "tokens": {"input": 1600, "output": 600, "cache_read": 500, "cache_write": 0, "reasoning": 0},
            },
            {
                "provider": "openai",
                "model": "no-such-image-1",
                "calls": 1,
                "tokens": {"input": 800, "output": 300, "cache_read": 0, "cache_write": 0, "reasoning": 0},
            },
        ],
    }


DETAILS_MERGED = {"ollm-mistral", "openlit-mistral", "vercel6-plus-openai"}
"""Recordings in which a counted span takes parts of its counts from another; on the span itself they do not stand."""


def comparable(summary: dict[str, Any], recording: Capture) -> dict[str, Any]:
    """Without what differs by nature."""
    told = summary | {"already_enriched": 0}
    if recording.name not in DETAILS_MERGED:
        return told
    models = [model | {"tokens": totals_only(model["tokens"])} for model in summary["models"]]
    amounts = dict.fromkeys(AMOUNTS)  # cached tokens cost less, so they differ too
    return told | {"tokens": totals_only(summary["tokens"]), "models": models} | amounts


def totals_only(tokens: dict[str, int]) -> dict[str, int]:
    return {name: tokens[name] for name in ("input", "output")}


@pytest.mark.parametrize("recording", captures(), ids=lambda recording: recording.name)
def test_a_recording_enriched_again_is_the_same_file_with_the_same_summary(recording: Capture) -> None:
    once = enriched(joined(recording.traces))
    again = enriched(once.body, already_enriched="count")
    assert_adds_up(once.summary)
    assert_adds_up(again.summary)
    assert again.body == once.body
    assert comparable(again.summary, recording) == comparable(once.summary, recording)


@pytest.mark.parametrize("recording", captures(), ids=lambda recording: recording.name)
def test_trusting_an_enriched_recording_counts_its_spans_but_invents_no_amounts(recording: Capture) -> None:
    once = comparable(enriched(joined(recording.traces)).summary, recording)
    twice = enriched(enriched(joined(recording.traces)).body).summary
    assert_adds_up(twice)
    again = comparable(twice, recording)
    for key in ("spans", "estimated", "aggregate", "duplicate", "genai_other", "not_genai", "tokens"):
        assert again[key] == once[key]
    assert sum(again["unestimated_by_reason"].values()) == sum(once["unestimated_by_reason"].values())
    assert [again[name] for name in AMOUNTS] == [None, None, None]


@pytest.mark.parametrize("recording", captures(), ids=lambda recording: recording.name)
def test_a_recording_has_one_summary_in_every_encoding(recording: Capture) -> None:
    requests = [ExportTraceServiceRequest.FromString(body) for body in recording.traces]
    protobuf = enriched(joined(recording.traces))
    lines = enriched(b"\n".join(otlp_json(request) for request in requests))
    assert lines.summary == protobuf.summary
    parts = joined(traces_from_json(line) for line in lines.body.splitlines())
    assert canonical(parts) == canonical(protobuf.body)


@pytest.mark.plants_wrong_attributes
@given(body=REQUESTS)
@settings(max_examples=80, deadline=None, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
def test_the_summary_of_any_file_adds_up(body: bytes) -> None:
    for settings_ in ({}, {"already_enriched": "count"}):
        try:
            file = enriched(body, **settings_)
        except MalformedBody:
            assert not spans_of(body)
            return
        assert_adds_up(file.summary)
        again = enriched(file.body, already_enriched="count")
        assert_adds_up(again.summary)
        assert again.body == file.body


def test_official_json_with_base64_ids_is_refused() -> None:
    body = json_format.MessageToJson(REQUEST).encode()
    with pytest.raises(MalformedBody, match="not an OTLP traces request in JSON"):
        enriched(body)


def test_a_file_of_the_collector_is_read_record_by_record_and_judged_as_a_whole() -> None:
    records = [request_of(inference_span(1)), request_of(foreign_span()), request_of(inference_span(1))]
    body = b"".join(delimited(record.SerializeToString()) for record in records)
    file = enriched(body)
    assert file.encoding == DELIMITED
    assert (file.summary["spans"], file.summary["estimated"], file.summary["duplicate"]) == (3, 1, 1)
    one, other, again = records_in(file.body)
    assert "otel_carbon.status" in {each.key for each in spans_of(one)[0].attributes}
    assert other == records[1].SerializeToString()
    assert spans_of(again) == spans_of(one)


@pytest.mark.parametrize("torn", [b"\0", b"\0\0\0\x09", b"\0\0\0\x09short"])
def test_a_torn_record_at_the_end_is_named(torn: bytes) -> None:
    with pytest.raises(MalformedBody, match="the last record is cut short"):
        enriched(delimited(REQUEST.SerializeToString()) + torn)
