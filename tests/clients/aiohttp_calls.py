"""aiohttp by itself, as applications call APIs without a provider's client."""

from __future__ import annotations

from typing import Any

import aiohttp

INSTRUMENTATIONS: dict[str, str] = {}
PATH = "/v1/chat/completions"


def _asked(model: str = "gpt-4o", **more: object) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "zanzibar-question"}], **more}


def _streamed(model: str = "gpt-4o") -> dict[str, Any]:
    return _asked(model, stream=True, stream_options={"include_usage": True})


async def asynchronous(url: str) -> None:
    async with aiohttp.ClientSession(url) as session, session.post(PATH, json=_asked()) as response:
        await response.json()


async def asynchronous_streamed(url: str) -> None:
    async with aiohttp.ClientSession(url) as session, session.post(PATH, json=_streamed()) as response:
        async for _ in response.content:
            pass


async def asynchronous_in_chunks(url: str) -> None:
    async with aiohttp.ClientSession(url) as session, session.post(PATH, json=_streamed()) as response:
        async for _ in response.content.iter_chunks():
            pass


async def asynchronous_aborted(url: str) -> None:
    asked = _streamed("aborted-gpt-4o")
    async with aiohttp.ClientSession(url) as session, session.post(PATH, json=asked) as response:
        await response.content.readany()


async def asynchronous_refused(url: str) -> None:
    async with aiohttp.ClientSession(url, raise_for_status=True) as session:
        await session.post(PATH, json=_asked("refused"))


CALLS = {
    call.__name__: call
    for call in (
        asynchronous,
        asynchronous_streamed,
        asynchronous_in_chunks,
        asynchronous_aborted,
        asynchronous_refused,
    )
}
