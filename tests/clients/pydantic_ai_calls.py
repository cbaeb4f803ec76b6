"""Agents of pydantic-ai over the clients of OpenAI and Anthropic."""

from __future__ import annotations

from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

QUESTION = "zanzibar-question"


class OwnTracing:
    """Switches on the spans that the framework writes itself."""

    def instrument(self) -> None:
        """Switch them on for all agents."""
        Agent.instrument_all()


INSTRUMENTATIONS = {"own": f"{__name__}:OwnTracing"}


def _openai(url: str, model: str = "gpt-4o") -> OpenAIChatModel:
    return OpenAIChatModel(model, provider=OpenAIProvider(base_url=f"{url}/v1", api_key="none"))


def plain(url: str) -> None:
    Agent(_openai(url)).run_sync(QUESTION)


async def streamed(url: str) -> None:
    async with Agent(_openai(url)).run_stream(QUESTION) as answer:
        await answer.get_output()


async def aborted(url: str) -> None:
    async with Agent(_openai(url, "aborted-gpt-4o")).run_stream(QUESTION) as answer:
        await anext(answer.stream_text(delta=True))


async def asynchronous(url: str) -> None:
    await Agent(_openai(url)).run(QUESTION)


async def anthropic(url: str) -> None:
    model = AnthropicModel("claude-sonnet-5", provider=AnthropicProvider(base_url=url, api_key="none"))
    await Agent(model, model_settings={"max_tokens": 20}).run(QUESTION)


CALLS = {call.__name__: call for call in (plain, streamed, aborted, asynchronous, anthropic)}
