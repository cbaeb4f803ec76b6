"""The client of Google, whose asynchronous half does without httpx2 where aiohttp is installed."""

from __future__ import annotations

import google.genai as genai

INSTRUMENTATIONS = {
    "official": "opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor",
    "openinference": "openinference.instrumentation.google_genai:GoogleGenAIInstrumentor",
}
MODEL, QUESTION = "gemini-2.5-flash", "zanzibar-question"


def _client(url: str) -> genai.Client:
    return genai.Client(api_key="none", http_options={"base_url": url})


def plain(url: str) -> None:
    with _client(url) as client:
        client.models.generate_content(model=MODEL, contents=QUESTION)


def streamed(url: str) -> None:
    with _client(url) as client:
        for _ in client.models.generate_content_stream(model=MODEL, contents=QUESTION):
            pass


def embeddings(url: str) -> None:
    with _client(url) as client:
        client.models.embed_content(model="gemini-embedding-001", contents=QUESTION)


def refused(url: str) -> None:
    with _client(url) as client:
        client.models.generate_content(model="refused", contents=QUESTION)


async def asynchronous(url: str) -> None:
    async with _client(url).aio as client:
        await client.models.generate_content(model=MODEL, contents=QUESTION)


CALLS = {call.__name__: call for call in (plain, streamed, embeddings, refused, asynchronous)}
