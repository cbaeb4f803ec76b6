"""The client of Anthropic, which writes spans by itself wherever an OpenTelemetry SDK is set up."""

from __future__ import annotations

from typing import Any

import anthropic

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
INSTRUMENTATIONS = {
    "official": "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    "openllmetry": "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
}


def _client(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)


def plain(url: str) -> None:
    _client(url).messages.create(model="claude-sonnet-5", max_tokens=20, messages=MESSAGES)


def streamed(url: str) -> None:
    with _client(url).messages.stream(model="claude-sonnet-5", max_tokens=20, messages=MESSAGES) as stream:
        stream.get_final_message()


def thinking(url: str) -> None:
    with _client(url).messages.stream(
        model="claude-sonnet-5", max_tokens=2000, messages=MESSAGES, thinking=THINKING
    ) as stream:
        stream.get_final_message()


def aborted(url: str) -> None:
    with _client(url).messages.stream(model="aborted-claude", max_tokens=20, messages=MESSAGES) as stream:
        next(iter(stream))


async def asynchronous(url: str) -> None:
    async with anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client:
        await client.messages.create(model="claude-sonnet-5", max_tokens=20, messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async with (
        anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client,
        client.messages.stream(model="claude-sonnet-5", max_tokens=20, messages=MESSAGES) as stream,
    ):
        await stream.get_final_message()


async def asynchronous_aborted(url: str) -> None:
    async with (
        anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client,
        client.messages.stream(model="aborted-claude", max_tokens=20, messages=MESSAGES) as stream,
    ):
        await anext(aiter(stream))


def refused(url: str) -> None:
    _client(url).messages.create(model="refused", max_tokens=20, messages=MESSAGES)


CALLS = {
    call.__name__: call
    for call in (
        plain,
        streamed,
        thinking,
        aborted,
        asynchronous,
        asynchronous_streamed,
        asynchronous_aborted,
        refused,
    )
}
