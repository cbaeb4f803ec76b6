"""Ollama's own API, and Cohere's second version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.llm_answers.script import Answer, ndjson, plain, sse

if TYPE_CHECKING:
    from tests.support.llm_answers.script import Asked, Script, TokenCounts

CREATED_AT = "2026-11-22T10:00:00.000000Z"
BILLED_LESS = (60, 4)
"""By how much Cohere bills less than was processed."""


def ollama_chat(script: Script, asked: Asked) -> Answer:
    """A chat: lines of JSON unless `stream` is false."""
    return _ollama(script, asked, lambda text: {"message": {"role": "assistant", "content": text}})


def ollama_generate(script: Script, asked: Asked) -> Answer:
    """A completion: lines of JSON unless `stream` is false; without a prompt the model is loaded and no more."""
    if asked.body.get("prompt", "") == "" and asked.body.get("stream") is False:
        head = {"model": script.model or asked.model, "created_at": CREATED_AT}
        return plain({**head, "response": "", "done": True, "done_reason": "load"})
    return _ollama(script, asked, lambda text: {"response": text})


def ollama_embed(script: Script, asked: Asked) -> Answer:
    """One vector."""
    told = {} if script.tells_usage is False else {"prompt_eval_count": script.counts.input}
    return plain({"model": script.model or asked.model, "embeddings": [[0.25, -0.5]], "total_duration": 1, **told})


def _ollama(script: Script, asked: Asked, said: Any) -> Answer:
    head = {"model": script.model or asked.model, "created_at": CREATED_AT}
    counts = {"prompt_eval_count": script.counts.input, "eval_count": script.counts.output}
    told = {} if script.tells_usage is False else counts
    end = {"done": True, "done_reason": "stop", "total_duration": 5, "load_duration": 1, **told}
    if asked.body.get("stream") is False:
        return plain({**head, **said(script.text()), **end})
    lines = [{**head, **said(text), "done": False} for text in script.texts()]
    return ndjson([*lines, {**head, **said(""), **end}])


def cohere_chat(script: Script, asked: Asked) -> Answer:
    """A chat; its stream tells the usage in `message-end`."""
    usage = {} if script.tells_usage is False else {"usage": cohere_usage(script.counts)}
    if not asked.streams:
        message = {"role": "assistant", "content": [{"type": "text", "text": script.text()}]}
        return plain({"id": asked.response_id, "finish_reason": "COMPLETE", "message": message, **usage})
    content = {"message": {"content": {"type": "text", "text": ""}}}
    deltas = [
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}
        for text in script.texts()
    ]
    begun = {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}
    return sse(
        [
            {"type": "message-start", "id": asked.response_id, "delta": begun},
            {"type": "content-start", "index": 0, "delta": content},
            *deltas,
            {"type": "content-end", "index": 0},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", **usage}},
        ],
        named=True,
    )


def cohere_embed(script: Script, asked: Asked) -> Answer:
    """One vector, and what is billed."""
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": script.counts.input}}
    told = {} if script.tells_usage is False else {"meta": meta}
    texts = asked.body.get("texts") or []
    return plain({"id": asked.response_id, "embeddings": {"float": [[0.25, -0.5]]}, "texts": texts, **told})


def cohere_usage(counts: TokenCounts) -> dict[str, Any]:
    """The usage object of Cohere."""
    return {
        "billed_units": {
            "input_tokens": counts.input - BILLED_LESS[0],
            "output_tokens": counts.output - BILLED_LESS[1],
        },
        "tokens": {"input_tokens": counts.input, "output_tokens": counts.output},
        "cached_tokens": counts.cache_read,
    }
