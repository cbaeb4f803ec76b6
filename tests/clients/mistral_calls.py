"""The client of Mistral, which writes spans by itself."""

from __future__ import annotations

from typing import Any

from mistralai.client import Mistral

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
INSTRUMENTATIONS: dict[str, str] = {}
MODEL = "mistral-large-2512"


def _client(url: str) -> Mistral:
    return Mistral(api_key="none", server_url=url)


def plain(url: str) -> None:
    _client(url).chat.complete(model=MODEL, messages=MESSAGES)


def streamed(url: str) -> None:
    for _ in _client(url).chat.stream(model=MODEL, messages=MESSAGES):
        pass


async def asynchronous(url: str) -> None:
    await _client(url).chat.complete_async(model=MODEL, messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async for _ in await _client(url).chat.stream_async(model=MODEL, messages=MESSAGES):
        pass


def embeddings(url: str) -> None:
    _client(url).embeddings.create(model="mistral-embed", inputs=["zanzibar-question"])


CALLS = {call.__name__: call for call in (plain, streamed, asynchronous, asynchronous_streamed, embeddings)}
