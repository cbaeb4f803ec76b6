"""LangChain over the clients of OpenAI and Anthropic."""

from __future__ import annotations

from typing import Any

import httpx2
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

INSTRUMENTATIONS = {"official": "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor"}
QUESTION = "zanzibar-question"


def _openai(url: str, model: str = "gpt-4o", client: httpx2.AsyncClient | None = None) -> ChatOpenAI:
    """Without a client LangChain takes its own, which cannot be used in a second event loop."""
    return ChatOpenAI(model=model, base_url=f"{url}/v1", api_key="none", stream_usage=True, http_async_client=client)


def _anthropic(url: str) -> ChatAnthropic:
    return ChatAnthropic(
        model_name="claude-sonnet-5", base_url=url, api_key="none", max_tokens_to_sample=20, timeout=None, stop=None
    )


def plain(url: str) -> None:
    _openai(url).invoke(QUESTION)


def streamed(url: str) -> None:
    for _ in _openai(url).stream(QUESTION):
        pass


def aborted(url: str) -> None:
    stream: Any = _openai(url, "aborted-gpt-4o").stream(QUESTION)
    next(stream)
    stream.close()


async def asynchronous(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        await _openai(url, client=client).ainvoke(QUESTION)


async def asynchronous_streamed(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        async for _ in _openai(url, client=client).astream(QUESTION):
            pass


async def asynchronous_aborted(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        stream: Any = _openai(url, "aborted-gpt-4o", client).astream(QUESTION)
        await anext(stream)
        await stream.aclose()


def anthropic(url: str) -> None:
    _anthropic(url).invoke(QUESTION)


def anthropic_streamed(url: str) -> None:
    for _ in _anthropic(url).stream(QUESTION):
        pass


CALLS = {
    call.__name__: call
    for call in (
        plain,
        streamed,
        aborted,
        asynchronous,
        asynchronous_streamed,
        asynchronous_aborted,
        anthropic,
        anthropic_streamed,
    )
}
