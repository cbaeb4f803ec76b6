"""The client of Cohere."""

from __future__ import annotations

from typing import Any

import cohere

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
INSTRUMENTATIONS: dict[str, str] = {}
MODEL = "command-a-03-2025"


def plain(url: str) -> None:
    cohere.ClientV2(api_key="none", base_url=url).chat(model=MODEL, messages=MESSAGES)


def streamed(url: str) -> None:
    for _ in cohere.ClientV2(api_key="none", base_url=url).chat_stream(model=MODEL, messages=MESSAGES):
        pass


async def asynchronous(url: str) -> None:
    await cohere.AsyncClientV2(api_key="none", base_url=url).chat(model=MODEL, messages=MESSAGES)


def embeddings(url: str) -> None:
    cohere.ClientV2(api_key="none", base_url=url).embed(
        model="embed-v4.0", texts=["zanzibar-question"], input_type="search_query", embedding_types=["float"]
    )


CALLS = {call.__name__: call for call in (plain, streamed, asynchronous, embeddings)}
