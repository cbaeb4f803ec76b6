"""The client of Google, whose asynchronous half sends through aiohttp where that is installed."""

from __future__ import annotations

from urllib.parse import urlsplit

import google.genai as genai

INSTRUMENTATIONS = {
    "official": "opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor",
    "openinference": "openinference.instrumentation.google_genai:GoogleGenAIInstrumentor",
}
MODEL, QUESTION = "gemini-2.5-flash", "zanzibar-question"


def _client(url: str) -> genai.Client:
    """Of the version of the API that the path of the address names, else of the client's own choice."""
    at = urlsplit(url)
    address, version = f"{at.scheme}://{at.netloc}", at.path.strip("/") or None
    return genai.Client(api_key="none", http_options={"base_url": address, "api_version": version})


def plain(url: str) -> None:
    with _client(url) as client:
        client.models.generate_content(model=MODEL, contents=QUESTION)


def streamed(url: str) -> None:
    with _client(url) as client:
        for _ in client.models.generate_content_stream(model=MODEL, contents=QUESTION):
            pass


def aborted(url: str) -> None:
    with _client(url) as client:
        for _ in client.models.generate_content_stream(model="aborted-gemini", contents=QUESTION):
            break


def embeddings(url: str) -> None:
    with _client(url) as client:
        client.models.embed_content(model="gemini-embedding-001", contents=QUESTION)


def refused(url: str) -> None:
    with _client(url) as client:
        client.models.generate_content(model="refused", contents=QUESTION)


async def asynchronous(url: str) -> None:
    async with _client(url).aio as client:
        await client.models.generate_content(model=MODEL, contents=QUESTION)


async def asynchronous_streamed(url: str) -> None:
    async with _client(url).aio as client:
        async for _ in await client.models.generate_content_stream(model=MODEL, contents=QUESTION):
            pass


async def asynchronous_aborted(url: str) -> None:
    async with _client(url).aio as client:
        async for _ in await client.models.generate_content_stream(model="aborted-gemini", contents=QUESTION):
            break


CALLS = {
    call.__name__: call
    for call in (
        plain,
        streamed,
        aborted,
        embeddings,
        refused,
        asynchronous,
        asynchronous_streamed,
        asynchronous_aborted,
    )
}
