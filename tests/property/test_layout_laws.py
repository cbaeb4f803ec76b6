"""Reading by layout changes nothing: whatever is spared the long way comes out as the long way has it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.traces import TracesEnricher
from tests.support.corpus import captures
from tests.unit.otlp.messages import REQUESTS, fresh_enricher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.enricher import Observation

# Drawn requests carry wrong attributes of ours on purpose, which the live check would report.
pytestmark = pytest.mark.plants_wrong_attributes

_ENRICHER = fresh_enricher()
"""Reading leaves nothing behind in it."""
changes = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)


@lru_cache(maxsize=1)
def single_spans() -> tuple[bytes, ...]:
    """Every recorded span as a request of its own."""
    return tuple(dict.fromkeys(one for capture in captures() for body in capture.traces for one in _split(body)))


def _split(body: bytes) -> Iterator[bytes]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                alone = ExportTraceServiceRequest()
                scopes = alone.resource_spans.add(resource=resource.resource).scope_spans
                scopes.add(scope=scope.scope).spans.append(span)
                yield alone.SerializeToString()


def changed(body: bytes, where_to_what: Sequence[tuple[int, int]]) -> bytes:
    """A body with some bytes other than they were."""
    other = bytearray(body)
    for at, byte in where_to_what:
        other[at % len(other)] = byte
    return bytes(other)


def said(reader: TracesEnricher, body: bytes) -> list[object] | None:
    """All that was read of a request; `None` when it is none."""
    try:
        return [_said(each) for each in reader.read(body).observations]
    except MalformedBody:
        return None


def _said(observation: Observation) -> object:
    return (
        observation.reading,
        observation.candidate,
        observation.resource.service,
        observation.is_candidate,
        observation.stands_for,
        observation.ids,
        observation.trace_id,
    )


def assert_same_as_the_long_way(experienced: TracesEnricher, body: bytes) -> None:
    """What a reader that has learned makes of one span is what one that knows nothing makes of it."""
    assert said(experienced, body) == said(TracesEnricher(_ENRICHER), body)


@given(which=st.integers(0, 10_000), variants=st.lists(changes, min_size=1, max_size=6))
@settings(max_examples=500, deadline=None)
def test_a_recorded_span_with_other_bytes_says_what_it_says_the_long_way(
    which: int, variants: list[list[tuple[int, int]]]
) -> None:
    spans = single_spans()
    recorded = spans[which % len(spans)]
    reader = TracesEnricher(_ENRICHER)
    reader.read(recorded)
    for variant in variants:
        assert_same_as_the_long_way(reader, changed(recorded, variant))


def test_no_byte_of_a_recorded_span_can_change_unseen() -> None:
    for recorded in single_spans()[::97]:
        reader = TracesEnricher(_ENRICHER)
        reader.read(recorded)
        for at in range(0, len(recorded), 3):
            for byte in (recorded[at] ^ 1, recorded[at] ^ 0x80):
                assert_same_as_the_long_way(reader, changed(recorded, [(at, byte)]))


@given(bodies=st.lists(REQUESTS, min_size=2, max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_requests_one_after_another_say_what_each_says_alone(bodies: list[bytes]) -> None:
    reader = TracesEnricher(_ENRICHER)
    for body in [*bodies, *bodies]:
        assert said(reader, body) == said(TracesEnricher(_ENRICHER), body)
