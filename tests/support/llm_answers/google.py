"""Gemini: candidates leave out thoughts, and every event of a stream tells the usage so far."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.support.llm_answers.script import Answer, plain, sse

if TYPE_CHECKING:
    from tests.support.llm_answers.script import Asked, Script, TokenCounts

_MODEL = re.compile(r"models/([^:]+):")


def generate(script: Script, asked: Asked) -> Answer:
    """A generated content, as a document, as events, or as one JSON list of all events."""
    if not asked.path.endswith(":streamGenerateContent"):
        return plain(_content(script, asked, script.text(), script.counts))
    early = [_content(script, asked, text, None) for text in script.texts()]
    last = _content(script, asked, "", script.counts)
    if "alt=sse" in asked.query:
        return sse([*early, last])
    rows = [json.dumps(each).encode() for each in (*early, last)]
    parts = [b"[" + rows[0], *(b",\r\n" + row for row in rows[1:]), b"]"]
    return Answer("application/json; charset=UTF-8", parts)


def embed(script: Script, asked: Asked) -> Answer:
    """One vector, or one for each text; Gemini tells tokens in the newer form only."""
    usage = {"usageMetadata": {"promptTokenCount": script.counts.input, "totalTokenCount": script.counts.input}}
    told = {} if script.tells_usage is False else usage
    if asked.path.endswith(":batchEmbedContents"):
        return plain({"embeddings": [{"values": [0.25, -0.5]}], **told})
    return plain({"embedding": {"values": [0.25, -0.5]}, **told})


def usage_metadata(counts: TokenCounts) -> dict[str, Any]:
    """The usage object of Gemini."""
    return {
        "promptTokenCount": counts.input,
        "candidatesTokenCount": counts.output - counts.reasoning,
        "totalTokenCount": counts.input + counts.output,
        "cachedContentTokenCount": counts.cache_read,
        "thoughtsTokenCount": counts.reasoning,
    }


def _content(script: Script, asked: Asked, text: str, counts: TokenCounts | None) -> dict[str, Any]:
    model = _MODEL.search(asked.path)
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if counts is None:
        usage = {"promptTokenCount": script.counts.input, "totalTokenCount": script.counts.input}
    else:
        candidate["finishReason"] = "STOP"
        usage = usage_metadata(counts)
    told = {} if script.tells_usage is False else {"usageMetadata": usage}
    named = script.model or (model[1] if model else "")
    return {"candidates": [candidate], **told, "modelVersion": named, "responseId": asked.response_id}
