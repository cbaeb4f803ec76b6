"""What OTLP demands of servers, where no other test shows it; docs/otlp-conformance.md lists all of it."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_carbon.collector.app import Collector
from otel_carbon.collector.assembly import CarbonStage
from otel_carbon.collector.config.load import parse_config
from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.signals import Signal
from tests.integration.collector_under_test import (
    JSON,
    PROTOBUF,
    Running,
    config_text,
    log_request,
    metric_request,
    trace_request,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

    from tests.support.otlp_sink import OtlpSink

PROFILES = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
REQUESTS: dict[Signal, bytes] = {
    Signal.TRACES: trace_request("a"),
    Signal.METRICS: metric_request(),
    Signal.LOGS: log_request(),
}
ENVELOPES: dict[Signal, Message] = {
    Signal.TRACES: ExportTraceServiceRequest(),
    Signal.METRICS: ExportMetricsServiceRequest(),
    Signal.LOGS: ExportLogsServiceRequest(),
}
RESPONSES: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
}
EVERY_SIGNAL = pytest.mark.parametrize("signal", list(Signal), ids=lambda signal: signal.value)


@pytest.fixture
def collector(otlp_sink: OtlpSink) -> Iterator[Running]:
    """A collector with the codecs that it has in earnest, without a carbon stage, sending to the sink."""
    text = config_text(f'otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}', names="otlp_http")
    config = parse_config(text, "test.yaml", {}).config
    with Collector(config, build_carbon=lambda _config: CarbonStage(bytes, lambda _accept: (b"", ""))) as running:
        endpoints = running.endpoints
        yield Running(running, str(endpoints["receivers.otlp.grpc"]), f"http://{endpoints['receivers.otlp.http']}")


def export(running: Running, signal: Signal, body: bytes, compression: grpc.Compression | None = None) -> bytes:
    with grpc.insecure_channel(running.grpc, compression=compression) as channel:
        answer: bytes = channel.unary_unary(f"/{signal.grpc_service}/Export")(body, timeout=10)
        return answer


def post(running: Running, signal: Signal, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(running.http + signal.http_path, content=body, headers=headers)


def in_json(signal: Signal, body: bytes) -> bytes:
    request = type(ENVELOPES[signal])()
    request.ParseFromString(body)
    document = json_format.MessageToDict(request, use_integers_for_enums=True)
    return (
        json.dumps(document).replace("dHR0dHR0dHR0dHR0dHR0dA==", "74" * 16).replace("c3Nzc3Nzc3M=", "73" * 8).encode()
    )


def items_at(sink: OtlpSink, signal: Signal) -> int:
    """How many spans, points or records have arrived, in however many requests."""
    return sum(count_items(signal, body) for body in sink.bodies(signal.value))


@EVERY_SIGNAL
@pytest.mark.parametrize("compressed", [False, True], ids=["none", "gzip"])
def test_every_signal_is_taken_in_every_encoding_and_compression(
    signal: Signal, compressed: bool, collector: Running, otlp_sink: OtlpSink
) -> None:
    body = REQUESTS[signal]
    encodings = {"content-encoding": "gzip"} if compressed else {}

    def pack(plain: bytes) -> bytes:
        return gzip.compress(plain) if compressed else plain

    answers = [
        export(collector, signal, body, grpc.Compression.Gzip if compressed else None),
        post(collector, signal, pack(body), PROTOBUF | encodings).content,
    ]
    as_json = post(collector, signal, pack(in_json(signal, body)), JSON | encodings)
    for answer in answers:
        response = RESPONSES[signal].FromString(answer)
        assert not response.HasField("partial_success")
    assert (as_json.status_code, as_json.headers["content-type"]) == (200, "application/json")
    assert "partialSuccess" not in as_json.json()
    wait_until(lambda: items_at(otlp_sink, signal) == 3, timeout_s=10, what="three items at the sink")


@EVERY_SIGNAL
def test_an_empty_request_or_envelope_succeeds(signal: Signal, collector: Running) -> None:
    envelope = type(ENVELOPES[signal])()
    field = envelope.DESCRIPTOR.fields[0].name
    getattr(envelope, field).add()
    for body in (b"", envelope.SerializeToString()):
        assert export(collector, signal, body) == b""
        assert post(collector, signal, body, PROTOBUF).status_code == 200
    for text in (b"{}", json_format.MessageToJson(envelope).encode()):
        assert post(collector, signal, text, JSON).status_code == 200


@EVERY_SIGNAL
def test_bad_data_is_refused_for_good_and_described(signal: Signal, collector: Running) -> None:
    bad_protobuf, bad_json = post(collector, signal, b"hello", PROTOBUF), post(collector, signal, b"hello", JSON)
    assert (bad_protobuf.status_code, bad_json.status_code) == (400, 400)
    status = status_pb2.Status.FromString(bad_protobuf.content)
    bad_request = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(bad_request)
    assert bad_request.field_violations[0].description == status.message
    assert status.message == f"the body is not an OTLP {signal.value} request"
    (detail,) = bad_json.json()["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    with pytest.raises(grpc.RpcError) as caught:
        export(collector, signal, b"hello")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    assert details == status


def test_profiles_are_refused_for_good_on_both_receivers(collector: Running) -> None:
    answer = httpx.post(f"{collector.http}/v1development/profiles", content=b"", headers=PROTOBUF)
    assert answer.status_code == 404
    assert "profiles are not taken here" in status_pb2.Status.FromString(answer.content).message
    with grpc.insecure_channel(collector.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(PROFILES)(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "is not offered here" in caught.value.details()


def test_fields_of_later_versions_are_passed_on_at_every_depth(collector: Running, otlp_sink: OtlpSink) -> None:
    later = b"\xc2\x3e\x05later"  # field 1000
    span = Span(name="a").SerializeToString() + later
    scope_spans = b"\x12" + bytes([len(span)]) + span + later
    resource_spans = b"\x12" + bytes([len(scope_spans)]) + scope_spans + later
    body = b"\x0a" + bytes([len(resource_spans)]) + resource_spans + later
    assert post(collector, Signal.TRACES, body, PROTOBUF).status_code == 200
    assert export(collector, Signal.TRACES, body) == b""
    otlp_sink.wait_for_spans(2)
    assert b"".join(otlp_sink.bodies("traces")) == body + body


def test_calls_on_one_connection_may_overlap(collector: Running, otlp_sink: OtlpSink) -> None:
    with grpc.insecure_channel(collector.grpc) as channel:
        stub = channel.unary_unary(f"/{Signal.TRACES.grpc_service}/Export")
        calls = [stub.future(trace_request(f"span {index}"), timeout=20) for index in range(50)]
        assert [call.result() for call in calls] == [b""] * 50
    assert {each.span.name for each in otlp_sink.wait_for_spans(50)} == {f"span {index}" for index in range(50)}


def test_several_connections_send_at_a_time(collector: Running, otlp_sink: OtlpSink) -> None:
    def send(name: str) -> None:
        assert post(collector, Signal.TRACES, trace_request(name), PROTOBUF).status_code == 200

    senders = [threading.Thread(target=send, args=(f"span {index}",)) for index in range(20)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(20)
    assert len(otlp_sink.wait_for_spans(20)) == 20


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_parameters_and_case_of_a_content_type_do_not_matter(content_type: str, collector: Running) -> None:
    answer = post(collector, Signal.TRACES, b"{}", {"content-type": content_type})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_answers_stay_short_whatever_was_asked(collector: Running) -> None:
    long = "x" * 8_000
    with httpx.Client() as client:
        answers = [
            client.post(f"{collector.http}/{long}", content=b"", headers=PROTOBUF),
            client.post(f"{collector.http}/v1/traces", content=b"{}", headers={"content-type": long}),
            client.post(f"{collector.http}/v1/traces", content=b"{}", headers=JSON | {"content-encoding": long}),
            client.post(f"{collector.http}/v1/traces", content=b'{"' + long.encode(), headers=JSON),
        ]
    assert [answer.status_code for answer in answers] == [404, 415, 415, 400]
    assert all(len(answer.content) < 1_000 for answer in answers)
