"""Anthropic's messages: input leaves out both caches, and a stream tells usage twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.llm_answers.script import Answer, plain, sse

if TYPE_CHECKING:
    from tests.support.llm_answers.script import Asked, Script, TokenCounts


def messages(script: Script, asked: Asked) -> Answer:
    """A message, with a thought before the text where the request asks for thinking."""
    if asked.streams:
        return sse(events(script, asked), named=True)
    return plain(message(script, asked))


def message(script: Script, asked: Asked) -> dict[str, Any]:
    """The whole message."""
    thought = [{"type": "thinking", "thinking": script.text(), "signature": "c2ln"}] if _thinks(asked) else []
    usage = {} if script.tells_usage is False else {"usage": message_usage(script.counts)}
    return {
        "id": asked.response_id,
        "type": "message",
        "role": "assistant",
        "model": script.model or asked.model,
        "content": [*thought, {"type": "text", "text": script.text()}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        **usage,
    }


def events(script: Script, asked: Asked) -> list[dict[str, Any]]:
    """The events of a stream: input in the first, output so far there and in the last but one."""
    usage = message_usage(script.counts)
    begun = {**message(script, asked), "content": [], "stop_reason": None}
    told: dict[str, Any] = {}
    if script.tells_usage is not False:
        begun["usage"] = {**usage, "output_tokens": 1}
        told = {"usage": {"output_tokens": script.counts.output}}
    deltas: list[dict[str, Any]] = []
    if _thinks(asked):
        block = {"type": "thinking", "thinking": "", "signature": ""}
        deltas += _block(0, block, [{"type": "thinking_delta", "thinking": text} for text in script.texts()])
    block = {"type": "text", "text": ""}
    deltas += _block(int(_thinks(asked)), block, [{"type": "text_delta", "text": text} for text in script.texts()])
    return [
        {"type": "message_start", "message": begun},
        {"type": "ping"},
        *deltas,
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, **told},
        {"type": "message_stop"},
    ]


def message_usage(counts: TokenCounts) -> dict[str, Any]:
    """The usage object of a message."""
    return {
        "input_tokens": counts.input - counts.cache_read - counts.cache_write,
        "cache_creation_input_tokens": counts.cache_write,
        "cache_read_input_tokens": counts.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": counts.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": counts.output,
        "service_tier": "standard",
    }


def _thinks(asked: Asked) -> bool:
    return (asked.body.get("thinking") or {}).get("type") == "enabled"


def _block(index: int, block: dict[str, Any], deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]
