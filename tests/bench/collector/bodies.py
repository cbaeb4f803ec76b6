"""The requests of a run, made before any clock starts: no two spans, traces or responses among them have one id."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.load import traces_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TEMPLATES = 8
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_RESPONSE_ID = re.compile(rb"chatcmpl-(?=[0-9a-f]{24})")
_RESPONSE_ID_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent in one turn.

    Attributes:
        spans_per_request: how many spans each request holds.
        genai_share: the part of them that are GenAI spans, between 0 and 1.
        requests: serialized requests.
    """

    spans_per_request: int
    genai_share: float
    requests: list[bytes]

    @property
    def spans(self) -> int:
        """How many spans there are in all."""
        return self.spans_per_request * len(self.requests)

    @property
    def genai_spans(self) -> int:
        """How many of them are GenAI spans."""
        return self.genai_spans_per_request * len(self.requests)

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
    return Load(spans_per_request, genai_share, [made[number % len(made)] for number in range(requests)])


def _requests(count: int, spans_per_request: int, genai_share: float) -> Iterator[bytes]:
    """Copies of a few requests with other ids in place: to build each span anew would take minutes."""
    templates = [
        _Template(traces_request(spans_per_request, genai_share, seed))
        for seed in random.Random().sample(range(100_000), min(_TEMPLATES, count))
    ]
    source = np.random.default_rng()
    for number in range(count):
        yield templates[number % len(templates)].with_new_ids(source)


class _Template:
    """A serialized request, and where in it the ids stand."""

    def __init__(self, body: bytes) -> None:
        self._body = np.frombuffer(body, dtype=np.uint8)
        self._random_bytes = _spread(_id_places(body))
        responses = [found.end() for found in _RESPONSE_ID.finditer(body)]
        self._hex_digits = _spread([(start, _RESPONSE_ID_DIGITS) for start in responses])

    def with_new_ids(self, source: np.random.Generator) -> bytes:
        copy = self._body.copy()
        copy[self._random_bytes] = source.integers(0, 256, len(self._random_bytes), dtype=np.uint8)
        copy[self._hex_digits] = _HEX[source.integers(0, 16, len(self._hex_digits), dtype=np.uint8)]
        return copy.tobytes()


def _id_places(body: bytes) -> Iterator[tuple[int, int]]:
    """Start and length of every trace id, span id and parent id."""
    place = 0
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                for each in (span.trace_id, span.span_id, span.parent_span_id):
                    place = body.index(each, place)
                    yield place, len(each)


def _spread(places: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> NDArray[np.intp]:
    return np.array([at for start, length in places for at in range(start, start + length)], dtype=np.intp)
