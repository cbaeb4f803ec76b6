from __future__ import annotations

import gzip
import json
import selectors
import socket
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from otel_carbon.collector.asgi_server import AsgiServer
from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.http_connection import ConnectionSettings
from otel_carbon.collector.pipeline import Intake, Pipeline
from otel_carbon.collector.receivers.otlp_http import INLINE_BODY_BYTES, HttpReceiver, HttpSettings
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.collector.signals import Signal
from tests.integration.collector_under_test import (
    DEAD_BACKEND,
    JSON,
    PROTOBUF,
    Running,
    append_mark,
    config_text,
    counter,
    decoder,
    log_request,
    metric_request,
    running_collector,
    trace_request,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.otlp_sink import OtlpSink

LIMIT_BYTES = 100_000
RECEIVER = (
    'otlp: {protocols: {grpc: {endpoint: "localhost:0"}, '
    f'http: {{endpoint: "localhost:0", max_request_body_size: {LIMIT_BYTES}}}}}}}'
)


@pytest.fixture
def collector(otlp_sink: OtlpSink) -> Iterator[Running]:
    """A collector with a carbon stage that sends to the sink by OTLP/HTTP."""
    exporters = f"""otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}
  prometheus: {{endpoint: "localhost:0"}}"""
    text = config_text(exporters, names="otlp_http", processors="carbon", receiver=RECEIVER)
    text = text.replace(
        "processors: [carbon], exporters: [otlp_http]", "processors: [carbon], exporters: [otlp_http, prometheus]"
    )
    with running_collector(text) as running:
        yield running


@pytest.fixture(scope="module")
def refusing_collector() -> Iterator[Running]:
    """A collector for requests that are refused before they are queued."""
    with running_collector(config_text(DEAD_BACKEND, names="otlp_http", receiver=RECEIVER), drain_s=0) as running:
        yield running


@pytest.fixture(scope="module")
def full_collector() -> Iterator[Running]:
    """A collector whose only exporter reaches nothing and whose queue is full after one request."""
    with running_collector(config_text(DEAD_BACKEND, names="otlp_http", receiver=RECEIVER), drain_s=0) as running:
        assert httpx.post(f"{running.http}/v1/traces", content=trace_request("fills it"), headers=PROTOBUF).is_success
        yield running


def bodies(sink: OtlpSink, signal: str, count: int = 1) -> list[bytes]:
    """The bodies of one signal, once `count` have arrived."""

    def enough() -> list[bytes] | None:
        received = sink.bodies(signal)  # type: ignore[arg-type] # the tests name signals as text
        return received if len(received) >= count else None

    return wait_until(enough, timeout_s=10, what=f"{count} bodies of {signal}")


def test_traces_are_enriched_and_everything_else_is_byte_for_byte_the_same(
    collector: Running, otlp_sink: OtlpSink
) -> None:
    for path, body in (("traces", trace_request("a", "b")), ("metrics", metric_request()), ("logs", log_request())):
        response = httpx.post(f"{collector.http}/v1/{path}", content=body, headers=PROTOBUF)
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-type"] == "application/x-protobuf"
    assert bodies(otlp_sink, "traces") == [append_mark(trace_request("a", "b"))]
    assert bodies(otlp_sink, "metrics") == [metric_request()]
    assert bodies(otlp_sink, "logs") == [log_request()]


def test_the_metrics_page_counts_what_passed(collector: Running, otlp_sink: OtlpSink) -> None:
    httpx.post(f"{collector.http}/v1/traces", content=trace_request("a", "b"), headers=PROTOBUF)
    bodies(otlp_sink, "traces")
    url = collector.page_url("exporters.prometheus")

    def page_with_sent_spans() -> str | None:
        page = httpx.get(f"{url}/metrics").text
        return page if counter(page, "otelcol_exporter_sent_spans_total", exporter="otlp_http") == 2 else None

    page = wait_until(page_with_sent_spans, timeout_s=10, what="sent spans on the page")
    assert counter(page, "otelcol_receiver_accepted_spans_total", transport="http") == 2
    assert counter(page, "otelcol_receiver_accepted_spans_total", transport="grpc") == 0
    assert httpx.get(f"{url}/other").status_code == 404
    assert httpx.post(f"{url}/metrics").status_code == 405


def test_the_health_check_answers_while_it_runs(collector: Running) -> None:
    answer = httpx.get(collector.page_url("extensions.health_check"))
    assert (answer.status_code, answer.json()["status"]) == (200, "Server available")


def test_gzip_bodies_are_forwarded_expanded(collector: Running, otlp_sink: OtlpSink) -> None:
    headers = {**PROTOBUF, "content-encoding": "gzip"}
    two_members = gzip.compress(trace_request("a")) + gzip.compress(trace_request("b"))
    assert httpx.post(f"{collector.http}/v1/traces", content=two_members, headers=headers).status_code == 200
    assert bodies(otlp_sink, "traces") == [append_mark(trace_request("a") + trace_request("b"))]


def test_json_comes_in_and_protobuf_goes_out(collector: Running, otlp_sink: OtlpSink) -> None:
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "from json"}]}]}]}
    response = httpx.post(f"{collector.http}/v1/traces", json=request)
    assert (response.status_code, response.content) == (200, b"{}")
    assert response.headers["content-type"] == "application/json"
    assert [each.span.name for each in otlp_sink.wait_for_spans(1)] == ["from json"]


def test_a_chunked_body_is_read(collector: Running, otlp_sink: OtlpSink) -> None:
    body = trace_request("a")
    pieces = (body[start : start + 7] for start in range(0, len(body), 7))
    assert httpx.post(f"{collector.http}/v1/traces", content=pieces, headers=PROTOBUF).status_code == 200
    assert bodies(otlp_sink, "traces") == [append_mark(body)]


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status", "code", "words"),
    [
        ("POST", "/v1/other", PROTOBUF, b"", 404, 5, "no such path here; there are: /v1/traces"),
        ("POST", "/v1development/profiles", PROTOBUF, b"", 404, 5, "profiles are not taken here; what is: /v1/traces"),
        ("POST", "/v1/profiles", JSON, b"{}", 404, 5, "profiles are not taken here; what is: /v1/traces"),
        ("GET", "/v1/traces", PROTOBUF, b"", 405, 12, "send telemetry with POST"),
        ("POST", "/v1/traces", {"content-type": "text/plain"}, b"x", 415, 3, "application/x-protobuf or application"),
        ("POST", "/v1/traces", {}, b"x", 415, 3, "application/x-protobuf or application/json"),
        ("POST", "/v1/traces", {**PROTOBUF, "content-encoding": "br"}, b"x", 415, 3, "identity, or absent, not 'br'"),
        ("POST", "/v1/traces", PROTOBUF, b"hello", 400, 3, "not an OTLP traces request"),
        ("POST", "/v1/logs", PROTOBUF, b"hello", 400, 3, "not an OTLP logs request"),
        ("POST", "/v1/traces", {**PROTOBUF, "content-encoding": "gzip"}, b"hello", 400, 3, "damaged"),
        ("POST", "/v1/traces", JSON, b"{", 400, 3, "no OTLP JSON"),
        ("POST", "/v1/traces", PROTOBUF, bytes(LIMIT_BYTES + 1), 413, 8, f"larger than {LIMIT_BYTES} bytes"),
        ("POST", "/v1/traces", JSON, bytes(LIMIT_BYTES + 1), 413, 8, f"larger than {LIMIT_BYTES} bytes"),
        (
            "POST",
            "/v1/traces",
            {**PROTOBUF, "content-encoding": "gzip"},
            gzip.compress(bytes(50_000_000)),
            413,
            8,
            "after decompression",
        ),
    ],
)
def test_every_refusal_is_a_status_in_the_encoding_of_the_request(
    refusing_collector: Running,
    method: str,
    path: str,
    headers: dict[str, str],
    content: bytes,
    status: int,
    code: int,
    words: str,
) -> None:
    response = httpx.request(method, refusing_collector.http + path, headers=headers, content=content)
    assert response.status_code == status
    if headers.get("content-type") == "application/x-protobuf":
        assert response.headers["content-type"] == "application/x-protobuf"
        answer = status_pb2.Status.FromString(response.content)
        assert (answer.code, words in answer.message) == (code, True)
    else:
        assert response.headers["content-type"] == "application/json"
        assert response.json()["code"] == code
        assert words in response.json()["message"]


def test_the_method_that_is_allowed_is_named(refusing_collector: Running) -> None:
    assert httpx.put(f"{refusing_collector.http}/v1/traces", headers=PROTOBUF).headers["allow"] == "POST"


def test_a_chunked_body_over_the_limit_is_refused_and_the_connection_lives_on(refusing_collector: Running) -> None:
    pieces = (bytes(1000) for _ in range(5 * LIMIT_BYTES // 1000))
    with httpx.Client() as client:
        refused = client.post(f"{refusing_collector.http}/v1/traces", content=pieces, headers=PROTOBUF)
        accepted = client.post(f"{refusing_collector.http}/v1/traces", content=b"", headers=PROTOBUF)
    assert (refused.status_code, accepted.status_code) == (413, 200)


def test_a_full_queue_answers_503_with_the_time_to_wait(full_collector: Running) -> None:
    response = httpx.post(f"{full_collector.http}/v1/traces", content=trace_request("b"), headers=PROTOBUF)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    status = status_pb2.Status.FromString(response.content)
    retry = error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(retry)
    assert (status.code, retry.retry_delay.seconds) == (14, 1)
    as_json = httpx.post(
        f"{full_collector.http}/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "b"}]}]}]}
    )
    assert as_json.status_code == 503
    assert json.loads(as_json.content)["details"][0]["retryDelay"] == "1s"


@pytest.fixture(scope="module")
def impatient_receiver() -> Iterator[Endpoint]:
    """A receiver with deadlines of a fraction of a second."""
    metrics = SelfMetrics()
    intake = Intake("otlp", Signal.TRACES, (Pipeline("traces", Signal.TRACES, (), ()),), metrics)
    connections = ConnectionSettings(header_deadline_s=0.3)
    settings = HttpSettings(Endpoint("localhost", 0), "key", body_deadline_s=0.3, connections=connections)
    receiver = HttpReceiver(settings, {Signal.TRACES: intake}, {Signal.TRACES: decoder(Signal.TRACES)})
    receiver.start()
    yield receiver.endpoint
    receiver.begin_stop(1)
    receiver.finish_stop(1)


def exchange(endpoint: Endpoint, sent: bytes) -> bytes:
    """Send bytes, never more, and read until the other side closes."""
    with socket.create_connection((endpoint.host, endpoint.port), timeout=10) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_body_that_does_not_come_is_refused_after_the_deadline(impatient_receiver: Endpoint) -> None:
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"
    answer = exchange(impatient_receiver, head)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body took longer than 0.3 s" in answer


@pytest.mark.parametrize("sent", [b"", b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-slow: "])
def test_headers_that_do_not_come_end_the_connection(impatient_receiver: Endpoint, sent: bytes) -> None:
    assert exchange(impatient_receiver, sent) == b""


def test_headers_of_a_second_request_have_the_same_deadline(impatient_receiver: Endpoint) -> None:
    first = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    with socket.create_connection((impatient_receiver.host, impatient_receiver.port), timeout=10) as connection:
        connection.sendall(first)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"POST /v1/tr")
        started_s = time.monotonic()
        while connection.recv(65536):
            pass
        # Without a deadline of ours the server's idle timeout of 5 s would end it.
        assert time.monotonic() - started_s < 4


def test_endless_headers_are_cut_off(refusing_collector: Running) -> None:
    host, port = refusing_collector.http.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\n")
        # More than kernel buffers hold, so that it can only be sent if somebody reads it.
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            connection.sendall(b"x-header: " + b"x" * 100_000_000)


def test_slow_uploads_of_one_client_are_bounded_and_another_client_is_served(refusing_collector: Running) -> None:
    host, port = refusing_collector.http.removeprefix("http://").split(":")
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(3):  # 3 x 99,000 bytes are more than 2 x 100,000
            upload = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            upload.sendall(head + b" " * 99_000)
            selector.register(upload, selectors.EVENT_READ)
        ((answered, _),) = selector.select(timeout=10)
        answer = b""
        while b"too many bodies" not in answer and (more := answered.fileobj.recv(65536)):  # type: ignore[union-attr] # sockets were registered
            answer += more
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(transport=elsewhere) as other:
            body = bytes(LIMIT_BYTES)  # as large as a body may be, and no OTLP
            served = other.post(f"{refusing_collector.http}/v1/traces", content=body, headers=PROTOBUF)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"too many bodies are being received from this address" in answer
    assert served.status_code == 400


def test_one_slow_client_does_not_hold_up_the_others(refusing_collector: Running) -> None:
    host, port = refusing_collector.http.removeprefix("http://").split(":")
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(head)
        assert (
            httpx.post(f"{refusing_collector.http}/v1/traces", content=b"", headers=PROTOBUF, timeout=5).status_code
            == 200
        )


def test_a_large_body_in_work_does_not_hold_up_small_ones() -> None:
    large = trace_request("x" * 2 * INLINE_BODY_BYTES)
    begun, leave = threading.Event(), threading.Event()

    def slow_with_large(body: bytes) -> bytes:
        if len(body) > INLINE_BODY_BYTES:
            begun.set()
            assert leave.wait(20)
        return body

    pipeline = Pipeline("traces", Signal.TRACES, (("slow", slow_with_large),), ())
    intake = Intake("otlp", Signal.TRACES, (pipeline,), SelfMetrics())
    receiver = HttpReceiver(HttpSettings(Endpoint("localhost", 0), "key"), {Signal.TRACES: intake}, {})
    receiver.start()
    url = f"http://{receiver.endpoint.host}:{receiver.endpoint.port}/v1/traces"
    answers: list[int] = []
    sender = threading.Thread(
        target=lambda: answers.append(httpx.post(url, content=large, headers=PROTOBUF, timeout=30).status_code)
    )
    sender.start()
    assert begun.wait(10)
    assert httpx.post(url, content=trace_request("small"), headers=PROTOBUF, timeout=10).status_code == 200
    assert answers == []
    leave.set()
    sender.join(10)
    assert answers == [200]
    receiver.begin_stop(1)
    receiver.finish_stop(1)


def test_a_server_stops_although_a_connection_is_idle() -> None:
    async def never(_scope: object, _receive: object, _send: object) -> None:
        raise AssertionError("no request is sent")

    server = AsgiServer(never, Endpoint("localhost", 0), key="key", name="idle test")
    server.start()
    with socket.create_connection((server.endpoint.host, server.endpoint.port)):
        server.begin_stop(1)
        server.finish_stop(1)
    assert "idle test" not in {thread.name for thread in threading.enumerate()}
