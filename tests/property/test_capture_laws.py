"""Whatever an answer looks like and however it is cut: the application gets its bytes, and the counts are the same."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon.capture.usage_readers import ANTHROPIC, BEDROCK_INVOKE, GEMINI, OLLAMA, OPENAI
from otel_carbon.capture.wire.event_stream import EventStreamFramer
from otel_carbon.capture.wire.json_picker import JsonPicker, pick
from otel_carbon.capture.wire.json_tree import tree_of
from otel_carbon.capture.wire.sse import NO_FIELD, LineFramer
from tests.support.captured_spans import CHAT_URL, QUESTION, SSE, STREAMED, capturing, stream_of
from tests.support.llm_answers import anthropic, bedrock, google, openai, others
from tests.support.llm_answers.script import Asked, Script, TokenCounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from otel_carbon.capture.exchange import Framer

TREE = tree_of("usage", "model", "response.usage", "response.id")
NAMES = st.sampled_from(["usage", "model", "response", "id", "a", '"', "\\", "\u00e9"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)
PACKAGES = pytest.mark.parametrize("http", [httpx, httpx2], ids=["httpx", "httpx2"])


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    """The body cut at these places, as far as it has them."""
    at = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[begin:end] for begin, end in itertools.pairwise(at)]


@given(document=VALUES, cuts=CUTS, ascii_only=st.booleans())
def test_what_is_picked_from_pieces_is_what_is_picked_from_the_whole(
    document: object, cuts: list[int], *, ascii_only: bool
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only).encode()
    picker = JsonPicker(TREE)
    for piece in pieces(text, cuts):
        picker.feed(piece)
    assert picker.take() == pick(text, TREE)


@given(body=st.binary(max_size=300), cuts=CUTS)
def test_no_bytes_at_all_make_a_reader_raise(body: bytes, cuts: list[int]) -> None:
    framers: list[Framer] = [
        LineFramer(TREE, b'_tokens"', "usage"),
        LineFramer(TREE, b'_tokens"', "usage", NO_FIELD),
        EventStreamFramer(TREE),
    ]
    for framer in framers:
        for piece in pieces(b'data: {"usage"' + body, cuts):
            framer.feed(piece)
        framer.close()


COUNTS = TokenCounts(120, 45, 30, 10, 7)
ASKED = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}
STREAMS: dict[str, tuple[Any, Any, Callable[[Any], Framer]]] = {
    "chat": (openai.chat, OPENAI, lambda shape: LineFramer(shape.tree, shape.usage_mark, shape.usage_key)),
    "responses": (openai.responses, OPENAI, lambda shape: LineFramer(shape.tree, shape.usage_mark, shape.usage_key)),
    "messages": (
        anthropic.messages,
        ANTHROPIC,
        lambda shape: LineFramer(shape.tree, shape.usage_mark, shape.usage_key),
    ),
    "gemini": (google.generate, GEMINI, lambda shape: LineFramer(shape.tree, shape.usage_mark, shape.usage_key)),
    "ollama": (
        others.ollama_chat,
        OLLAMA,
        lambda shape: LineFramer(shape.tree, shape.usage_mark, shape.usage_key, NO_FIELD),
    ),
    "invoke": (bedrock.invoke_stream, BEDROCK_INVOKE, lambda shape: EventStreamFramer(shape.tree)),
}


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=60, deadline=None)
@given(cuts=CUTS, deltas=st.integers(0, 12), padding=st.sampled_from([0, 40, 70_000]))
def test_the_counts_of_a_stream_do_not_depend_on_where_it_is_cut(
    name: str, cuts: list[int], deltas: int, padding: int
) -> None:
    answer, shape, framer_of = STREAMS[name]
    script = Script(counts=COUNTS, deltas=deltas, padding=padding if deltas < 3 else 0)
    asked = Asked("/v1/models/m:streamGenerateContent", "alt=sse", {}, ASKED, "response-0123456789")
    from otel_carbon.capture.usage_readers import Usage

    usage, framer = Usage(), framer_of(shape)
    for piece in pieces(b"".join(answer(script, asked).parts), cuts):
        for picked in framer.feed(piece):
            shape.take(usage, picked)
    for picked in framer.close():
        shape.take(usage, picked)
    told = usage.counts()
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (120, 45)
    assert told.get("gen_ai.usage.cache_read.input_tokens") == (None if name == "ollama" else 30)


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream, httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body in these chunks, for clients of every kind."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


def transport_of(http: Any, chunks: list[bytes], headers: dict[str, str]) -> Any:
    return http.MockTransport(lambda _request: http.Response(200, headers=headers, stream=Chunks(chunks)))


@PACKAGES
@settings(max_examples=60, deadline=None)
@given(cuts=CUTS, read=st.integers(0, 14))
def test_chunks_come_out_one_by_one_as_they_went_in(http: Any, cuts: list[int], read: int) -> None:
    chunks = pieces(b"".join(stream_of()), cuts)
    with capturing() as captured:
        client = http.Client(transport=transport_of(http, chunks, SSE))
        with client.stream("POST", CHAT_URL, json=QUESTION) as answer:
            got = [chunk for chunk, _ in zip(answer.iter_raw(), range(read), strict=False)]
    assert got == chunks[:read]
    assert len(captured.spans()) == 1


@PACKAGES
@settings(max_examples=40, deadline=None)
@given(cuts=CUTS, packed=st.booleans())
def test_text_and_lines_are_those_of_a_client_that_is_not_captured(http: Any, cuts: list[int], *, packed: bool) -> None:
    body = b"".join(stream_of())
    headers = SSE | ({"content-encoding": "gzip"} if packed else {})
    chunks = pieces(gzip.compress(body) if packed else body, cuts)

    async def lines() -> list[list[str]]:
        client = http.AsyncClient(transport=transport_of(http, chunks, headers))
        async with client.stream("POST", CHAT_URL, json=QUESTION) as answer:
            of_async = [line async for line in answer.aiter_lines()]
        sync = http.Client(transport=transport_of(http, chunks, headers))
        with sync.stream("POST", CHAT_URL, json=QUESTION) as answer:
            return [of_async, list(answer.iter_lines())]

    alone = asyncio.run(lines())
    with capturing() as captured:
        assert asyncio.run(lines()) == alone
    assert captured.attributes() == [STREAMED, STREAMED]


@PACKAGES
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=400), content_type=st.sampled_from(["application/json", *SSE.values(), "x/y"]))
def test_any_body_reaches_the_application_as_it_is(http: Any, body: bytes, content_type: str) -> None:
    with capturing():
        client = http.Client(transport=transport_of(http, [body], {"content-type": content_type}))
        assert client.post(CHAT_URL, json=QUESTION).content == body
