"""A collector that holds requests, with its real carbon stage: twins in two requests, over two transports."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon import attributes as ours
from otel_carbon.cli.collector import carbon_builder
from otel_carbon.collector.app import Collector
from otel_carbon.collector.assembly import CarbonStage
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import PROTOBUF, ScriptedBackend, counter, decoder, scripted_backend
from tests.support.waiting import wait_until
from tests.unit.otlp.messages import attributes_of, foreign_span, inference_span, request_of, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

CONFIG = """
receivers:
  otlp: {protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}}
processors:
  carbon: {hold: HOLD, hold_size_bytes: BOUND}
exporters:
  otlp_http: {endpoint: "BACKEND"}
  prometheus: {endpoint: "localhost:0"}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_http, prometheus]}
"""
RESPONSE = {"gen_ai.response.id": "resp-1"}
GUESSES = "opentelemetry.instrumentation.langchain"
"""A scope that is trusted less than the next one."""
COUNTS = "opentelemetry.instrumentation.openai_v2"


@contextmanager
def holding_collector(backend: ScriptedBackend, *, hold: str, bound: int = 1 << 20) -> Iterator[Collector]:
    text = CONFIG.replace("HOLD", hold).replace("BOUND", str(bound)).replace("BACKEND", backend.endpoint)
    config = parse_config(text, "test.yaml", {}).config
    decoders = {signal: decoder(signal) for signal in Signal}
    collector = Collector(config, build_carbon=carbon_builder(None), json_decoders=decoders)
    collector.start()
    try:
        yield collector
    finally:
        assert collector.stop(grace_s=5, drain_s=20) == 0


def send_http(collector: Collector, *spans: Span, scope: str = COUNTS) -> None:
    url = f"http://{collector.endpoints['receivers.otlp.http']}/v1/traces"
    answer = httpx.post(url, content=request_of(*spans, scope=scope).SerializeToString(), headers=PROTOBUF)
    assert answer.status_code == 200


def send_grpc(collector: Collector, *spans: Span, scope: str = COUNTS) -> None:
    with grpc.insecure_channel(str(collector.endpoints["receivers.otlp.grpc"])) as channel:
        export = channel.unary_unary(f"/{Signal.TRACES.grpc_service}/Export")
        export(request_of(*spans, scope=scope).SerializeToString(), timeout=10)


def page(collector: Collector) -> str:
    return httpx.get(f"http://{collector.endpoints['exporters.prometheus']}/metrics").text


def received(backend: ScriptedBackend) -> list[Span]:
    with backend.lock:
        return spans_of(b"".join(body for _, _, body in backend.requests))


def statuses(backend: ScriptedBackend) -> list[object]:
    return [attributes_of(span).get(ours.STATUS) for span in received(backend)]


def test_what_is_held_at_a_stop_is_decided_together_and_sent() -> None:
    with scripted_backend() as backend:
        with holding_collector(backend, hold="1m") as collector:
            send_http(collector, inference_span(1, more=RESPONSE), scope=GUESSES)
            send_grpc(collector, inference_span(2, more=RESPONSE), foreign_span(3))
            assert received(backend) == []
            assert counter(page(collector), "otel_carbon_collector_hold_size") > 0
            assert counter(page(collector), "otelcol_receiver_accepted_spans_total") == 3
        assert statuses(backend) == ["duplicate", "estimated", None]


def test_without_a_hold_the_first_of_the_twins_counts() -> None:
    with scripted_backend() as backend:
        with holding_collector(backend, hold="0s") as collector:
            send_http(collector, inference_span(1, more=RESPONSE), scope=GUESSES)
            send_grpc(collector, inference_span(2, more=RESPONSE), foreign_span(3))
            assert "otel_carbon_collector_hold" not in page(collector)
        assert statuses(backend) == ["estimated", "duplicate", None]


def test_when_the_time_has_come_the_counters_and_the_backend_have_it() -> None:
    with scripted_backend() as backend, holding_collector(backend, hold="50ms") as collector:
        send_http(collector, inference_span(1, more=RESPONSE), scope=GUESSES)
        wait_until(lambda: received(backend), timeout_s=20, what="span at the backend")
        assert counter(page(collector), "otel_carbon_operations_total") == 1
        assert counter(page(collector), "otel_carbon_collector_hold_decisions_total", cause="time") == 1
        assert 'otel_carbon_collector_counting_dropped_total{processor="carbon"} 0.0' in page(collector)


def test_at_half_its_bound_a_hold_decides_early() -> None:
    size_bytes = request_of(inference_span(1, more=RESPONSE), scope=GUESSES).ByteSize()
    with scripted_backend() as backend, holding_collector(backend, hold="1m", bound=3 * size_bytes) as collector:
        send_http(collector, inference_span(1, more=RESPONSE), scope=GUESSES)
        wait_until(lambda: received(backend), timeout_s=20, what="span at the backend")
        assert counter(page(collector), "otel_carbon_collector_hold_decisions_total", cause="size") == 1


def test_a_malformed_request_is_refused_while_others_are_held() -> None:
    with scripted_backend() as backend:
        with holding_collector(backend, hold="1m") as collector:
            send_http(collector, inference_span(1))
            url = f"http://{collector.endpoints['receivers.otlp.http']}/v1/traces"
            assert httpx.post(url, content=b"\x0a\xff", headers=PROTOBUF).status_code == 400
        assert statuses(backend) == ["estimated"]


def test_every_request_of_many_clients_arrives_once_and_in_the_order_of_its_client() -> None:
    with scripted_backend() as backend:
        with holding_collector(backend, hold="20ms", bound=20_000) as collector:
            for number in range(1, 101):
                send_http(collector, inference_span(number), foreign_span(1000 + number))
        numbers = [int.from_bytes(span.span_id) for span in received(backend)]
    assert numbers[0::2] == list(range(1, 101))
    assert numbers[1::2] == list(range(1001, 1101))
    assert statuses(backend)[0::2] == ["estimated"] * 100


def test_a_stage_that_decides_each_request_by_itself_cannot_be_held() -> None:
    config = parse_config(CONFIG.replace("HOLD", "1s").replace("BOUND", "1").replace("BACKEND", "http://b:1"), "c", {})
    with pytest.raises(ConfigError) as refused:
        Collector(config.config, build_carbon=lambda _carbon: CarbonStage(bytes, lambda _accept: (b"", "text/plain")))
    (problem,) = refused.value.problems
    assert problem.startswith("processors.carbon.hold: ")


def test_the_bytes_of_an_unknown_field_pass_a_hold() -> None:
    body = request_of(foreign_span(1)).SerializeToString() + b"\xc2\x3e\x03new"
    with scripted_backend() as backend:
        with holding_collector(backend, hold="1m") as collector:
            url = f"http://{collector.endpoints['receivers.otlp.http']}/v1/traces"
            assert httpx.post(url, content=body, headers=PROTOBUF).status_code == 200
        assert [sent for _, _, sent in backend.requests] == [body]
    assert ExportTraceServiceRequest.FromString(body)
