"""The requests of a run, made before any clock starts: no two spans, traces or responses among them have one id.

Times and token counts differ too, so that calls are not taken for one another by their shape.
"""

from __future__ import annotations

import random
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.load import START_NS, traces_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

_TEMPLATES = 8
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_RESPONSE_ID = re.compile(rb"chatcmpl-(?=[0-9a-f]{24})")
_RESPONSE_ID_DIGITS = 24
_TOKENS_OF_TWO_BYTES = re.compile(rb"gen_ai\.usage\.(?:input|output)_tokens\x12\x03\x18")
"""A count of tokens from 128 on: the key, and an integer that takes two bytes on the wire."""
_TOKENS = (600, 2000)
_SPACING_NS = 50_000
_LONGEST_NS = 10**9


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent in one turn.

    Attributes:
        spans_per_request: how many spans each request holds.
        genai_share: the part of them that are GenAI spans, between 0 and 1.
        requests: serialized requests.
        distinct_requests: how many different ones there are among them.
    """

    spans_per_request: int
    genai_share: float
    requests: list[bytes]
    distinct_requests: int

    @property
    def spans(self) -> int:
        """How many spans there are in all."""
        return self.spans_per_request * len(self.requests)

    @property
    def genai_spans(self) -> int:
        """How many of them are GenAI spans."""
        return self.genai_spans_per_request * len(self.requests)

    @property
    def calls(self) -> int:
        """How many calls they tell of; a request that comes again tells of none."""
        return self.genai_spans_per_request * self.distinct_requests

    @property
    def genai_spans_per_request(self) -> int:
        """GenAI spans of one request; a part of one counts as one, as in `traces_request`."""
        return sum(number < self.spans_per_request * self.genai_share for number in range(self.spans_per_request))


def make_load(spans: int, spans_per_request: int, genai_share: float, *, distinct: int | None = None) -> Load:
    """About `spans` spans in requests of one size.

    Args:
        spans: how many at least.
        spans_per_request: how many in each request.
        genai_share: the part of GenAI spans, between 0 and 1.
        distinct: how many different requests there are, sent in turn; None makes all of them different.
    """
    requests = -(-spans // spans_per_request)
    made = list(_requests(min(requests, distinct or requests), spans_per_request, genai_share))
    sent = [made[number % len(made)] for number in range(requests)]
    return Load(spans_per_request, genai_share, sent, len(made))


def _requests(count: int, spans_per_request: int, genai_share: float) -> Iterator[bytes]:
    """Copies of a few requests with all that tells calls apart written anew: to build each span would take minutes."""
    templates = [
        _Template(traces_request(spans_per_request, genai_share, seed))
        for seed in random.Random().sample(range(100_000), min(_TEMPLATES, count))
    ]
    source = np.random.default_rng()
    for number in range(count):
        start_ns = START_NS + number * spans_per_request * _SPACING_NS
        yield templates[number % len(templates)].written_anew(source, start_ns)


class _Template:
    """A serialized request, and where in it the ids, times and token counts stand."""

    def __init__(self, body: bytes) -> None:
        self._body = np.frombuffer(body, dtype=np.uint8)
        ids: list[tuple[int, int]] = []
        times: list[tuple[int, int]] = []
        place = 0
        for span in _spans(body):
            for each in (span.trace_id, span.span_id, span.parent_span_id):
                place = body.index(each, place)
                ids.append((place, len(each)))
            for tag, time_ns in ((b"\x39", span.start_time_unix_nano), (b"\x41", span.end_time_unix_nano)):
                place = body.index(tag + struct.pack("<Q", time_ns), place) + 1
                times.append((place, 8))
        self._ids = _spread(ids)
        self._times = _spread(times)
        self._hex_digits = _spread([(found.end(), _RESPONSE_ID_DIGITS) for found in _RESPONSE_ID.finditer(body)])
        self._tokens = np.array([found.end() for found in _TOKENS_OF_TWO_BYTES.finditer(body)], dtype=np.intp)

    def written_anew(self, source: np.random.Generator, start_ns: int) -> bytes:
        copy = self._body.copy()
        copy[self._ids] = source.integers(0, 256, len(self._ids), dtype=np.uint8)
        copy[self._hex_digits] = _HEX[source.integers(0, 16, len(self._hex_digits), dtype=np.uint8)]
        tokens = source.integers(*_TOKENS, len(self._tokens))
        copy[self._tokens], copy[self._tokens + 1] = tokens & 0x7F | 0x80, tokens >> 7
        spans = len(self._times) // 16
        starts_ns = start_ns + np.arange(spans) * _SPACING_NS
        ends_ns = starts_ns + source.integers(0, _LONGEST_NS, spans)
        copy[self._times] = np.column_stack((starts_ns, ends_ns)).astype("<u8").reshape(-1).view(np.uint8)
        return copy.tobytes()


def _spans(body: bytes) -> Iterator[Span]:
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _spread(places: list[tuple[int, int]]) -> NDArray[np.intp]:
    return np.array([at for start, length in places for at in range(start, start + length)], dtype=np.intp)
