"""LangChain over the clients of OpenAI and Anthropic."""

from __future__ import annotations

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

INSTRUMENTATIONS = {"official": "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor"}
QUESTION = "zanzibar-question"


def _openai(url: str) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-4o", base_url=f"{url}/v1", api_key="none", stream_usage=True)


def _anthropic(url: str) -> ChatAnthropic:
    return ChatAnthropic(model_name="claude-sonnet-5", base_url=url, api_key="none", timeout=None, stop=None)


def plain(url: str) -> None:
    _openai(url).invoke(QUESTION)


def streamed(url: str) -> None:
    for _ in _openai(url).stream(QUESTION):
        pass


async def asynchronous(url: str) -> None:
    await _openai(url).ainvoke(QUESTION)


def anthropic(url: str) -> None:
    _anthropic(url).invoke(QUESTION)


def anthropic_streamed(url: str) -> None:
    for _ in _anthropic(url).stream(QUESTION):
        pass


CALLS = {call.__name__: call for call in (plain, streamed, asynchronous, anthropic, anthropic_streamed)}
