"""The client of OpenAI, 2 and 3."""

from __future__ import annotations

from typing import Any

import openai

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
WITH_USAGE = {"include_usage": True}
INSTRUMENTATIONS = {
    "official": "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    "official-v2": "opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor",
    "openllmetry": "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
    "openinference": "openinference.instrumentation.openai:OpenAIInstrumentor",
}


def _client(url: str) -> Any:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=1)


def _async_client(url: str) -> Any:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=1)


def plain(url: str) -> None:
    _client(url).chat.completions.create(model="gpt-4o", messages=MESSAGES)


def streamed(url: str) -> None:
    for _ in _client(url).chat.completions.create(
        model="gpt-4o", messages=MESSAGES, stream=True, stream_options=WITH_USAGE
    ):
        pass


def streamed_without_usage(url: str) -> None:
    for _ in _client(url).chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
        pass


def aborted(url: str) -> None:
    with _client(url).chat.completions.create(
        model="aborted-gpt-4o", messages=MESSAGES, stream=True, stream_options=WITH_USAGE
    ) as stream:
        next(iter(stream))


async def asynchronous(url: str) -> None:
    async with _async_client(url) as client:
        await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async with _async_client(url) as client:
        stream = await client.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, stream=True, stream_options=WITH_USAGE
        )
        async for _ in stream:
            pass


async def asynchronous_aborted(url: str) -> None:
    async with _async_client(url) as client:
        stream = await client.chat.completions.create(
            model="aborted-gpt-4o", messages=MESSAGES, stream=True, stream_options=WITH_USAGE
        )
        async with stream:
            await anext(aiter(stream))


def responses(url: str) -> None:
    _client(url).responses.create(model="gpt-4o", input="zanzibar-question")


def responses_streamed(url: str) -> None:
    for _ in _client(url).responses.create(model="gpt-4o", input="zanzibar-question", stream=True):
        pass


def embeddings(url: str) -> None:
    _client(url).embeddings.create(model="text-embedding-3-small", input="zanzibar-question")


def raw_response(url: str) -> None:
    _client(url).chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES).parse()


def retried(url: str) -> None:
    _client(url).chat.completions.create(model="retried-gpt-4o", messages=MESSAGES)


def refused(url: str) -> None:
    _client(url).with_options(max_retries=0).chat.completions.create(model="refused", messages=MESSAGES)


def azure(url: str) -> None:
    client: Any = openai.AzureOpenAI(
        azure_endpoint=url, api_key="none", api_version="2025-01-01", azure_deployment="mine"
    )
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


CALLS = {
    call.__name__: call
    for call in (
        plain,
        streamed,
        streamed_without_usage,
        aborted,
        asynchronous,
        asynchronous_streamed,
        asynchronous_aborted,
        responses,
        responses_streamed,
        embeddings,
        raw_response,
        retried,
        refused,
        azure,
    )
}
