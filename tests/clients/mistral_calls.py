"""The client of Mistral, which writes spans by itself where it is told to."""

from __future__ import annotations

import os
from typing import Any

from mistralai.client import Mistral

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]


class OwnTracing:
    """Switches on the spans that the client writes itself."""

    def instrument(self) -> None:
        """Switch them on for all clients."""
        os.environ["MISTRAL_SDK_TELEMETRY"] = "global"


INSTRUMENTATIONS = {"own": f"{__name__}:OwnTracing"}
MODEL = "mistral-large-2512"


def _client(url: str) -> Mistral:
    return Mistral(api_key="none", server_url=url)


def plain(url: str) -> None:
    _client(url).chat.complete(model=MODEL, messages=MESSAGES)


def streamed(url: str) -> None:
    for _ in _client(url).chat.stream(model=MODEL, messages=MESSAGES):
        pass


def aborted(url: str) -> None:
    with _client(url).chat.stream(model="aborted-mistral", messages=MESSAGES) as stream:
        next(iter(stream))


async def asynchronous(url: str) -> None:
    await _client(url).chat.complete_async(model=MODEL, messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async for _ in await _client(url).chat.stream_async(model=MODEL, messages=MESSAGES):
        pass


async def asynchronous_aborted(url: str) -> None:
    async with await _client(url).chat.stream_async(model="aborted-mistral", messages=MESSAGES) as stream:
        await anext(aiter(stream))


def embeddings(url: str) -> None:
    _client(url).embeddings.create(model="mistral-embed", inputs=["zanzibar-question"])


CALLS = {
    call.__name__: call
    for call in (plain, streamed, aborted, asynchronous, asynchronous_streamed, asynchronous_aborted, embeddings)
}
