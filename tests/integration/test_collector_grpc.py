from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError
from tests.integration.collector_under_test import (
    DEAD_BACKEND,
    PROTOBUF,
    Running,
    append_mark,
    config_text,
    log_request,
    metric_request,
    running_collector,
    trace_request,
)
from tests.support.otlp_sink import running_otlp_sink
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace.export import SpanExporter

    from tests.support.otlp_sink import OtlpSink

RECEIVER = (
    'otlp: {protocols: {grpc: {endpoint: "localhost:0", max_recv_msg_size_mib: 1}, http: {endpoint: "localhost:0"}}}'
)
MIB = 1024 * 1024
SEND_200_MIB_COMPRESSED = f"""
import sys
import grpc

with grpc.insecure_channel(sys.argv[1], compression=grpc.Compression[sys.argv[2]]) as channel:
    try:
        channel.unary_unary("/{Signal.TRACES.grpc_service}/Export")(bytes(200 * 1024 * 1024), timeout=30)
    except grpc.RpcError as error:
        print(error.code(), error.details())
"""


@pytest.fixture
def collector(otlp_sink: OtlpSink) -> Iterator[Running]:
    """A collector with a carbon stage that sends to the sink by OTLP/gRPC."""
    exporters = f'otlp_grpc: {{endpoint: "{otlp_sink.grpc_endpoint}"}}'
    text = config_text(exporters, names="otlp_grpc", processors="carbon", receiver=RECEIVER)
    with running_collector(text) as running:
        yield running


def call(
    address: str,
    body: bytes,
    signal: Signal = Signal.TRACES,
    compression: grpc.Compression = grpc.Compression.NoCompression,
) -> bytes:
    with grpc.insecure_channel(address, compression=compression) as channel:
        answer: bytes = channel.unary_unary(f"/{signal.grpc_service}/Export")(body, timeout=10)
        return answer


def refusal(address: str, body: bytes, compression: grpc.Compression = grpc.Compression.NoCompression) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(address, body, compression=compression)
    return caught.value


def span_exporter(protocol: str, collector: Running) -> SpanExporter:
    match protocol:
        case "grpc":
            return GrpcSpanExporter(endpoint=collector.grpc, insecure=True)
        case "grpc gzip":
            return GrpcSpanExporter(endpoint=collector.grpc, insecure=True, compression=grpc.Compression.Gzip)
        case "grpc deflate":
            return GrpcSpanExporter(endpoint=collector.grpc, insecure=True, compression=grpc.Compression.Deflate)
        case "http deflate":
            return HttpSpanExporter(endpoint=f"{collector.http}/v1/traces", compression=Compression.Deflate)
        case "http":
            return HttpSpanExporter(endpoint=f"{collector.http}/v1/traces")
        case _:
            return HttpSpanExporter(endpoint=f"{collector.http}/v1/traces", compression=Compression.Gzip)


@pytest.mark.parametrize("protocol", ["grpc", "grpc gzip", "grpc deflate", "http", "http gzip", "http deflate"])
def test_the_exporters_of_the_sdk_are_understood(protocol: str, collector: Running, otlp_sink: OtlpSink) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(span_exporter(protocol, collector)))
    with provider.get_tracer("test").start_as_current_span("chat", attributes={"gen_ai.request.model": "m"}):
        pass
    provider.shutdown()
    (received,) = otlp_sink.wait_for_spans(1)
    assert received.span.name == "chat"
    assert received.attributes == {"gen_ai.request.model": "m"}
    assert otlp_sink.trace_requests()[0].resource_spans[-1].schema_url == "appended by the carbon stage of the test"


def test_every_signal_is_forwarded_by_grpc(collector: Running, otlp_sink: OtlpSink) -> None:
    sent = {Signal.TRACES: trace_request("a"), Signal.METRICS: metric_request(), Signal.LOGS: log_request()}
    for signal, body in sent.items():
        assert call(collector.grpc, body, signal) == b""
    wait_until(lambda: otlp_sink.bodies("logs"), timeout_s=10, what="logs at the sink")
    assert otlp_sink.bodies("traces") == [append_mark(trace_request("a"))]
    assert otlp_sink.bodies("metrics") == [metric_request()]
    assert otlp_sink.bodies("logs") == [log_request()]


def test_a_malformed_message_is_an_invalid_argument(collector: Running) -> None:
    error = refusal(collector.grpc, b"hello")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "the body is not an OTLP traces request"


@pytest.mark.parametrize("compression", list(grpc.Compression), ids=lambda each: each.name)
def test_a_message_over_the_limit_is_resource_exhausted_and_not_to_be_retried(
    collector: Running, compression: grpc.Compression
) -> None:
    error = refusal(collector.grpc, bytes(MIB + 1), compression)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    assert not status_pb2.Status.FromString(details).details


@pytest.mark.parametrize("compression", ["Gzip", "Deflate"])
def test_a_bomb_over_grpc_is_not_expanded(collector: Running, compression: str) -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak of what ran before
    before_mib = peak_resident_mib()
    # In a process of its own, because the client holds the expanded message.
    command = [sys.executable, "-c", SEND_200_MIB_COMPRESSED, collector.grpc, compression]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    limit = f"the body is larger than {MIB} bytes after decompression"
    assert answer == f"StatusCode.RESOURCE_EXHAUSTED {limit}\n"
    assert peak_resident_mib() - before_mib < 50


def test_deflate_that_is_damaged_is_an_invalid_argument_and_counted_as_unreadable(collector: Running) -> None:
    error = refusal(collector.grpc, zlib.compress(trace_request("a"))[:-1])
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "the zlib stream is cut short")


def peak_resident_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def test_a_full_queue_is_unavailable_with_the_time_to_wait() -> None:
    with running_collector(config_text(DEAD_BACKEND, names="otlp_http"), drain_s=0) as running:
        assert call(running.grpc, trace_request("fills it")) == b""
        error = refusal(running.grpc, trace_request("one too many"))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    retry = error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 1000


@pytest.mark.parametrize(("signal", "body"), [(Signal.METRICS, metric_request()), (Signal.LOGS, log_request())])
def test_a_signal_without_a_pipeline_is_refused_with_what_to_do(signal: Signal, body: bytes) -> None:
    text = config_text("debug:", names="debug")
    only_traces = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("metrics:", "logs:")))
    words = f"no {signal.value} pipeline is configured for this receiver; add one to service.pipelines"
    with running_collector(only_traces) as running:
        with pytest.raises(grpc.RpcError) as caught:
            call(running.grpc, body, signal)
        answer = httpx.post(f"{running.http}/v1/{signal.value}", content=body, headers=PROTOBUF)
    error = caught.value
    assert (error.code(), error.details()) == (grpc.StatusCode.UNIMPLEMENTED, words)
    details = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert (details.code, details.message, list(details.details)) == (12, words, [])
    status = status_pb2.Status.FromString(answer.content)
    assert (answer.status_code, status.code, status.message) == (404, 5, words)


def test_taken_ports_are_all_named_and_nothing_stays_open() -> None:
    with (
        running_otlp_sink() as sink,
        running_collector(config_text(f'otlp_grpc: {{endpoint: "{sink.grpc_endpoint}"}}', names="otlp_grpc")) as first,
    ):
        taken_grpc, taken_http = first.grpc, first.http.removeprefix("http://")
        receiver = f'otlp: {{protocols: {{grpc: {{endpoint: "{taken_grpc}"}}, http: {{endpoint: "{taken_http}"}}}}}}'
        text = config_text(DEAD_BACKEND, names="otlp_http", receiver=receiver)
        with pytest.raises(ConfigError) as caught, running_collector(text):
            pass
    advice = "stop the program that uses it, or choose another port (0 takes a free one)"
    assert caught.value.problems == (
        f"receivers.otlp.protocols.grpc.endpoint: cannot listen on {taken_grpc}: address already in use; {advice}",
        f"receivers.otlp.protocols.http.endpoint: cannot listen on {taken_http}: address already in use; {advice}",
    )


def test_a_host_that_does_not_resolve_is_named() -> None:
    too_long_for_a_name = "x" * 64
    receiver = f'otlp: {{protocols: {{http: {{endpoint: "{too_long_for_a_name}:0"}}}}}}'
    with (
        pytest.raises(ConfigError, match=f"cannot resolve the host of {too_long_for_a_name}:0"),
        running_collector(config_text(DEAD_BACKEND, names="otlp_http", receiver=receiver)),
    ):
        pass
