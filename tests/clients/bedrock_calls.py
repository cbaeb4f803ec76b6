"""The asynchronous client of Bedrock, which sends through aiohttp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiobotocore.session import get_session

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

INSTRUMENTATIONS: dict[str, str] = {}
MODEL = "amazon.nova-lite-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "zanzibar-question"}]}]


def _client(url: str) -> AbstractAsyncContextManager[Any]:
    made: AbstractAsyncContextManager[Any] = get_session().create_client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    return made


async def asynchronous(url: str) -> None:
    async with _client(url) as client:
        await client.converse(modelId=MODEL, messages=MESSAGES)


async def asynchronous_streamed(url: str) -> None:
    async with _client(url) as client:
        answer = await client.converse_stream(modelId=MODEL, messages=MESSAGES)
        async for _ in answer["stream"]:
            pass


async def asynchronous_invoked(url: str) -> None:
    async with _client(url) as client:
        answer = await client.invoke_model(modelId="anthropic.claude-sonnet-5", body=b'{"messages": []}')
        await answer["body"].read()


CALLS = {call.__name__: call for call in (asynchronous, asynchronous_streamed, asynchronous_invoked)}
