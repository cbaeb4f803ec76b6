"""Whatever arrives on the wire: either it is refused as malformed, or nothing but attributes of ours is added."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from google.protobuf.message import DecodeError

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.splice import find_spans
from otel_carbon.otlp.traces import TracesEnricher
from tests.support.corpus import captures
from tests.unit.otlp.messages import canonical, field, fresh_enricher, inference_span, request_of, varint, without_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

# Damaged bodies may carry damaged attributes of ours, which the live check would report.
pytestmark = pytest.mark.plants_wrong_attributes

RECORDED = [body for capture in captures() for body in capture.traces]
SMALL = [body for body in RECORDED if len(body) < 60_000]
MUTATIONS = 6_000
SEED = 20261123


def contents(body: bytes) -> Iterator[bytes]:
    for resource in find_spans(body):
        for scope in resource.scopes:
            for _, start, end in scope.spans:
                yield body[start:end]


def assert_refused_or_only_added_to(body: bytes, enrich: TracesEnricher) -> bool:
    """Whether it was taken; everything but `MalformedBody` is a failure."""
    try:
        out = enrich(body)
    except MalformedBody:
        return False
    for before, after in zip(contents(body), contents(out), strict=True):
        assert after.startswith(before)
    try:
        expected = without_ours(body)
    except DecodeError:
        return True  # what the official classes do not take cannot be compared by them
    assert without_ours(out) == expected
    return True


def mutated(body: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged))
        how = chance.randrange(5)
        if how == 0:
            damaged[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            damaged[at] = chance.randrange(256)
        elif how == 2:
            del damaged[at : at + chance.randint(1, 8)]
        elif how == 3:
            damaged[at:at] = chance.randbytes(chance.randint(1, 8))
        else:
            other = chance.randrange(len(damaged))
            damaged[at : at + 16] = damaged[other : other + 16]
        damaged = damaged or bytearray(b"\x00")
    return bytes(damaged)


def test_random_damage_never_does_harm() -> None:
    chance = random.Random(SEED)
    enrich = TracesEnricher(fresh_enricher())
    pieces = [request_of(inference_span(number)).SerializeToString() for number in (1, 2)]
    bodies = [*pieces * 40, *sorted(SMALL, key=len)[:20]]
    taken = sum(
        assert_refused_or_only_added_to(mutated(chance.choice(bodies), chance), enrich) for _ in range(MUTATIONS)
    )
    assert MUTATIONS / 10 < taken < MUTATIONS * 9 / 10  # both outcomes were tried


@pytest.mark.parametrize("full", [False, True], ids=["core", "full"])
def test_a_body_cut_short_anywhere_is_refused_or_whole_in_itself(*, full: bool) -> None:
    enrich = TracesEnricher(fresh_enricher(full=full))
    one = request_of(inference_span()).SerializeToString()
    both = one + request_of(inference_span(2)).SerializeToString()
    taken = [size for size in range(len(both) + 1) if assert_refused_or_only_added_to(both[:size], enrich)]
    assert taken == [0, len(one), len(both)]


def test_recordings_cut_short_are_refused_unless_a_field_ends_there() -> None:
    enrich = TracesEnricher(fresh_enricher())
    body = min(RECORDED, key=len)
    for size in range(len(body)):
        try:
            canonical(body[:size])
        except DecodeError:
            with pytest.raises(MalformedBody):
                enrich(body[:size])
        else:
            assert_refused_or_only_added_to(body[:size], enrich)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x0b\x0c", id="group"),
        pytest.param(b"\x0b" * 100_000, id="100,000 groups in one another"),
        pytest.param(b"\x0e\x00", id="wire type 6"),
        pytest.param(b"\x0f\x00", id="wire type 7"),
        pytest.param(b"\x02\x00", id="field 0"),
        pytest.param(b"\x00\x00", id="field 0 as a varint"),
        pytest.param(b"\x0a", id="no length"),
        pytest.param(b"\x0a\x05abc", id="length beyond the end"),
        pytest.param(b"\x0a" + varint(2**64 - 1), id="length of 2^64 - 1"),
        pytest.param(b"\x0a" + b"\xff" * 9 + b"\x7f", id="length over 64 bits"),
        pytest.param(b"\x0a" + b"\xff" * 100, id="length without an end"),
        pytest.param(b"\xff" * 100, id="tag without an end"),
        pytest.param(b"\x80" * 9, id="tag cut short"),
        pytest.param(b"\x18" + b"\x80" * 11 + b"\x00", id="varint of 12 bytes"),
        pytest.param(b"\x19\x00\x00\x00", id="fixed64 cut short"),
        pytest.param(b"\x1d\x00", id="fixed32 cut short"),
        pytest.param(field(1, b"\x12\x7f"), id="scope longer than its resource"),
        pytest.param(field(1, field(2, b"\x12\x7f")), id="span longer than its scope"),
        pytest.param(field(1, field(2, b"\x12\x02")) + b"\x00\x00", id="span that borrows bytes after its scope"),
        pytest.param(b"not traces at all", id="text"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody, match="not an OTLP traces request"):
        TracesEnricher(fresh_enricher())(body)


def test_deep_nesting_costs_nothing_as_no_level_is_entered() -> None:
    bomb = b""
    for _ in range(2_000):
        bomb = field(5, field(1, field(2, bomb)))  # an array in a value in an array
    deep = field(9, field(1, b"gen_ai.request.model") + field(2, bomb))
    span = inference_span().SerializeToString()
    body = field(1, field(2, field(2, span + deep) + field(2, span)))
    assert assert_refused_or_only_added_to(body, TracesEnricher(fresh_enricher()))
    assert b"otel_carbon.status" in TracesEnricher(fresh_enricher())(body)


def test_a_million_empty_fields_are_walked_once() -> None:
    body = field(1, field(2, b"\x12\x00" * 100_000)) + b"\x0a\x00" * 100_000
    assert TracesEnricher(fresh_enricher())(body) == body
