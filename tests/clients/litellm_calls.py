"""LiteLLM, whose asynchronous half has a transport of aiohttp under httpx."""

from __future__ import annotations

from typing import Any

import litellm

MESSAGES: Any = [{"role": "user", "content": "zanzibar-question"}]
INSTRUMENTATIONS: dict[str, str] = {}
litellm.suppress_debug_info = True


def _options(url: str) -> dict[str, Any]:
    return {"model": "openai/gpt-4o", "messages": MESSAGES, "api_base": f"{url}/v1", "api_key": "none"}


def plain(url: str) -> None:
    litellm.completion(**_options(url))


def streamed(url: str) -> None:
    for _ in litellm.completion(**_options(url), stream=True, stream_options={"include_usage": True}):
        pass


async def asynchronous(url: str) -> None:
    await litellm.acompletion(**_options(url))


async def asynchronous_streamed(url: str) -> None:
    answer = await litellm.acompletion(**_options(url), stream=True, stream_options={"include_usage": True})
    async for _ in answer:
        pass


def anthropic(url: str) -> None:
    litellm.completion(model="anthropic/claude-sonnet-5", messages=MESSAGES, api_base=url, api_key="none")


async def asynchronous_anthropic(url: str) -> None:
    await litellm.acompletion(model="anthropic/claude-sonnet-5", messages=MESSAGES, api_base=url, api_key="none")


CALLS = {
    call.__name__: call
    for call in (plain, streamed, asynchronous, asynchronous_streamed, anthropic, asynchronous_anthropic)
}
