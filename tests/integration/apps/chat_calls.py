"""The calls that the client application can make, with the real openai and anthropic SDKs, and what each reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anthropic
import openai

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anthropic.types import MessageParam
    from openai.types.chat import ChatCompletionMessageParam

MODEL = "smollm2-135m"

_OUTPUT_TOKENS_LIMIT = 8
_SEED = 7
_LONG_PROMPT = "Answer in one word. " + " ".join(f"Rule {number}: stay brief." for number in range(1, 25))
_TOO_LONG_PROMPT = "word " * 3000


@dataclass(frozen=True, slots=True)
class CallReport:
    """What the API itself reported about one call: never its content.

    Attributes:
        call: name of the call, as in `CALLS`.
        api: which API dialect was spoken: `openai` or `anthropic`.
        response_id: id in the answer; None when the call failed.
        usage: the usage object of the answer, as sent; None when there was none.
        http_status: status of a refused call; None when it succeeded.
    """

    call: str
    api: str
    response_id: str | None = None
    usage: Mapping[str, Any] | None = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Clients:
    """Both SDK clients, pointed at the same model server and never retrying."""

    openai: openai.OpenAI
    anthropic: anthropic.Anthropic


def open_clients(model_url: str) -> Clients:
    """Clients for the model server at `model_url`, which asks for no real key."""
    return Clients(
        openai.OpenAI(base_url=f"{model_url}/v1", api_key="none", max_retries=0),
        anthropic.Anthropic(base_url=model_url, api_key="none", max_retries=0),
    )


def openai_plain(clients: Clients) -> CallReport:
    """A chat completion in one answer."""
    return _openai_chat(clients, "openai_plain", "Name a town.")


def openai_long_prompt(clients: Clients) -> CallReport:
    """A chat completion with a long prompt: made twice, the second one reads most of it from the cache."""
    return _openai_chat(clients, "openai_long_prompt", _LONG_PROMPT)


def openai_stream_with_usage(clients: Clients) -> CallReport:
    """A streamed chat completion that asks for usage in the last chunk."""
    return _openai_stream(clients, "openai_stream_with_usage", include_usage=True)


def openai_stream_without_usage(clients: Clients) -> CallReport:
    """A streamed chat completion that reports no usage at all."""
    return _openai_stream(clients, "openai_stream_without_usage", include_usage=False)


def openai_responses(clients: Clients) -> CallReport:
    """A call of the Responses API."""
    answer = clients.openai.responses.create(
        model=MODEL, input="Name a metal.", max_output_tokens=_OUTPUT_TOKENS_LIMIT, temperature=0
    )
    return CallReport("openai_responses", "openai", answer.id, _dump(answer.usage))


def openai_refused(clients: Clients) -> CallReport:
    """A chat completion whose prompt is longer than the context, so the server refuses it."""
    try:
        _openai_chat(clients, "openai_refused", _TOO_LONG_PROMPT)
    except openai.APIStatusError as refusal:
        return CallReport("openai_refused", "openai", http_status=refusal.status_code)
    raise AssertionError("the server accepted a prompt longer than its context")


def anthropic_plain(clients: Clients) -> CallReport:
    """A message in one answer."""
    return _anthropic_message(clients, "anthropic_plain", "Name a bird.")


def anthropic_long_prompt(clients: Clients) -> CallReport:
    """A message with a long prompt: made twice, the second one reads most of it from the cache."""
    return _anthropic_message(clients, "anthropic_long_prompt", _LONG_PROMPT)


def anthropic_stream(clients: Clients) -> CallReport:
    """A streamed message, read event by event; its usage comes in two events."""
    response_id, usage = None, dict[str, Any]()
    events = clients.anthropic.messages.create(
        model=MODEL, max_tokens=_OUTPUT_TOKENS_LIMIT, messages=_anthropic_user("Name a tree."), stream=True
    )
    with events:
        for event in events:
            if event.type == "message_start":
                response_id = event.message.id
                usage.update(event.message.usage.to_dict())
            elif event.type == "message_delta":
                usage.update(event.usage.to_dict())
    return CallReport("anthropic_stream", "anthropic", response_id, usage)


def anthropic_stream_manager(clients: Clients) -> CallReport:
    """A streamed message, read through the SDK's own stream manager."""
    with clients.anthropic.messages.stream(
        model=MODEL, max_tokens=_OUTPUT_TOKENS_LIMIT, messages=_anthropic_user("Name a stone.")
    ) as stream:
        message = stream.get_final_message()
    return CallReport("anthropic_stream_manager", "anthropic", message.id, message.usage.to_dict())


def anthropic_refused(clients: Clients) -> CallReport:
    """A message whose prompt is longer than the context, so the server refuses it."""
    try:
        _anthropic_message(clients, "anthropic_refused", _TOO_LONG_PROMPT)
    except anthropic.APIStatusError as refusal:
        return CallReport("anthropic_refused", "anthropic", http_status=refusal.status_code)
    raise AssertionError("the server accepted a prompt longer than its context")


CALLS: Mapping[str, Callable[[Clients], CallReport]] = {
    call.__name__: call
    for call in (
        openai_plain,
        openai_long_prompt,
        openai_stream_with_usage,
        openai_stream_without_usage,
        openai_responses,
        openai_refused,
        anthropic_plain,
        anthropic_long_prompt,
        anthropic_stream,
        anthropic_stream_manager,
        anthropic_refused,
    )
}
"""Every call the application can make, by name."""


def _openai_chat(clients: Clients, call: str, prompt: str) -> CallReport:
    answer = clients.openai.chat.completions.create(
        model=MODEL, messages=_openai_user(prompt), max_tokens=_OUTPUT_TOKENS_LIMIT, temperature=0, seed=_SEED
    )
    return CallReport(call, "openai", answer.id, _dump(answer.usage))


def _openai_stream(clients: Clients, call: str, *, include_usage: bool) -> CallReport:
    response_id, usage = None, None
    chunks = clients.openai.chat.completions.create(
        model=MODEL,
        messages=_openai_user("Name a colour."),
        max_tokens=_OUTPUT_TOKENS_LIMIT,
        temperature=0,
        seed=_SEED,
        stream=True,
        stream_options={"include_usage": True} if include_usage else openai.omit,
    )
    with chunks:
        for chunk in chunks:
            response_id = chunk.id
            usage = chunk.usage or usage
    return CallReport(call, "openai", response_id, _dump(usage))


def _anthropic_message(clients: Clients, call: str, prompt: str) -> CallReport:
    answer = clients.anthropic.messages.create(
        model=MODEL, max_tokens=_OUTPUT_TOKENS_LIMIT, messages=_anthropic_user(prompt)
    )
    return CallReport(call, "anthropic", answer.id, answer.usage.to_dict())


def _openai_user(prompt: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": prompt}]


def _anthropic_user(prompt: str) -> list[MessageParam]:
    return [{"role": "user", "content": prompt}]


def _dump(usage: openai.BaseModel | None) -> Mapping[str, Any] | None:
    return None if usage is None else usage.to_dict()
