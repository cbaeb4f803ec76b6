"""The official Collector sends to ours in each of its compressions: every span arrives enriched, and is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.collector_under_test import PROTOBUF, counter
from tests.support.collector_process import running_collector
from tests.support.corpus import captures
from tests.support.otelcol import running_otelcol
from tests.support.otlp_sink import received_spans

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.otlp_sink import OtlpSink

FORWARDING = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "${env:OTLP_GRPC}"}, http: {endpoint: "${env:OTLP_HTTP}"}}}
exporters:
  otlp_http: {endpoint: "${env:CARBON}", compression: "${env:COMPRESSION}", sending_queue: {enabled: false}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
"""
CAPTURE = next(each for each in captures() if each.truth.recoverable.input and each.traces)
ENERGY = "otel_carbon.energy_kwh"


@pytest.mark.parametrize("compression", ["gzip", "zstd", "snappy", "x-snappy-framed", "lz4", "deflate", "zlib", "none"])
def test_every_span_of_the_official_collector_arrives_in_each_of_its_compressions(
    compression: str, tmp_path: Path, otlp_sink: OtlpSink
) -> None:
    forwarding = tmp_path / "forwarding.yaml"
    forwarding.write_text(FORWARDING, encoding="utf-8")
    requests = list(map(ExportTraceServiceRequest.FromString, CAPTURE.traces))
    sent = [span.span.span_id for request in requests for span in received_spans(request)]
    with running_collector(tmp_path, otlp_sink.http_endpoint) as ours:
        environment = {"CARBON": ours.http_endpoint, "COMPRESSION": compression}
        with running_otelcol(tmp_path, forwarding, environment=environment) as front, httpx.Client() as client:
            for body in CAPTURE.traces:
                # Without a queue, this is the answer of ours.
                answer = client.post(f"{front.http_endpoint}/v1/traces", content=body, headers=PROTOBUF)
                assert answer.status_code == 200, answer.text
        arrived = otlp_sink.wait_for_spans(len(sent))
        page = httpx.get(f"http://{ours.metrics_target}/metrics").text

    assert sorted(each.span.span_id for each in arrived) == sorted(sent)
    assert any(ENERGY in each.attributes for each in arrived)
    assert counter(page, "otelcol_receiver_accepted_spans_total", transport="http") == len(sent)
    assert counter(page, "otel_carbon_tokens_total") > 0
