"""The client of Ollama."""

from __future__ import annotations

from typing import Any

import ollama

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
INSTRUMENTATIONS = {"openllmetry": "opentelemetry.instrumentation.ollama:OllamaInstrumentor"}
MODEL = "llama3.1:8b"


def plain(url: str) -> None:
    ollama.Client(host=url).chat(model=MODEL, messages=MESSAGES)


def streamed(url: str) -> None:
    for _ in ollama.Client(host=url).chat(model=MODEL, messages=MESSAGES, stream=True):
        pass


def generated(url: str) -> None:
    ollama.Client(host=url).generate(model=MODEL, prompt="zanzibar-question")


async def asynchronous(url: str) -> None:
    await ollama.AsyncClient(host=url).chat(model=MODEL, messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async for _ in await ollama.AsyncClient(host=url).chat(model=MODEL, messages=MESSAGES, stream=True):
        pass


def embeddings(url: str) -> None:
    ollama.Client(host=url).embed(model="nomic-embed-text", input="zanzibar-question")


CALLS = {call.__name__: call for call in (plain, streamed, generated, asynchronous, asynchronous_streamed, embeddings)}
