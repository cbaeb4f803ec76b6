"""Calls of several services, sent to collectors as their SDKs would, a few each half a second."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.otlp.messages import inference_span, request_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROTOBUF = {"content-type": "application/x-protobuf"}
TOKENS = 800 + 300
"""Tokens of each call."""
_PAUSE_S = 0.5
_TIMEOUT_S = 10.0
_USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
_numbers = count(1)


class Calls(NamedTuple):
    """Calls of one service, one of each model."""

    service: str
    models: tuple[str, ...]
    has_usage: bool = True


def request_for(*all_calls: Calls, repeat: int = 1) -> bytes:
    """One request with all calls, each a new one."""
    request = ExportTraceServiceRequest()
    for calls in all_calls:
        spans = [inference_span(next(_numbers), model) for model in calls.models * repeat]
        for span in spans if not calls.has_usage else ():
            kept = [each for each in span.attributes if each.key not in _USAGE]
            del span.attributes[:]
            span.attributes.extend(kept)
        request.MergeFrom(request_of(*spans, service=calls.service))
    return request.SerializeToString()


def send(url: str, body: bytes) -> int:
    """Send a request once; the status that it is answered with."""
    return httpx.post(url, content=body, headers=PROTOBUF, timeout=_TIMEOUT_S).status_code


class Traffic(threading.Thread):
    """Sends a request to each address, over and over, and does not repeat what is refused."""

    def __init__(self, calls: dict[str, tuple[Calls, ...]]) -> None:
        super().__init__(daemon=True)
        self.calls = calls
        """What is called, by the address it is told to; may be changed while it runs."""
        self._enough = threading.Event()

    def __enter__(self) -> Traffic:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._enough.set()
        self.join()

    def run(self) -> None:
        while not self._enough.wait(_PAUSE_S):
            for url, calls in _now(self.calls.items()):
                try:
                    send(url, request_for(*calls))
                except httpx.HTTPError:
                    continue  # a collector that is started anew


def _now(items: Iterable[tuple[str, tuple[Calls, ...]]]) -> Iterator[tuple[str, tuple[Calls, ...]]]:
    return iter([item for item in items if item[1]])
