"""Capturing calls of aiohttp on real connections: the spans are those of httpx, and the bytes the application's."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import socket
import warnings
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.trace import SpanKind, StatusCode

from otel_carbon import CarbonSpanProcessor
from otel_carbon.capture import exchange
from otel_carbon.spans.told_beside import told_beside
from tests.integration.test_capture_bad_answers import BAD
from tests.support.captured_spans import capturing
from tests.support.llm_answers.script import CANARY
from tests.support.llm_server import Script, ScriptedLlmServer, TokenCounts, running_llm_server
from tests.support.reachable import texts_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from tests.support.captured_spans import Captured

pytestmark = pytest.mark.anyio
MESSAGES = [{"role": "user", "content": f"{CANARY} asked"}]
CHAT = {"model": "gpt-4o", "messages": MESSAGES}
STREAM = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
PATH = "/v1/chat/completions"
COUNTS = TokenCounts(120, 45, 30, 10, 7)
IN_FULL = (120, 45, 30, 7)
UNTOLD = (None, None, None, None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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


APIS: list[tuple[str, dict[str, Any]]] = [
    (PATH, CHAT),
    (PATH, STREAM),
    ("/v1/responses", {"model": "gpt-4o", "input": CANARY}),
    ("/v1/responses", {"model": "gpt-4o", "input": CANARY, "stream": True}),
    ("/v1/embeddings", {"model": "text-embedding-3-small", "input": CANARY}),
    ("/openai/deployments/my-gpt/chat/completions?api-version=1", {"messages": MESSAGES}),
    ("/v1/messages", {"model": "claude-sonnet-5", "messages": MESSAGES}),
    ("/v1/messages", {"model": "claude-sonnet-5", "messages": MESSAGES, "stream": True}),
    ("/v1beta/models/gemini-2.5-flash:generateContent", {"contents": []}),
    ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", {"contents": []}),
    ("/api/chat", {"model": "llama3", "messages": MESSAGES, "stream": True}),
    ("/v2/chat", {"model": "command-a", "messages": MESSAGES, "stream": True}),
    ("/model/amazon.nova-lite/converse", {"messages": []}),
    ("/model/amazon.nova-lite/converse-stream", {"messages": []}),
]


@pytest.mark.parametrize(("path", "body"), APIS, ids=[f"{path} {len(body)}" for path, body in APIS])
@pytest.mark.parametrize("sends", ["json", "data"])
async def test_a_call_is_the_same_span_as_of_httpx(
    server: ScriptedLlmServer, path: str, body: dict[str, Any], sends: str
) -> None:
    url = f"{server.url}{path}"
    with capturing() as of_httpx:
        async with httpx.AsyncClient() as client, client.stream("POST", url, json=body) as answer:
            expected = await answer.aread()
    options: dict[str, Any] = {"json": body} if sends == "json" else {"data": json.dumps(body)}
    server.calls.clear()  # so that the same response ids come again
    with capturing() as of_aiohttp:
        async with aiohttp.ClientSession() as session, session.post(url, **options) as response:
            assert without_times(await response.read()) == without_times(expected)
    ((theirs,), (ours,)) = (of_httpx.spans(), of_aiohttp.spans())
    assert dict(ours.attributes or {}) == dict(theirs.attributes or {})
    assert (ours.name, ours.kind, ours.status.status_code) == (theirs.name, SpanKind.CLIENT, StatusCode.UNSET)
    assert told(ours.attributes or {})[0] == 120


def without_times(body: bytes) -> bytes:
    return b"".join(part for part in body.split(b",") if b"created" not in part)


async def of_loop(read: Callable[[], Awaitable[bytes]]) -> bytes:
    found = b""
    while piece := await read():
        found += piece
    return found


async def of_iterator(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def of_chunks(content: aiohttp.StreamReader) -> bytes:
    return b"".join([piece async for piece, _ in content.iter_chunks()])


async def of_readchunk(content: aiohttp.StreamReader) -> bytes:
    found = b""
    while (chunk := await content.readchunk()) != (b"", False):
        found += chunk[0]
    return found


async def of_too_much(content: aiohttp.StreamReader) -> bytes:
    with pytest.raises(asyncio.IncompleteReadError) as caught:
        await content.readexactly(10_000_000)
    return caught.value.partial


async def of_what_is_there(content: aiohttp.StreamReader) -> bytes:
    first = await content.readexactly(9)
    await content.wait_eof()
    return first + content.read_nowait()


async def of_a_look_ahead(content: aiohttp.StreamReader) -> bytes:
    ahead = await content.read(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        content.unread_data(ahead)
    return await of_iterator(content.iter_chunked(11))


WAYS: dict[str, Callable[[aiohttp.ClientResponse], Awaitable[bytes]]] = {
    "response.read": lambda response: response.read(),
    "content.read": lambda response: response.content.read(),
    "read(7)": lambda response: of_loop(lambda: response.content.read(7)),
    "readany": lambda response: of_loop(response.content.readany),
    "readline": lambda response: of_loop(response.content.readline),
    "readuntil": lambda response: of_loop(lambda: response.content.readuntil(b"\n\n")),
    "readchunk": lambda response: of_readchunk(response.content),
    "readexactly": lambda response: of_too_much(response.content),
    "read_nowait": lambda response: of_what_is_there(response.content),
    "unread_data": lambda response: of_a_look_ahead(response.content),
    "lines": lambda response: of_iterator(aiter(response.content)),
    "iter_any": lambda response: of_iterator(response.content.iter_any()),
    "iter_chunked": lambda response: of_iterator(response.content.iter_chunked(13)),
    "iter_chunks": lambda response: of_chunks(response.content),
}


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize(("asked", "end"), [(CHAT, b"}"), (STREAM, b"data: [DONE]\n\n")], ids=["plain", "streamed"])
async def test_whichever_way_an_answer_is_read_it_is_whole_and_counted(
    server: ScriptedLlmServer, captured: Captured, way: str, asked: dict[str, Any], end: bytes
) -> None:
    server.script = Script(counts=COUNTS, deltas=50)
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=asked) as response:
        body = await WAYS[way](response)
    assert (body.count(CANARY.encode()), body[-len(end) :]) == (50, end)
    assert told(captured.only()) == IN_FULL


@pytest.mark.parametrize("encoding", ["x-gzip", "identity, gzip"])
async def test_an_encoding_that_aiohttp_leaves_to_the_application_is_read(
    server: ScriptedLlmServer, captured: Captured, encoding: str
) -> None:
    usage = json.dumps({"id": "r", "usage": {"prompt_tokens": 120, "completion_tokens": 45}}).encode()
    server.script = Script(body=gzip.compress(usage), headers={"content-encoding": encoding})
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=CHAT) as response:
        assert gzip.decompress(await response.read()) == usage
    assert told(captured.only())[:2] == (120, 45)


async def test_an_answer_can_be_sent_on_as_its_reader(server: ScriptedLlmServer, captured: Captured) -> None:
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
        assert isinstance(response.content, aiohttp.StreamReader)
        async with session.post("/elsewhere", data=response.content) as forwarded:
            await forwarded.read()
    assert server.calls[-1].body.endswith(b"data: [DONE]\n\n")
    assert server.calls[-1].headers["content-type"] == "application/octet-stream"  # as of a reader
    assert told(captured.only()) == IN_FULL


@pytest.mark.parametrize("encoding", ["", "gzip", "br", "zstd"])
@pytest.mark.parametrize("decompresses", [True, False])
@pytest.mark.parametrize("body", [CHAT, STREAM], ids=["plain", "streamed"])
@pytest.mark.parametrize("said_by", ["session", "request"])
async def test_a_compressed_answer_is_read_whoever_decompresses_it(
    server: ScriptedLlmServer,
    captured: Captured,
    encoding: str,
    body: dict[str, Any],
    said_by: str,
    *,
    decompresses: bool,
) -> None:
    server.script = Script(counts=COUNTS, encoding=encoding, deltas=50)
    of_session: dict[str, Any] = {"auto_decompress": decompresses} if said_by == "session" else {}
    of_request: dict[str, Any] = {"auto_decompress": decompresses} if said_by == "request" else {}
    async with (
        aiohttp.ClientSession(**of_session) as session,
        session.post(f"{server.url}{PATH}", json=body, **of_request) as response,
    ):
        received = await response.read()
    assert received.count(CANARY.encode()) == (50 if decompresses or not encoding else 0)
    assert told(captured.only()) == IN_FULL


async def test_bytes_on_the_wire_are_the_same_with_and_without(server: ScriptedLlmServer) -> None:
    server.script = Script(counts=COUNTS, encoding="br", deltas=50)

    async def raw() -> bytes:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.post(f"{server.url}{PATH}", json=STREAM) as response,
        ):
            return await response.read()

    alone, asked_alone = await raw(), server.calls[-1]
    server.calls.clear()
    with capturing():
        assert await raw() == alone
    asked = server.calls[-1]
    assert (asked.body, asked.headers) == (asked_alone.body, asked_alone.headers)


async def test_the_first_word_arrives_before_the_last_is_said(server: ScriptedLlmServer, captured: Captured) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
        assert CANARY.encode() in await response.content.readany()
        assert captured.spans() == []
        server.release()
        assert (await response.content.read()).endswith(b"data: [DONE]\n\n")
    assert told(captured.only()) == IN_FULL


async def test_a_stream_that_is_left_early_ends_the_span_without_an_error(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    async with aiohttp.ClientSession(server.url) as session:
        async with session.post(PATH, json=STREAM) as response:
            await response.content.readany()
            assert captured.spans() == []
        (span,) = captured.spans()
        assert (told(span.attributes or {}), span.status.status_code) == (UNTOLD, StatusCode.UNSET)
        with pytest.raises(aiohttp.ClientConnectionError):  # as without us
            await response.content.read()


@pytest.mark.parametrize("ending", ["close", "release"])
async def test_an_answer_that_nobody_reads_ends_as_it_is_given_up(
    server: ScriptedLlmServer, captured: Captured, ending: str
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    async with aiohttp.ClientSession(server.url) as session:
        response = await session.post(PATH, json=STREAM)
        assert captured.spans() == []
        getattr(response, ending)()
        assert told(captured.only()) == UNTOLD


async def test_a_connection_that_is_cut_is_an_error_here_and_there(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    server.script = Script(counts=COUNTS, cut_after=2)
    async with aiohttp.ClientSession(server.url) as session:
        with pytest.raises(aiohttp.ClientPayloadError):
            async with session.post(PATH, json=STREAM) as response:
                await response.read()
    (span,) = captured.spans()
    assert (span.attributes or {})["error.type"] == "ClientPayloadError"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert told(span.attributes or {}) == UNTOLD


async def test_nobody_at_the_other_end_is_an_error_too(captured: Captured) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with aiohttp.ClientSession(url) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(PATH, json=CHAT)
    assert captured.only()["error.type"] == "ClientConnectorError"


@pytest.mark.parametrize("raises", [False, True])
async def test_a_refusal_tells_its_status_also_where_the_session_raises_for_it(
    server: ScriptedLlmServer, captured: Captured, *, raises: bool
) -> None:
    server.script = Script(status=429)
    async with aiohttp.ClientSession(server.url, raise_for_status=raises) as session:
        if raises:
            with pytest.raises(aiohttp.ClientResponseError, match="429"):
                await session.post(PATH, json=CHAT)
        else:
            async with session.post(PATH, json=CHAT) as response:
                assert "error" in await response.json()
    (span,) = captured.spans()
    assert (span.attributes or {})["error.type"] == "429"
    assert (span.status.status_code, told(span.attributes or {})) == (StatusCode.ERROR, UNTOLD)


async def test_a_reading_that_is_cancelled_may_be_followed_by_another(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
        await response.content.readany()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.content.readany(), 0.01)
        server.release()
        await response.content.read()
    (span,) = captured.spans()
    assert (told(span.attributes or {}), span.status.status_code) == (IN_FULL, StatusCode.UNSET)


async def test_a_stream_that_is_left_after_a_reading_was_cancelled_and_repeated_is_no_error(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
        await response.content.readany()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.content.readany(), 0.01)
        server.release()
        await response.content.readline()
    assert captured.spans()[0].status.status_code is StatusCode.UNSET


async def test_a_call_that_is_cancelled_as_it_is_read_is_an_error(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    begun = asyncio.Event()

    async def call() -> None:
        async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
            await response.content.readany()
            begun.set()
            await response.read()

    task = asyncio.create_task(call())
    await begun.wait()
    await asyncio.sleep(0)  # it waits for more now
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert captured.only()["error.type"] == "CancelledError"


async def test_a_time_limit_that_passes_in_the_stream_is_an_error(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    server.script = Script(counts=COUNTS, hold_after=1)
    limit = aiohttp.ClientTimeout(sock_read=0.05)
    async with aiohttp.ClientSession(server.url, timeout=limit) as session, session.post(PATH, json=STREAM) as response:
        with pytest.raises(aiohttp.SocketTimeoutError):
            await response.read()
    assert captured.only()["error.type"] == "SocketTimeoutError"


async def test_a_request_through_a_proxy_names_the_server_behind_it(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://api.openai.com{PATH}", json=CHAT, proxy=server.url) as response,
    ):
        await response.read()
    found = captured.only()
    assert (found["server.address"], found["server.port"], told(found)) == ("api.openai.com", 80, IN_FULL)


async def test_a_redirect_is_followed_within_one_span(server: ScriptedLlmServer, captured: Captured) -> None:
    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{server.url}{PATH}")

    application = web.Application()
    application.router.add_post(PATH, elsewhere)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as session, session.post(f"{site.name}{PATH}", json=CHAT) as response:
            await response.read()
    finally:
        await runner.cleanup()
    assert told(captured.only()) == IN_FULL


async def test_an_answer_that_a_middleware_has_read_is_captured(server: ScriptedLlmServer, captured: Captured) -> None:
    async def reading(request: Any, handler: Any) -> Any:
        response = await handler(request)
        await response.read()
        return response

    async with (
        aiohttp.ClientSession(server.url, middlewares=(reading,)) as session,
        session.post(PATH, json=CHAT) as response,
    ):
        assert (await response.json())["usage"]["prompt_tokens"] == 120
    assert told(captured.only()) == IN_FULL


async def test_a_retry_is_a_span_of_its_own(server: ScriptedLlmServer, captured: Captured) -> None:
    server.queue(Script(status=503), Script(counts=COUNTS))
    async with aiohttp.ClientSession(server.url) as session:
        for _ in range(2):
            async with session.post(PATH, json=CHAT) as response:
                await response.read()
    assert [(each.get("error.type"), told(each)) for each in captured.attributes()] == [
        ("503", UNTOLD),
        (None, IN_FULL),
    ]


class _AiohttpTransport(httpx.AsyncBaseTransport):
    """As LiteLLM has one: aiohttp below httpx."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._session.request(request.method, str(request.url), data=request.content)
        return httpx.Response(response.status, headers=dict(response.headers), content=response.content.iter_any())


@pytest.mark.parametrize("body", [CHAT, STREAM], ids=["plain", "streamed"])
@pytest.mark.parametrize("instrumented", [False, True])
async def test_of_aiohttp_below_httpx_the_upper_one_is_the_only_span(
    server: ScriptedLlmServer, captured: Captured, body: dict[str, Any], *, instrumented: bool
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        httpx.AsyncClient(transport=_AiohttpTransport(session)) as client,
    ):
        if instrumented:
            HTTPXClientInstrumentor.instrument_client(client, tracer_provider=captured.provider)
        assert (await client.post(f"{server.url}{PATH}", json=body)).status_code == 200
    *below, ours = captured.spans()
    assert (ours.name, told(ours.attributes or {})) == ("chat gpt-4o", IN_FULL)
    assert [span.name for span in below] == ["POST"] * instrumented


async def test_counts_are_kept_for_the_span_of_an_instrumentation_that_is_left_as_it_is(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    tracer = captured.provider.get_tracer("my.own.code")
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT, attributes=attributes) as span:
        async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
            await response.read()
    assert told_beside(span) == (120, 45, 30, None, 7)
    assert captured.attributes() == [attributes]


async def test_the_request_is_sent_within_the_span(server: ScriptedLlmServer, captured: Captured) -> None:
    seen: list[int] = []

    async def started(*_told: object) -> None:
        seen.append(trace.get_current_span().get_span_context().span_id)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(started)
    async with (
        aiohttp.ClientSession(server.url, trace_configs=[tracing]) as session,
        session.post(PATH, json=STREAM) as response,
    ):
        assert not trace.get_current_span().get_span_context().is_valid
        await response.read()
    assert seen == [captured.spans()[0].context.span_id]


@pytest.mark.parametrize("what", list(BAD))
async def test_a_bad_answer_arrives_as_it_is_and_is_unestimated(server: ScriptedLlmServer, what: str) -> None:
    content_type, body = BAD[what]
    server.script = Script(body=body, content_type=content_type)
    with capturing() as found:
        found.provider.add_span_processor(CarbonSpanProcessor())
        async with aiohttp.ClientSession(server.url) as session:
            async with session.post(PATH, json=CHAT) as response:
                whole = await response.read()
            async with session.post(PATH, json=CHAT) as response:
                streamed = await of_iterator(response.content.iter_chunked(1000))
    assert (whole, streamed) == (body, body)
    assert [(each["otel_carbon.status"], each["otel_carbon.reason"]) for each in found.attributes()] == [
        ("unestimated", "no_usage")
    ] * 2


@pytest.mark.parametrize("path", [PATH, "/v1/messages", "/v1beta/models/g:streamGenerateContent?alt=sse"])
async def test_nothing_of_ours_ever_holds_what_was_said(
    server: ScriptedLlmServer, captured: Captured, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = Script(counts=COUNTS, deltas=20, padding=3000)
    async with aiohttp.ClientSession(server.url) as session, session.post(path, json=STREAM) as response:
        ours: Any = response.content
        for _ in range(5):
            await response.content.readline()
            assert not holds_what_was_said(ours._exchange)
        await response.content.read()
        assert not holds_what_was_said(ours._exchange)
        assert CANARY not in repr(ours) + repr(ours._exchange) + repr(ours._exchange.usage)
    (span,) = captured.spans()
    assert CANARY not in span.to_json()
    assert [event.name for event in span.events] == []
    assert not [record for record in caplog.records if CANARY in record.getMessage()]
    assert told(span.attributes or {})[:2] == (120, 45)


def holds_what_was_said(root: object) -> bool:
    return any(CANARY.encode() in text for text in texts_in(root))


async def test_ten_megabytes_in_one_event_are_passed_over_with_little_memory(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    usage = json.dumps({"id": "r", "usage": {"prompt_tokens": 120, "completion_tokens": 45}}).encode()
    body = b'data: {"id": "r", "delta": "' + b"x" * 10_000_000 + b'"}\n\ndata: ' + usage + b"\n\n"
    server.script = Script(body=body, content_type="text/event-stream")
    most = received = 0
    async with aiohttp.ClientSession(server.url) as session, session.post(PATH, json=STREAM) as response:
        ours: Any = response.content
        async for chunk in response.content.iter_any():
            received += len(chunk)
            most = max(most, sum(map(len, texts_in(ours._exchange._framer))))
    assert received == len(body)
    assert most < 65_536
    assert told(captured.only())[:2] == (120, 45)


async def test_two_hundred_requests_leave_no_span_open_and_nothing_behind(
    server: ScriptedLlmServer, captured: Captured
) -> None:
    before = exchanges_alive()
    async with aiohttp.ClientSession(server.url) as session:
        for number in range(200):
            async with session.post(PATH, json=STREAM) as response:
                if number % 2 == 0:
                    await response.read()
    del response
    assert len(captured.spans()) == 200
    assert exchanges_alive() <= before


def exchanges_alive() -> int:
    for _ in range(3):  # what has a finalizer goes in two rounds
        gc.collect()
    return sum(type(each) is exchange.Exchange for each in gc.get_objects())
