"""LiteLLM, whose asynchronous half has a transport of aiohttp under httpx."""

from __future__ import annotations

from typing import Any

import litellm

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
INSTRUMENTATIONS = {"openinference": "openinference.instrumentation.litellm:LiteLLMInstrumentor"}
litellm.suppress_debug_info = True


def _options(url: str, model: str = "gpt-4o") -> dict[str, Any]:
    return {"model": f"openai/{model}", "messages": MESSAGES, "api_base": f"{url}/v1", "api_key": "none"}


def _anthropic(url: str) -> dict[str, Any]:
    model = "anthropic/claude-sonnet-5"
    return {"model": model, "messages": MESSAGES, "max_tokens": 20, "api_base": url, "api_key": "none"}


def plain(url: str) -> None:
    litellm.completion(**_options(url))


def streamed(url: str) -> None:
    for _ in litellm.completion(**_options(url), stream=True, stream_options={"include_usage": True}):
        pass


def aborted(url: str) -> None:
    answer: Any = litellm.completion(
        **_options(url, "aborted-gpt-4o"), stream=True, stream_options={"include_usage": True}
    )
    next(iter(answer))
    answer.completion_stream.close()


async def asynchronous(url: str) -> None:
    await litellm.acompletion(**_options(url))


async def asynchronous_streamed(url: str) -> None:
    answer = await litellm.acompletion(**_options(url), stream=True, stream_options={"include_usage": True})
    async for _ in answer:
        pass


async def asynchronous_aborted(url: str) -> None:
    answer: Any = await litellm.acompletion(
        **_options(url, "aborted-gpt-4o"), stream=True, stream_options={"include_usage": True}
    )
    await anext(aiter(answer))
    await answer.completion_stream.close()


def anthropic(url: str) -> None:
    litellm.completion(
        model="anthropic/claude-sonnet-5", messages=MESSAGES, max_tokens=20, api_base=url, api_key="none"
    )


async def asynchronous_anthropic(url: str) -> None:
    await litellm.acompletion(
        model="anthropic/claude-sonnet-5", messages=MESSAGES, max_tokens=20, api_base=url, api_key="none"
    )


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
        asynchronous_anthropic,
    )
}
