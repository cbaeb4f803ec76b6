"""Answers that no API should send: the application gets each byte of them, and the span says why it has no figure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from otel_carbon import CarbonSpanProcessor
from tests.support.captured_spans import capturing
from tests.support.llm_server import Script, running_llm_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.captured_spans import Captured
    from tests.support.llm_server import ScriptedLlmServer

STREAM, JSON = "text/event-stream", "application/json"
CHAT = {"model": "gpt-4o", "messages": []}


def usage(told: object) -> bytes:
    return json.dumps({"id": "r", "model": "gpt-4o", "choices": [], "usage": told}).encode()


BAD = {
    "events without a colon": (STREAM, b"data\n\ndata{}\n\nevent\n\n:\n\n\xff\xfe\n\n"),
    "an event that is cut off": (STREAM, b'data: {"id": "r", "usage": {"prompt_tokens": 12'),
    "events that are no JSON": (STREAM, b'data: {]}\n\ndata: usage _tokens"\n\ndata: [DONE]\n\n'),
    "half a JSON": (JSON, usage({"prompt_tokens": 120, "completion_tokens": 45})[:-9]),
    "no JSON": (JSON, b"<html>usage</html>"),
    "nothing": (JSON, b""),
    "nesting without an end": (JSON, b"[" * 100_000),
    "usage that is a text": (JSON, usage("120 tokens")),
    "usage that is a list": (JSON, usage([120, 45])),
    "counts that are texts": (JSON, usage({"prompt_tokens": "120", "completion_tokens": "45"})),
    "counts that are negative": (JSON, usage({"prompt_tokens": -1, "completion_tokens": 45})),
    "counts that are true": (JSON, usage({"prompt_tokens": True, "completion_tokens": True})),
    "counts beyond any call": (JSON, usage({"prompt_tokens": 10**30, "completion_tokens": 45})),
    "an answer that only looks like OpenAI's": (JSON, b'{"choices": [{"usage": {"prompt_tokens": 9}}], "usage": {}}'),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedLlmServer]:
    with running_llm_server() as running:
        yield running


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capturing() as found:
        found.provider.add_span_processor(CarbonSpanProcessor())
        yield found


@pytest.mark.parametrize("http", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize("what", list(BAD))
def test_a_bad_answer_arrives_as_it_is_and_is_unestimated(
    server: ScriptedLlmServer, captured: Captured, http: Any, what: str
) -> None:
    content_type, body = BAD[what]
    server.script = Script(body=body, content_type=content_type)
    with http.Client() as client:
        whole = client.post(f"{server.url}/v1/chat/completions", json=CHAT).content
        with client.stream("POST", f"{server.url}/v1/chat/completions", json=CHAT) as answer:
            streamed = b"".join(answer.iter_raw())

    assert (whole, streamed) == (body, body)
    assert [(each["otel_carbon.status"], each["otel_carbon.reason"]) for each in captured.attributes()] == [
        ("unestimated", "no_usage")
    ] * 2


class _Broken(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise OSError(request.method)


def test_a_transport_that_raises_raises_into_the_application_and_nowhere_else(captured: Captured) -> None:
    with httpx.Client(transport=_Broken()) as client, pytest.raises(OSError, match=r"^POST$"):
        client.post("http://llm.test/v1/chat/completions", json=CHAT)

    told = captured.only()
    assert (told["otel_carbon.status"], told["otel_carbon.reason"]) == ("unestimated", "failed_no_usage")
    assert told["error.type"] == "OSError"
