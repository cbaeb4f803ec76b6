"""Bodies in every content encoding, as they are sent by HTTP: taken, refused and counted, and nobody else held up."""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING

import cramjam
import httpx
import pytest
from google.rpc import status_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_carbon.collector.receivers.content_encodings import EVERY_COMPRESSION
from tests.integration.collector_under_test import (
    JSON,
    PROTOBUF,
    Running,
    append_mark,
    config_text,
    counter,
    running_collector,
    trace_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.support.otlp_sink import OtlpSink

LIMIT_BYTES = 4 * 1024 * 1024
LARGE_NAME = "x" * (2 * 1024 * 1024)
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda plain: zlib.compress(plain, wbits=31),
    "zlib": zlib.compress,
    "deflate": zlib.compress,
    "zstd": lambda plain: bytes(cramjam.zstd.compress(plain)),
    "lz4": lambda plain: bytes(cramjam.lz4.compress(plain)),
    "snappy": lambda plain: bytes(cramjam.snappy.compress_raw(plain)),
    "x-snappy-framed": lambda plain: bytes(cramjam.snappy.compress(plain)),
}


def collector_text(sink: OtlpSink, more: str = "") -> str:
    receiver = f'otlp: {{protocols: {{http: {{endpoint: "localhost:0", max_request_body_size: {LIMIT_BYTES}{more}}}}}}}'
    exporters = f"""otlp_http: {{endpoint: "{sink.http_endpoint}"}}
  prometheus: {{endpoint: "localhost:0"}}"""
    text = config_text(exporters, names="otlp_http", processors="carbon", receiver=receiver)
    return text.replace("[carbon], exporters: [otlp_http]", "[carbon], exporters: [otlp_http, prometheus]")


@pytest.fixture
def collector(otlp_sink: OtlpSink) -> Iterator[Running]:
    """A collector with a carbon stage that sends to the sink."""
    with running_collector_of(collector_text(otlp_sink)) as running:
        yield running


def running_collector_of(text: str) -> AbstractContextManager[Running]:
    # The fixtures of collectors read the address of a gRPC receiver.
    return running_collector(text.replace("protocols: {http", 'protocols: {grpc: {endpoint: "localhost:0"}, http'))


def post(running: Running, body: bytes, encoding: str, headers: dict[str, str] = PROTOBUF) -> httpx.Response:
    url = f"{running.http}/v1/traces"
    return httpx.post(url, content=body, headers={**headers, "content-encoding": encoding}, timeout=60)


def figure(running: Running, name: str, **labels: str) -> float:
    return counter(httpx.get(running.page_url("exporters.prometheus") + "/metrics").text, name, **labels)


def refused(running: Running, reason: str) -> float:
    return figure(running, "otel_carbon_collector_receiver_refusals_total", transport="http", reason=reason)


@pytest.mark.parametrize("encoding", EVERY_COMPRESSION)
def test_small_and_large_bodies_in_every_encoding_are_taken_whole(
    encoding: str, collector: Running, otlp_sink: OtlpSink
) -> None:
    pack = PACK[encoding]
    small, large = trace_request("a"), trace_request(LARGE_NAME)
    json = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"from json"}]}]}]}'
    assert [post(collector, pack(body), encoding).status_code for body in (small, large)] == [200, 200]
    assert post(collector, pack(json), encoding, JSON).status_code == 200
    spans = otlp_sink.wait_for_spans(3)
    assert {each.span.name for each in spans} == {"a", LARGE_NAME, "from json"}
    bodies = b"".join(otlp_sink.bodies("traces"))
    assert append_mark(small) in bodies
    assert append_mark(large) in bodies
    assert figure(collector, "otelcol_receiver_accepted_spans_total", transport="http") == 3


@pytest.mark.parametrize("encoding", EVERY_COMPRESSION)
def test_what_is_damaged_too_large_or_garbage_is_refused_counted_and_nobody_is_held_up(
    encoding: str, collector: Running
) -> None:
    packed = PACK[encoding](trace_request("a", "b"))
    for body in (packed[:-1], packed + b"\x00", b"no such stream at all"):
        answer = post(collector, body, encoding)
        assert answer.status_code == 400
        assert "stream" in status_pb2.Status.FromString(answer.content).message
    assert refused(collector, "bad_data") == 3

    bomb = PACK[encoding](bytes(50_000_000))
    answers: list[int] = []
    senders = [
        threading.Thread(target=lambda: answers.append(post(collector, bomb, encoding).status_code)) for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    assert post(collector, packed, encoding).status_code == 200
    for sender in senders:
        sender.join(60)
    assert set(answers) <= {413, 503}
    assert 413 in answers
    assert refused(collector, "too_large") == answers.count(413)
    failures = figure(collector, "otelcol_receiver_requests_total", transport="http", outcome="failure")
    assert failures == 3 + answers.count(413)


def test_an_encoding_that_is_not_taken_is_refused_with_those_that_are(otlp_sink: OtlpSink) -> None:
    text = collector_text(otlp_sink, ', compression_algorithms: ["", "zstd", "gzip"]')
    with running_collector_of(text) as running:
        answer = post(running, PACK["lz4"](trace_request("a")), "lz4")
        taken = [post(running, PACK[name](trace_request("a")), name).status_code for name in ("zstd", "gzip")]
        plain = httpx.post(f"{running.http}/v1/traces", content=trace_request("a"), headers=PROTOBUF)
        counted = refused(running, "encoding")
    status = status_pb2.Status.FromString(answer.content)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, zstd, identity")
    assert status.message == "the content encoding must be one of gzip, zstd, identity, or absent, not 'lz4'"
    assert (taken, plain.status_code, counted) == ([200, 200], 200, 1)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(encoding=st.sampled_from(EVERY_COMPRESSION), body=st.binary(max_size=200), is_packed=st.booleans())
def test_any_bytes_under_any_encoding_are_answered(
    fuzzed: tuple[Running, httpx.Client], encoding: str, body: bytes, is_packed: bool
) -> None:
    running, client = fuzzed
    sent = PACK[encoding](body) if is_packed else body
    headers = {**PROTOBUF, "content-encoding": encoding}
    answer = client.post(f"{running.http}/v1/traces", content=sent, headers=headers)
    assert answer.status_code in {200, 400, 413}


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[Running, httpx.Client]]:
    receiver = 'otlp: {protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}}'
    text = config_text("debug:", names="debug", receiver=receiver)
    with running_collector(text) as running, httpx.Client(timeout=20) as client:
        yield running, client
