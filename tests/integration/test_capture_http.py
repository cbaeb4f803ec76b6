"""Capturing on real connections: compressed, cut, held back, over HTTP/2, through a proxy, beside instrumentations."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import pickle
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.trace import SpanKind, StatusCode

from otel_carbon.capture import exchange
from otel_carbon.capture.patching import capture
from otel_carbon.spans.told_beside import told_beside
from tests.support.captured_spans import capturing, memory
from tests.support.llm_answers.script import CANARY
from tests.support.llm_server import Script, ScriptedLlmServer, TokenCounts, running_llm_server
from tests.support.reachable import texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.captured_spans import Captured

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"{CANARY} asked"}]}
STREAM = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
COUNTS = TokenCounts(120, 45, 30, 10, 7)
PACKAGES = pytest.mark.parametrize("http", [httpx, httpx2], ids=["httpx", "httpx2"])


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedLlmServer]:
    with running_llm_server() as server:
        yield server


@pytest.fixture
def server(running: ScriptedLlmServer) -> ScriptedLlmServer:
    running.reset()
    running.script = Script(counts=COUNTS)
    return running


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capturing() as found:
        yield found


def told(attributes: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Input, output, cache reads and reasoning as a span tells them."""
    keys = ("input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens")
    return tuple(attributes.get(f"gen_ai.usage.{key}") for key in keys)


@PACKAGES
@pytest.mark.parametrize("encoding", ["", "gzip", "br", "zstd"])
@pytest.mark.parametrize("body", [CHAT, STREAM], ids=["plain", "streamed"])
def test_a_compressed_answer_is_read_and_handed_on(
    server: ScriptedLlmServer, captured: Captured, http: Any, encoding: str, body: dict[str, Any]
) -> None:
    server.script = Script(counts=COUNTS, encoding=encoding, deltas=50)
    with http.Client() as client, client.stream("POST", f"{server.url}/v1/chat/completions", json=body) as answer:
        text = answer.read().decode()
    assert text.count(CANARY) == 50
    assert told(captured.only()) == (120, 45, 30, 7)


@PACKAGES
def test_bytes_on_the_wire_are_the_same_with_and_without(server: ScriptedLlmServer, http: Any) -> None:
    server.script = Script(counts=COUNTS, encoding="gzip", deltas=50)

    def raw() -> bytes:
        with http.Client() as client, client.stream("POST", f"{server.url}/v1/chat/completions", json=STREAM) as answer:
            return b"".join(answer.iter_raw())

    server.queue(server.script)
    alone, asked_alone = raw(), server.calls[-1]
    server.calls.clear()
    with capturing():
        assert raw()[10:] == alone[10:]  # but for the time that gzip writes in front
    asked = server.calls[-1]
    assert (asked.body, asked.headers) == (asked_alone.body, asked_alone.headers)


@PACKAGES
def test_the_first_word_arrives_before_the_last_is_said(
    server: ScriptedLlmServer, captured: Captured, http: Any
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    with http.Client() as client, client.stream("POST", f"{server.url}/v1/chat/completions", json=STREAM) as answer:
        chunks = answer.iter_raw()
        assert CANARY.encode() in next(chunks)
        assert captured.spans() == []
        server.release()
        assert b"".join(chunks).endswith(b"data: [DONE]\n\n")
    assert told(captured.only()) == (120, 45, 30, 7)


@PACKAGES
def test_a_connection_that_is_cut_is_an_error_here_and_there(
    server: ScriptedLlmServer, captured: Captured, http: Any
) -> None:
    server.script = Script(counts=COUNTS, cut_after=2)
    with (
        http.Client() as client,
        client.stream("POST", f"{server.url}/v1/chat/completions", json=STREAM) as answer,
        pytest.raises(http.RemoteProtocolError),
    ):
        answer.read()
    (span,) = captured.spans()
    assert (span.attributes or {})["error.type"] == "RemoteProtocolError"
    assert span.status.status_code is StatusCode.ERROR
    assert told(span.attributes or {}) == (None, None, None, None)


@PACKAGES
def test_nobody_at_the_other_end_is_an_error_too(captured: Captured, http: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(http.ConnectError):
        http.post(f"{url}/v1/chat/completions", json=CHAT)
    assert captured.only()["error.type"] == "ConnectError"


@PACKAGES
def test_a_request_through_a_proxy_names_the_server_behind_it(
    server: ScriptedLlmServer, captured: Captured, http: Any
) -> None:
    with http.Client(proxy=server.url) as client:
        client.post("http://api.openai.com/v1/chat/completions", json=CHAT)
    found = captured.only()
    assert (found["server.address"], found["server.port"], told(found)) == ("api.openai.com", 80, (120, 45, 30, 7))


@contextmanager
def http2_server(application: ScriptedLlmServer) -> Iterator[str]:
    """The application behind HTTP/2 without TLS; the address."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = Config()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config.bind = [f"fd://{listener.detach()}"]  # hypercorn closes it
        config.accesslog = config.errorlog = None
        running = serve(application, config, shutdown_trigger=stop.wait)
        thread = threading.Thread(target=loop.run_until_complete, args=(running,))
        thread.start()
        try:
            yield address
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


@PACKAGES
def test_a_stream_over_http2_is_read(server: ScriptedLlmServer, captured: Captured, http: Any) -> None:
    with http2_server(server) as url, http.Client(http1=False, http2=True) as client:
        with client.stream("POST", f"{url}/v1/chat/completions", json=STREAM) as answer:
            assert answer.http_version == "HTTP/2"
            answer.read()
        client.post(f"{url}/v1/chat/completions", json=CHAT)
    assert [told(each) for each in captured.attributes()] == [(120, 45, 30, 7)] * 2


@PACKAGES
@pytest.mark.parametrize("first", ["capture", "instrumentation"])
def test_the_span_of_an_http_instrumentation_is_below_ours_whoever_came_first(
    server: ScriptedLlmServer, http: Any, first: str
) -> None:
    found = memory()
    instrumentors: list[Any] = [HTTPXClientInstrumentor(), HTTPX2ClientInstrumentor()]

    def instrument() -> None:
        for each in instrumentors:
            each.instrument(tracer_provider=found.provider)

    def capture_calls() -> None:
        assert capture.switch_on(found.provider)

    steps = (capture_calls, instrument) if first == "capture" else (instrument, capture_calls)
    before = (http.Client.send, http.HTTPTransport.handle_request)
    for step in steps:
        step()
    try:
        with http.Client() as client, client.stream("POST", f"{server.url}/v1/chat/completions", json=STREAM) as answer:
            answer.read()
    finally:
        capture.switch_off()
        for each in instrumentors:
            each.uninstrument()
    below, ours = found.spans()
    assert (ours.name, ours.parent, told(ours.attributes or {})) == ("chat gpt-4o", None, (120, 45, 30, 7))
    assert below.parent is not None
    assert (below.kind, below.parent.span_id) == (SpanKind.CLIENT, ours.context.span_id)
    assert server.calls[-1].headers["traceparent"].split("-")[2] == f"{below.context.span_id:016x}"
    assert (http.Client.send, http.HTTPTransport.handle_request) == before


def test_counts_are_kept_for_the_span_of_an_instrumentation_that_is_left_as_it_is(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    tracer = captured.provider.get_tracer("my.own.code")
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT, attributes=attributes) as span:
        httpx2.post(f"{server.url}/v1/chat/completions", json=CHAT)
    assert told_beside(span) == (120, 45, 30, None, 7)
    assert captured.attributes() == [attributes]


@PACKAGES
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/messages", "/v1beta/models/g:streamGenerateContent?alt=sse"]
)
def test_nothing_of_ours_ever_holds_what_was_said(
    server: ScriptedLlmServer,
    captured: Captured,
    http: Any,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = Script(counts=COUNTS, deltas=20, padding=3000)
    with http.Client() as client, client.stream("POST", f"{server.url}{path}", json=STREAM) as answer:
        ours = answer.stream._exchange
        chunks = answer.iter_raw()
        for _ in range(5):
            next(chunks)
            assert not holds_what_was_said(ours)
        list(chunks)
        assert not holds_what_was_said(ours)
        assert CANARY not in repr(answer.stream) + repr(ours) + repr(ours.usage)
        assert CANARY.encode() not in pickle.dumps(ours.usage)
    (span,) = captured.spans()
    assert CANARY not in span.to_json()
    assert [event.name for event in span.events] == []
    assert not [record for record in caplog.records if CANARY in record.getMessage()]
    assert told(span.attributes or {})[:2] == (120, 45)


def holds_what_was_said(root: object) -> bool:
    return any(CANARY.encode() in text for text in texts_in(root))


@PACKAGES
def test_ten_megabytes_in_one_event_are_passed_over_with_little_memory(
    server: ScriptedLlmServer, captured: Captured, http: Any
) -> None:
    usage = json.dumps({"id": "r", "usage": {"prompt_tokens": 120, "completion_tokens": 45}}).encode()
    body = b'data: {"id": "r", "delta": "' + b"x" * 10_000_000 + b'"}\n\ndata: ' + usage + b"\n\n"
    server.script = Script(body=body, content_type="text/event-stream")
    most = 0
    with http.Client() as client, client.stream("POST", f"{server.url}/v1/chat/completions", json=STREAM) as answer:
        ours = answer.stream._exchange
        received = 0
        for chunk in answer.iter_raw():
            received += len(chunk)
            most = max(most, sum(map(len, texts_in(ours._framer))))
    assert received == len(body)
    assert most < 65_536
    assert told(captured.only())[:2] == (120, 45)


@PACKAGES
def test_two_hundred_requests_leave_no_span_open_and_nothing_behind(
    server: ScriptedLlmServer, captured: Captured, http: Any
) -> None:
    def call(*, read: bool) -> None:
        with client.stream("POST", f"{server.url}/v1/chat/completions", json=STREAM) as answer:
            if read:
                answer.read()

    before = exchanges_alive()
    with http.Client() as client:
        for number in range(200):
            call(read=number % 2 == 0)
    assert len(captured.spans()) == 200
    assert exchanges_alive() <= before


def exchanges_alive() -> int:
    for _ in range(3):  # what has a finalizer goes in two rounds
        gc.collect()
    return sum(type(each) is exchange.Exchange for each in gc.get_objects())
