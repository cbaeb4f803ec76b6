"""The recorded telemetry is whole: every body decodes, and the manifest agrees with itself and with the spans."""

from __future__ import annotations

from collections import Counter

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.corpus import CORPUS_FOLDER, Capture, TokenTruth, captures
from tests.support.otlp_sink import ReceivedSpan, received_spans

TOKEN_KINDS = ("input", "cache_read", "cache_write", "output", "reasoning")

every_capture = pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)


def spans_of(capture: Capture) -> list[ReceivedSpan]:
    requests = [ExportTraceServiceRequest.FromString(body) for body in capture.traces]
    return [span for request in requests for span in received_spans(request)]


def sums(tokens: list[TokenTruth]) -> TokenTruth:
    return TokenTruth(**{kind: sum(getattr(each, kind) for each in tokens) for kind in TOKEN_KINDS})


@every_capture
def test_the_spans_of_a_recording_are_the_ones_its_manifest_describes(capture: Capture) -> None:
    spans = spans_of(capture)
    span_ids = {each.span.span_id.hex() for each in spans}

    assert len(spans) == capture.span_count
    assert {each.scope for each in spans} == set(capture.scopes)
    assert {span_id for call in capture.calls for span_id in call.usage_span_ids} <= span_ids
    assert {each.span_id for each in capture.foreign_usage_spans} <= span_ids


@every_capture
def test_the_truth_of_a_recording_is_the_sum_of_its_calls(capture: Capture) -> None:
    truth, in_spans = capture.truth, [call for call in capture.calls if call.usage_span_ids]

    assert truth.failed_requests == sum(call.http_status != 200 for call in capture.calls)
    assert truth.calls_with_usage_in_spans == len(in_spans)
    assert truth.usage_spans == sum(len(call.usage_span_ids) for call in in_spans)
    assert truth.all_calls == sums([call.tokens for call in capture.calls])
    assert truth.calls_in_spans == sums([call.tokens for call in in_spans])
    for kind in TOKEN_KINDS:
        told = sum(getattr(call.tokens, kind) for call in in_spans if kind in call.recoverable)
        assert getattr(truth.recoverable, kind) == told, kind


@every_capture
def test_no_span_carries_the_usage_of_two_calls(capture: Capture) -> None:
    carried = Counter(span_id for call in capture.calls for span_id in call.usage_span_ids)

    assert [span_id for span_id, calls in carried.items() if calls > 1] == []


@every_capture
def test_metric_and_log_bodies_of_a_recording_decode(capture: Capture) -> None:
    for body in capture.metrics:
        assert ExportMetricsServiceRequest.FromString(body).resource_metrics
    for body in capture.logs:
        assert ExportLogsServiceRequest.FromString(body).resource_logs


def test_every_recorded_file_belongs_to_exactly_one_capture() -> None:
    loaded = sum(len(each.traces) + len(each.metrics) + len(each.logs) for each in captures())

    assert loaded == len(list(CORPUS_FOLDER.rglob("*.binpb")))
    assert len({each.name for each in captures()}) == len(captures()) == 37 + 80
