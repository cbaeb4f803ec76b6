"""Bedrock over HTTP: InvokeModel with Anthropic's body, Converse, and both as binary event streams."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tests.support.llm_answers import anthropic
from tests.support.llm_answers.script import Answer, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.llm_answers.script import Asked, Script, TokenCounts

_STRING = 7
_COUNT_HEADER = "x-amzn-bedrock-{}-token-count"


def invoke(script: Script, asked: Asked) -> Answer:
    """Anthropic's body; the counts are in headers too."""
    counts = script.counts
    headers = {
        _COUNT_HEADER.format("input"): str(counts.input - counts.cache_read - counts.cache_write),
        _COUNT_HEADER.format("output"): str(counts.output),
    }
    if counts.cache_read or counts.cache_write:
        headers[_COUNT_HEADER.format("cache-read-input")] = str(counts.cache_read)
        headers[_COUNT_HEADER.format("cache-write-input")] = str(counts.cache_write)
    return plain(anthropic.message(script, asked), {} if script.tells_usage is False else headers)


def invoke_stream(script: Script, asked: Asked) -> Answer:
    """Anthropic's events in base64, one a message; the last one tells the counts once more."""
    counts = script.counts
    events = anthropic.events(script, asked)
    if script.tells_usage is not False:
        events[-1]["amazon-bedrock-invocationMetrics"] = {
            "inputTokenCount": counts.input - counts.cache_read - counts.cache_write,
            "outputTokenCount": counts.output,
            "cacheReadInputTokenCount": counts.cache_read,
            "cacheWriteInputTokenCount": counts.cache_write,
            "invocationLatency": 5,
            "firstByteLatency": 1,
        }
    return _streamed(("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}) for event in events)


def converse(script: Script, asked: Asked) -> Answer:
    """A conversation's next message."""
    message = {"role": "assistant", "content": [{"text": script.text()}]}
    usage = {} if script.tells_usage is False else {"usage": converse_usage(script.counts)}
    document = {"output": {"message": message}, "stopReason": "end_turn", "metrics": {"latencyMs": 5}, **usage}
    return plain(document, {"x-amzn-requestid": asked.response_id})


def converse_stream(script: Script, asked: Asked) -> Answer:
    """A conversation's next message in events; the last one tells the counts."""
    usage = {} if script.tells_usage is False else {"usage": converse_usage(script.counts)}
    deltas = [("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in script.texts()]
    events: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        *deltas,
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"metrics": {"latencyMs": 5}, **usage}),
    ]
    return _streamed(events)


def converse_usage(counts: TokenCounts) -> dict[str, Any]:
    """The usage object of Converse, whose input leaves out both caches."""
    return {
        "inputTokens": counts.input - counts.cache_read - counts.cache_write,
        "outputTokens": counts.output,
        "totalTokens": counts.input + counts.output,
        "cacheReadInputTokens": counts.cache_read,
        "cacheWriteInputTokens": counts.cache_write,
    }


def _streamed(events: Any) -> Answer:
    parts = [event_message(kind, json.dumps(payload).encode()) for kind, payload in events]
    return Answer("application/vnd.amazon.eventstream", parts)


def event_message(kind: str, payload: bytes, more: Mapping[str, str] | None = None) -> bytes:
    """One message of the format: lengths, a checksum, headers, the payload and a checksum."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event", **(more or {})}
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 12 + len(packed) + len(payload) + 4, len(packed))
    checked = prelude + struct.pack(">I", crc32(prelude)) + packed + payload
    return checked + struct.pack(">I", crc32(checked))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(value)) + value.encode()
