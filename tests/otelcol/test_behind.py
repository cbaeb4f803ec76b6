"""The official Collector behind ours: it understands every span that our exporters send it, and keeps all of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.collector_under_test import PROTOBUF
from tests.support.collector_process import running_collector
from tests.support.corpus import captures
from tests.support.otelcol import DEPLOYED, running_otelcol
from tests.support.span_texts import canonical_spans
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otelcol import OfficialCollector
    from tests.support.otlp_sink import OtlpSink

BODIES = [body for recorded in captures() for body in recorded.traces]
ARRIVAL_TIMEOUT_S = 60.0


def span_count(collector: OfficialCollector) -> int:
    return len(canonical_spans(collector.requests()))


def test_every_span_arrives_by_http_and_by_grpc_as_another_backend_has_it(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    sent = len(canonical_spans(map(ExportTraceServiceRequest.FromString, BODIES)))
    with (
        running_otelcol(tmp_path, DEPLOYED / "behind.yaml") as official,
        running_collector(tmp_path, official.http_endpoint, official.grpc_target) as ours,
        httpx.Client() as client,
    ):
        for body in BODIES:
            answer = client.post(f"{ours.http_endpoint}/v1/traces", content=body, headers=PROTOBUF)
            assert answer.status_code == 200, answer.text
        wait_until(lambda: span_count(official) == 2 * sent, timeout_s=ARRIVAL_TIMEOUT_S, what=f"{sent} spans twice")
    beside = tmp_path / "beside"
    beside.mkdir()
    with running_collector(beside, otlp_sink.http_endpoint) as ours, httpx.Client() as client:
        for body in BODIES:
            client.post(f"{ours.http_endpoint}/v1/traces", content=body, headers=PROTOBUF).raise_for_status()
        otlp_sink.wait_for_spans(sent)

    once = Counter(canonical_spans(otlp_sink.trace_requests()))
    assert Counter(canonical_spans(official.requests())) == once + once
