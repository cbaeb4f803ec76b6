from __future__ import annotations

import base64
import json

import pytest

from otel_carbon.capture.wire import event_stream
from otel_carbon.capture.wire.event_stream import EventStreamFramer
from otel_carbon.capture.wire.json_tree import Picked, tree_of
from tests.support.llm_answers.bedrock import event_message

TREE = tree_of("id", "usage")
METADATA = event_message("metadata", b'{"usage": {"inputTokens": 7}, "metrics": {}}')
DELTA = event_message("contentBlockDelta", b'{"delta": {"text": "hello"}}')


def fed(body: bytes, size: int) -> list[Picked]:
    framer = EventStreamFramer(TREE)
    return [each for at in range(0, len(body), size) for each in framer.feed(body[at : at + size])]


@pytest.mark.parametrize("size", [1, 5, 12, 13, 10_000])
def test_usage_is_found_wherever_the_body_is_cut(size: int) -> None:
    assert fed(DELTA + METADATA + DELTA + METADATA, size) == [{"usage": {"inputTokens": 7}}] * 2


def test_what_invoke_model_wraps_is_unwrapped() -> None:
    inner = base64.b64encode(b'{"id": "r", "usage": {"input_tokens": 7}}').decode()
    wrapped = event_message("chunk", json.dumps({"bytes": inner, "p": "abcdef"}).encode())
    assert fed(wrapped, 7) == [{"id": "r", "usage": {"input_tokens": 7}}]


@pytest.mark.parametrize("payload", [b"", b'{"bytes": 7}', b'{"bytes": "%%%"}', b'{"bytes"', b"\xff", b"[]"])
def test_a_payload_that_is_none_tells_nothing_and_spoils_nothing(payload: bytes) -> None:
    assert fed(event_message("chunk", payload) + METADATA, 11) == [{"usage": {"inputTokens": 7}}]


def test_a_message_that_is_too_long_is_passed_over_without_being_kept() -> None:
    long = event_message("chunk", b'{"delta": "' + b"x" * 10_000_000 + b'"}')
    framer = EventStreamFramer(TREE)
    for at in range(0, len(long), 65_536):
        framer.feed(long[at : at + 65_536])
        assert len(framer._buffer) <= event_stream.MAX_MESSAGE_BYTES
    assert framer.feed(METADATA) == [{"usage": {"inputTokens": 7}}]


@pytest.mark.parametrize(
    "body", [b"\0" * 64, b'{"message": "no stream at all, but a JSON error"}' * 9, b"\0\0\0\x10" + b"\xff" * 99]
)
def test_what_is_no_event_stream_is_read_no_further(body: bytes) -> None:
    for size in (1, 10_000):
        assert fed(body + METADATA, size) == []


def test_half_a_message_tells_nothing() -> None:
    framer = EventStreamFramer(TREE)
    assert [framer.feed(METADATA[:-1]), framer.close()] == [[], ()]
