"""The official Collector in front of two of ours, spreading spans by service: each call still counts once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.collector_under_test import PROTOBUF, counter
from tests.integration.test_corpus_counts import RIGHT, arrivals
from tests.support.collector_process import running_collector
from tests.support.otelcol import DEPLOYED, running_otelcol
from tests.support.otlp_sink import received_spans, running_otlp_sink
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.corpus import Capture
    from tests.support.otlp_sink import OtlpSink

SERVICE = "service.name"
SPREAD_TIMEOUT_S = 60.0


def services_of(recorded: Capture) -> set[object]:
    requests = map(ExportTraceServiceRequest.FromString, recorded.traces)
    return {span.resource.get(SERVICE) for request in requests for span in received_spans(request)}


PARTLY_REPORTED = "botocore-bedrock"
"""The counters hold the part that it tells of an input whose total it does not, which no true total is made of."""
CAPTURES = [
    each for each in RIGHT if not each.is_framework and each.name != PARTLY_REPORTED and len(services_of(each)) == 1
]
"""Those of one service each, as this way of spreading wants it, whose counts are exact when spans come one by one."""


def spans_one_by_one(recorded: Capture) -> Iterator[bytes]:
    """Each span of a capture in a request of its own, as of a service with its name, in order of their end."""
    for arrival in sorted(arrivals(recorded)):
        request = ExportTraceServiceRequest.FromString(arrival.body)
        for pair in request.resource_spans[0].resource.attributes:
            if pair.key == SERVICE:
                pair.value.string_value = recorded.name
        yield request.SerializeToString()


def services_at(sink: OtlpSink) -> set[object]:
    return {span.resource[SERVICE] for span in sink.spans()}


def test_each_service_reaches_one_collector_and_each_call_counts_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sinks = [stack.enter_context(running_otlp_sink()) for _ in range(2)]
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        ours = [
            stack.enter_context(running_collector(folder, sink.http_endpoint))
            for folder, sink in zip(folders, sinks, strict=True)
        ]
        targets = {f"CARBON_{i}": each.grpc_endpoint.removeprefix("http://") for i, each in enumerate(ours, start=1)}
        front = stack.enter_context(running_otelcol(tmp_path, DEPLOYED / "before.yaml", environment=targets))
        with httpx.Client() as client:
            for recorded in CAPTURES:
                for body in spans_one_by_one(recorded):
                    answer = client.post(f"{front.http_endpoint}/v1/traces", content=body, headers=PROTOBUF)
                    assert answer.status_code == 200, answer.text
        sent = sum(recorded.span_count for recorded in CAPTURES)
        wait_until(
            lambda: sum(len(sink.spans()) for sink in sinks) == sent, timeout_s=SPREAD_TIMEOUT_S, what=f"{sent} spans"
        )
        pages = [httpx.get(f"http://{each.metrics_target}/metrics").text for each in ours]

    one, two = map(services_at, sinks)
    assert one
    assert two
    assert not one & two
    assert one | two == {recorded.name for recorded in CAPTURES}
    tokens = sum(counter(page, "otel_carbon_tokens_total") for page in pages)
    truths = [recorded.truth.recoverable for recorded in CAPTURES]
    assert tokens == sum(truth.input + truth.output for truth in truths)
