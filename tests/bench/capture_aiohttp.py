"""What capturing adds to calls of aiohttp, whose answers come from memory: the session's own work is left out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from multidict import CIMultiDict
from yarl import URL

from otel_carbon.capture.aiohttp_requests import aiohttp_request
from otel_carbon.capture.patching import Capture
from tests.bench import capture as answers
from tests.bench.capture import EVENTS, MESSAGES, PLAIN, STREAM, USAGE_IN_EACH
from tests.bench.measuring import line, medians

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from opentelemetry.trace import TracerProvider

LIMIT_BYTES = 2**30
"""So that no reader asks for a pause: there is no connection."""


class _Response:
    """As much of an answer as is looked at."""

    status = 200

    def __init__(self, media_type: str, parts: Sequence[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self.headers = CIMultiDict({"content-type": media_type})
        self.content = StreamReader(BaseProtocol(loop), LIMIT_BYTES, loop=loop)
        for part in parts:
            self.content.feed_data(part)
        self.content.feed_eof()


class _Session:
    """As much of a session as is asked."""

    auto_decompress = True

    def _build_url(self, url: object) -> object:
        return url


async def _nothing(_self: object, _method: str, _url: object, **_options: object) -> None:
    return None


async def _lines(content: StreamReader) -> None:
    async for _ in content:
        pass


def report_aiohttp(provider: TracerProvider) -> None:
    """Report what is added to plain calls, streams and requests that are no LLM's."""
    switch = Capture()
    switch.switch_on(provider)
    loop = asyncio.new_event_loop()
    session, api, shop = _Session(), URL(answers.URL), URL("http://shop.test/api/v1/items/17?expand=all")
    asked = {"model": "gpt-4o", "messages": MESSAGES}

    def request_for(media_type: str, parts: Sequence[bytes]) -> Callable[..., Awaitable[Any]]:
        async def request(_self: object, _method: str, _url: object, **_options: object) -> Any:
            return _Response(media_type, parts, loop)

        return request

    def added(count: int, request: Callable[..., Awaitable[Any]], url: URL, read: Any = _lines) -> float:
        async def calls(request: Callable[..., Awaitable[Any]]) -> int:
            for _ in range(count):
                response = await request(session, "POST", url, json=asked)
                if response is not None:
                    await read(response.content)
            return count

        taken = medians(
            without=lambda: loop.run_until_complete(calls(request)),
            with_capture=lambda: loop.run_until_complete(calls(aiohttp_request(switch, request))),
        )
        return taken["with_capture"] - taken["without"]

    events = "text/event-stream"
    plain = added(500, request_for("application/json", [PLAIN]), api, lambda content: content.read())
    line("capture of aiohttp, added to a plain call", plain)
    for said, parts in (("", STREAM), (", each with usage", USAGE_IN_EACH)):
        line(f"capture of aiohttp, added to {EVENTS} events{said}", added(10, request_for(events, parts), api))
    line("capture of aiohttp, added to a request of no LLM", added(20_000, _nothing, shop))
    switch.switch_off()
    loop.close()
