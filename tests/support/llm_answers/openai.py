"""OpenAI's chat completions, completions, responses and embeddings; Azure and Mistral answer alike."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from tests.support.llm_answers.script import Answer, plain, sse

if TYPE_CHECKING:
    from tests.support.llm_answers.script import Asked, Script, TokenCounts

CREATED_S = 1_790_000_000
VECTOR = (0.25, -0.5)


def chat(script: Script, asked: Asked) -> Answer:
    """A chat completion; a stream tells its usage where `stream_options` ask for it, Mistral's always."""
    head = {"id": asked.response_id, "created": CREATED_S, "model": script.model or asked.model}
    tells = script.tells_usage
    if not asked.streams:
        choice = {"index": 0, "message": {"role": "assistant", "content": script.text()}, "finish_reason": "stop"}
        usage = {} if tells is False else {"usage": chat_usage(script.counts)}
        return plain({**head, "object": "chat.completion", "choices": [choice], **usage})
    of_mistral = "mistral" in asked.headers.get("user-agent", "")
    if tells is None:
        tells = of_mistral or bool((asked.body.get("stream_options") or {}).get("include_usage"))
    head["object"] = "chat.completion.chunk"
    chunks = [{**head, "choices": [_delta({"role": "assistant", "content": text})]} for text in script.texts()]
    chunks.append({**head, "choices": [_delta({"content": ""}, "stop")]})
    if tells and of_mistral:
        chunks[-1]["usage"] = chat_usage(script.counts)
    elif tells:
        chunks = [{**chunk, "usage": None} for chunk in chunks]
        chunks.append({**head, "choices": [], "usage": chat_usage(script.counts)})
    return sse([*chunks, "[DONE]"])


def completion(script: Script, asked: Asked) -> Answer:
    """A completion of the older API."""
    choice = {"index": 0, "text": script.text(), "finish_reason": "stop", "logprobs": None}
    head = {"id": asked.response_id, "created": CREATED_S, "model": script.model or asked.model}
    usage = {} if script.tells_usage is False else {"usage": chat_usage(script.counts)}
    return plain({**head, "object": "text_completion", "choices": [choice], **usage})


def responses(script: Script, asked: Asked) -> Answer:
    """A response; its stream tells the usage in the last event."""
    whole = _response(script, asked)
    if not asked.streams:
        return plain(whole)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **at, "part": part},
        *({"type": "response.output_text.delta", **at, "delta": text, "logprobs": []} for text in script.texts()),
        {"type": "response.output_text.done", **at, "text": script.text(), "logprobs": []},
        {"type": "response.completed", "response": whole},
    ]
    return sse(({**event, "sequence_number": number} for number, event in enumerate(events)), named=True)


def embeddings(script: Script, asked: Asked) -> Answer:
    """One vector, as base64 where that is asked for."""
    packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    vector = packed if asked.body.get("encoding_format") == "base64" else list(VECTOR)
    usage = {"prompt_tokens": script.counts.input, "total_tokens": script.counts.input}
    told = {} if script.tells_usage is False else {"usage": usage}
    return plain(
        {
            "id": asked.response_id,
            "object": "list",
            "model": script.model or asked.model,
            "data": [{"object": "embedding", "index": 0, "embedding": vector}],
            **told,
        }
    )


def chat_usage(counts: TokenCounts) -> dict[str, Any]:
    """The usage object of chat completions."""
    return {
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.input + counts.output,
        "prompt_tokens_details": {"cached_tokens": counts.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning, "audio_tokens": 0},
    }


def _delta(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _response(script: Script, asked: Asked) -> dict[str, Any]:
    counts = script.counts
    content = [{"type": "output_text", "text": script.text(), "annotations": []}]
    usage = {
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cache_read, "cache_write_tokens": counts.cache_write},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.input + counts.output,
    }
    return {
        "id": asked.response_id,
        "object": "response",
        "created_at": CREATED_S,
        "model": script.model or asked.model,
        "status": "completed",
        "output": [
            {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content},
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None if script.tells_usage is False else usage,
    }
