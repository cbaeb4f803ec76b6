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


def aborted(url: str) -> None:
    stream: Any = ollama.Client(host=url).chat(model="aborted-llama", messages=MESSAGES, stream=True)
    next(iter(stream))
    stream.close()


def generated(url: str) -> None:
    ollama.Client(host=url).generate(model=MODEL, prompt="zanzibar-question")


def loaded(url: str) -> None:
    ollama.Client(host=url).generate(model=MODEL)


async def asynchronous(url: str) -> None:
    await ollama.AsyncClient(host=url).chat(model=MODEL, messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async for _ in await ollama.AsyncClient(host=url).chat(model=MODEL, messages=MESSAGES, stream=True):
        pass


async def asynchronous_aborted(url: str) -> None:
    stream: Any = await ollama.AsyncClient(host=url).chat(model="aborted-llama", messages=MESSAGES, stream=True)
    await anext(aiter(stream))
    await stream.aclose()


def refused(url: str) -> None:
    ollama.Client(host=url).chat(model="refused", messages=MESSAGES)


def embeddings(url: str) -> None:
    ollama.Client(host=url).embed(model="nomic-embed-text", input="zanzibar-question")


CALLS = {
    call.__name__: call
    for call in (
        plain,
        streamed,
        aborted,
        generated,
        loaded,
        asynchronous,
        asynchronous_streamed,
        asynchronous_aborted,
        embeddings,
        refused,
    )
}
