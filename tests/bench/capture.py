"""What capturing adds to calls of real clients, whose answers come from memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import openai
from opentelemetry.sdk.trace import TracerProvider

from otel_carbon.capture.patching import Capture, _sync_send, capture
from tests.bench.measuring import line, medians
from tests.support.captured_spans import memory
from tests.support.llm_answers import openai as answers
from tests.support.llm_answers.script import Asked, Script
from tests.support.reachable import texts_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENTS = 500
MESSAGES: Any = [{"role": "user", "content": "x" * 2000}]
URL = "http://llm.test/v1/chat/completions"
ASKED = {"model": "gpt-4o", "stream_options": {"include_usage": True}}
PLAIN = answers.chat(Script(deltas=40), Asked("", "", {}, ASKED, "chatcmpl-0123456789abcdef")).parts[0]
TOLD_SO_FAR = b'"usage": {"prompt_tokens":120,"completion_tokens":7,"total_tokens":127,"prompt_tokens_details":null}'
STREAM = answers.chat(Script(deltas=EVENTS), Asked("", "", {}, {**ASKED, "stream": True}, "chatcmpl-0123456789")).parts


USAGE_IN_EACH = [part.replace(b'"usage": null', TOLD_SO_FAR) for part in STREAM]
"""As some providers stream, who tell in each event what was used so far."""


class _Events(httpx2.SyncByteStream):
    def __init__(self, events: list[bytes]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._events)


def _answer(request: httpx2.Request) -> httpx2.Response:
    if b'"stream":true' in request.content:
        events = _Events(USAGE_IN_EACH if b"in-each" in request.content else STREAM)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=events)
    return httpx2.Response(200, headers={"content-type": "application/json"}, content=PLAIN)


def report_capture() -> None:
    """Report what is added to plain calls, streams and requests that are no LLM's, and what a stream holds."""
    provider = TracerProvider(shutdown_on_exit=False)
    client = httpx2.Client(transport=httpx2.MockTransport(_answer))
    sdk = openai.OpenAI(api_key="none", base_url="http://llm.test/v1", http_client=client)

    def plain() -> None:
        client.post(URL, json={"model": "gpt-4o", "messages": MESSAGES})

    def streamed() -> None:
        for _ in sdk.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
            pass

    def streamed_with_usage() -> None:
        for _ in sdk.chat.completions.create(model="in-each", messages=MESSAGES, stream=True):
            pass

    def span_alone() -> None:
        attributes = dict.fromkeys(("a", "b", "c", "d"), "text") | {"e": 1}
        span = provider.get_tracer("x").start_span("chat gpt-4o", attributes=attributes)
        span.set_attributes(dict.fromkeys(("f", "g", "h", "i", "j"), 1))
        span.end()

    spans = medians(alone=_times(200, span_alone))["alone"]
    taken = medians(without=_off(200, plain), with_capture=_on(provider, 200, plain))
    added = taken["with_capture"] - taken["without"]
    line(
        "capture, added to a plain call (limit: 60 us)", added, added / spans, "a bare SDK span with as many attributes"
    )
    for said, call in (("", streamed), (", each with usage", streamed_with_usage)):
        taken = medians(without=_off(3, call), with_capture=_on(provider, 3, call))
        added = taken["with_capture"] - taken["without"]
        what = f"capture, added to a stream of {EVENTS} events{said} (limit of ratio: 0.02)"
        line(what, added, added / taken["without"], "the client without it")
    _report_others()
    _report_buffer(client)


def _times(count: int, call: Callable[[], object]) -> Callable[[], int]:
    def work() -> int:
        for _ in range(count):
            call()
        return count

    return work


def _off(count: int, call: Callable[[], object]) -> Callable[[], int]:
    def work() -> int:
        capture.switch_off()
        return _times(count, call)()

    return work


def _on(provider: TracerProvider, count: int, call: Callable[[], object]) -> Callable[[], int]:
    def work() -> int:
        capture.switch_on(provider)
        return _times(count, call)()

    return work


def _report_others() -> None:
    """Report what a request that is no LLM's pays, around a `send` that does nothing."""
    request = httpx2.Request("POST", "http://shop.test/api/v1/items/17?expand=all", json={"quantity": 3})
    response = httpx2.Response(200)

    def nothing(_self: object, _request: object, **_options: object) -> Any:
        return response

    quiet = Capture()
    quiet.switch_on(memory().provider)
    ours = _sync_send(quiet, nothing)
    taken = medians(
        without=_times(20_000, lambda: nothing(None, request, stream=False)),
        with_capture=_times(20_000, lambda: ours(None, request, stream=False)),
    )
    quiet.switch_off()
    line("capture, added to a request of no LLM (limit: 3 us)", taken["with_capture"] - taken["without"])


def _report_buffer(client: httpx2.Client) -> None:
    """Report the most bytes that a stream had reading it hold, with 10 MB in one event among others."""
    capture.switch_on(memory().provider)
    huge = json.dumps({"delta": "x" * 10_000_000}).encode()
    body = b"".join(STREAM[:50]) + b"data: " + huge + b"\n\n" + b"".join(STREAM[50:])
    STREAM[:] = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    most = 0
    with client.stream("POST", URL, json={"model": "gpt-4o", "stream": True}) as answer:
        framer = getattr(answer.stream, "_exchange")._framer  # noqa: B009 - of ours, which the type does not know
        for _ in answer.iter_raw():
            most = max(most, sum(map(len, texts_in(framer))))
    capture.switch_off()
    line("capture, most bytes held for a stream (limit: 65,536; bytes)", most)
