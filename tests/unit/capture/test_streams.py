"""Streams that end in every way but the good one; the good one is a law of `tests/property/test_capture_laws.py`."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from tests.support.captured_spans import CHAT_URL, QUESTION, RESPONSE_ID, SSE, STREAMED, stream_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.captured_spans import Captured

UNTOLD = {key: value for key, value in STREAMED.items() if not key.startswith("gen_ai.usage")}


def stream_class(http: Any, events: list[bytes], failure: Exception | None = None) -> Any:
    """A stream of both kinds, that may fail after its events and knows whether it was closed."""

    class Stream(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]  # of either package
        closed = 0
        given = 0

        def __iter__(self) -> Iterator[bytes]:
            for event in events:
                self.given += 1
                yield event
            if failure is not None:
                raise failure

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for event in self:
                yield event

        def close(self) -> None:
            self.closed += 1

        async def aclose(self) -> None:
            self.closed += 1

    return Stream()


def client_of(http: Any, stream: Any) -> Any:
    return http.Client(transport=http.MockTransport(lambda _request: http.Response(200, headers=SSE, stream=stream)))


def async_client_of(http: Any, stream: Any) -> Any:
    transport = http.MockTransport(lambda _request: http.Response(200, headers=SSE, stream=stream))
    return http.AsyncClient(transport=transport)


def test_a_stream_that_is_closed_early_ends_the_span_without_counts_and_without_an_error(
    http: Any, captured: Captured
) -> None:
    stream = stream_class(http, stream_of())
    with client_of(http, stream).stream("POST", CHAT_URL, json=QUESTION) as answer:
        chunks = answer.iter_raw()
        assert next(chunks) == stream_of()[0]
        assert captured.spans() == []
    assert captured.only() == UNTOLD
    assert (stream.given, stream.closed) == (1, 1)


def test_a_stream_that_is_left_after_its_last_word_has_told_its_counts(http: Any, captured: Captured) -> None:
    with client_of(http, stream_class(http, stream_of())).stream("POST", CHAT_URL, json=QUESTION) as answer:
        for line in answer.iter_lines():
            if line == "data: [DONE]":
                break
    assert captured.only() == STREAMED


def test_a_stream_that_nobody_reads_ends_with_its_close(http: Any, captured: Captured) -> None:
    stream = stream_class(http, stream_of())
    with client_of(http, stream).stream("POST", CHAT_URL, json=QUESTION):
        pass
    assert (captured.only().get("gen_ai.response.id"), stream.given, stream.closed) == (None, 0, 1)


def test_a_stream_that_nobody_closes_ends_with_the_garbage(http: Any, captured: Captured) -> None:
    client = client_of(http, stream_class(http, stream_of()))
    answer = client.send(client.build_request("POST", CHAT_URL, json=QUESTION), stream=True)
    assert captured.spans() == []
    del answer
    gc.collect()
    assert captured.only()["gen_ai.request.stream"] is True


def test_a_stream_that_breaks_breaks_for_the_application_and_is_an_error(http: Any, captured: Captured) -> None:
    failure = http.ReadError("zanzibar-canary")
    stream = stream_class(http, stream_of()[:2], failure)
    with (
        client_of(http, stream).stream("POST", CHAT_URL, json=QUESTION) as answer,
        pytest.raises(http.ReadError) as caught,
    ):
        list(answer.iter_raw())
    (span,) = captured.spans()
    assert caught.value is failure
    assert dict(span.attributes or {}) == UNTOLD | {"error.type": "ReadError"}
    assert (span.status.status_code, span.status.description, stream.closed) == (StatusCode.ERROR, None, 1)


def test_what_is_asked_of_a_stream_beside_its_chunks_is_answered_by_it(http: Any, captured: Captured) -> None:
    client = client_of(http, stream_class(http, stream_of()))
    with client.stream("POST", CHAT_URL, json=QUESTION) as answer:
        bound = answer.stream._stream
        answer.read()
        with pytest.raises(AttributeError, match="no_such_thing"):
            answer.stream.no_such_thing  # noqa: B018 - asking for it is the test
    assert answer.elapsed.total_seconds() > 0
    assert answer.num_bytes_downloaded == len(b"".join(stream_of()))
    assert answer.stream._stream is bound


@pytest.mark.anyio
async def test_an_asynchronous_stream_that_is_closed_early_ends_the_span(http: Any, captured: Captured) -> None:
    stream = stream_class(http, stream_of())
    async with async_client_of(http, stream).stream("POST", CHAT_URL, json=QUESTION) as answer:
        async for line in answer.aiter_lines():
            assert RESPONSE_ID in line
            break
        assert captured.spans() == []
    assert captured.only() == UNTOLD
    assert stream.closed == 1


@pytest.mark.anyio
async def test_a_task_that_is_cancelled_while_it_reads_is_cancelled_and_an_error(http: Any, captured: Captured) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    class Stuck(http.AsyncByteStream):  # type: ignore[misc]  # of either package
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield stream_of()[0]
            begun.set()
            await never.wait()

    async def read() -> None:
        async with async_client_of(http, Stuck()).stream("POST", CHAT_URL, json=QUESTION) as answer:
            await answer.aread()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert captured.only() == UNTOLD | {"error.type": "CancelledError"}


@pytest.mark.anyio
async def test_a_task_that_is_cancelled_while_it_waits_for_an_answer_is_an_error(http: Any, captured: Captured) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def answer(_request: Any) -> None:
        begun.set()
        await never.wait()

    client = http.AsyncClient(transport=http.MockTransport(answer))
    task = asyncio.create_task(client.post(CHAT_URL, json=QUESTION))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert captured.only()["error.type"] == "CancelledError"


@pytest.mark.anyio
async def test_calls_side_by_side_do_not_mix(http: Any, captured: Captured) -> None:
    async def call() -> bytes:
        async with async_client_of(http, stream_class(http, stream_of())) as client:
            return bytes((await client.post(CHAT_URL, json=QUESTION)).content)

    assert await asyncio.gather(*(call() for _ in range(20))) == [b"".join(stream_of())] * 20
    assert captured.attributes() == [STREAMED] * 20
    assert len({span.context.span_id for span in captured.spans()}) == 20
    assert {span.parent for span in captured.spans()} == {None}


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/octet-stream"])
@pytest.mark.parametrize("start", [b"", b": hello\n\n", b"\n", b"event: x\n"])
def test_a_stream_without_its_type_is_told_by_its_beginning(
    http: Any, captured: Captured, media_type: str | None, start: bytes
) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    stream = stream_class(http, [start, *stream_of()])
    transport = http.MockTransport(lambda _request: http.Response(200, headers=headers, stream=stream))
    with http.Client(transport=transport).stream("POST", CHAT_URL, json={**QUESTION, "stream": True}) as answer:
        answer.read()
    assert captured.only().items() >= {key: STREAMED[key] for key in STREAMED if key.startswith("gen_ai.usage")}.items()


def test_a_page_for_people_tells_nothing(http: Any, captured: Captured) -> None:
    stream = stream_class(http, [b"<html>", b'data: {"usage": {"prompt_tokens": 7, "completion_tokens": 9}}\n\n'])
    transport = http.MockTransport(lambda _request: http.Response(200, headers={"content-type": "x"}, stream=stream))
    with http.Client(transport=transport).stream("POST", CHAT_URL, json=QUESTION) as answer:
        answer.read()
    assert not [key for key in captured.only() if key.startswith("gen_ai.usage")]


@pytest.mark.anyio
async def test_a_stream_that_is_its_own_iterator_is_closed_by_the_client_alone(http: Any, captured: Captured) -> None:
    class OwnIterator(http.AsyncByteStream):  # type: ignore[misc]  # of either package
        def __init__(self) -> None:
            self.events = iter(stream_of())
            self.closed = 0

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            for event in self.events:
                return event
            raise StopAsyncIteration

        async def aclose(self) -> None:
            self.closed += 1

    stream = OwnIterator()
    async with async_client_of(http, stream).stream("POST", CHAT_URL, json=QUESTION) as answer:
        assert [chunk async for chunk in answer.aiter_raw()] == stream_of()
    assert stream.closed == 1
    assert captured.only() == STREAMED
