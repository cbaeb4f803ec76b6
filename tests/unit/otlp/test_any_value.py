from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_carbon.otlp.any_value import (
    RawAttributes,
    double_attribute_prefix,
    key_value,
    span_attribute_bytes,
    value_from_bytes,
    value_from_message,
    varint_bytes,
)
from tests.unit.otlp.messages import ANY_VALUES, varint

if TYPE_CHECKING:
    from otel_carbon.spans.write import AttributeValue

WRITTEN: st.SearchStrategy[AttributeValue] = st.one_of(
    st.text(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.lists(st.text(), max_size=4).map(tuple)
)


@given(value=ANY_VALUES)
@settings(max_examples=200, deadline=None)
def test_a_value_reads_the_same_from_bytes_as_from_its_message(value: AnyValue) -> None:
    assert repr(value_from_bytes(value.SerializeToString())) == repr(value_from_message(value))  # nan equals nan here


@given(written=WRITTEN)
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read_back(written: AttributeValue) -> None:
    pair = KeyValue.FromString(key_value("k", written).SerializeToString())
    assert pair.key == "k"
    assert value_from_bytes(pair.value.SerializeToString()) == written


@given(attributes=st.dictionaries(st.text(max_size=200), WRITTEN, max_size=5))
@settings(max_examples=100, deadline=None)
def test_bytes_appended_to_a_span_add_the_attributes_in_order(attributes: dict[str, AttributeValue]) -> None:
    before = Span(name="n", attributes=[KeyValue(key="a", value=AnyValue(bool_value=True))])
    after = Span.FromString(before.SerializeToString() + span_attribute_bytes(attributes))
    assert [(pair.key, value_from_message(pair.value)) for pair in after.attributes] == [
        ("a", True),
        *attributes.items(),
    ]


def test_arrays_and_maps_become_tuples_which_can_be_compared_and_hashed() -> None:
    inner = KeyValueList(values=[KeyValue(key="k", value=AnyValue(int_value=1)), KeyValue(key="e")])
    array = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a"), AnyValue(kvlist_value=inner)]))
    assert value_from_message(array) == ("a", (("k", 1), ("e", None)))
    assert hash(value_from_message(array)) == hash(("a", (("k", 1), ("e", None))))


@pytest.mark.parametrize(
    "number", [0, 1, 127, 128, 255, 16_383, 16_384, 2**31 - 1, 2**32, 2**63 - 1, -1, -(2**63)], ids=str
)
def test_integers_of_every_length_are_read(number: int) -> None:
    assert value_from_bytes(AnyValue(int_value=number).SerializeToString()) == number


@pytest.mark.parametrize("padding", range(9))
def test_integers_spelled_longer_than_needed_are_read(padding: int) -> None:
    assert value_from_bytes(b"\x18" + varint(5, padding)) == 5


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 129, 16_383, 100_000])
def test_texts_of_every_length_are_read(size: int) -> None:
    assert value_from_bytes(AnyValue(string_value="y" * size).SerializeToString()) == "y" * size


@pytest.mark.parametrize("number", [0.0, -0.0, 1e-320, 1.5, math.inf, -math.inf])
def test_doubles_are_read_to_the_bit(number: float) -> None:
    assert repr(value_from_bytes(AnyValue(double_value=number).SerializeToString())) == repr(number)


def test_of_two_values_in_one_the_last_is_read() -> None:
    both = AnyValue(string_value="a").SerializeToString() + AnyValue(int_value=5).SerializeToString()
    assert value_from_bytes(both) == 5


def test_an_empty_value_is_as_good_as_none() -> None:
    attributes = RawAttributes({"empty": b"", "text": AnyValue(string_value="a").SerializeToString()})
    assert attributes.get("empty") is None
    assert attributes.pick(["empty", "absent"]) == [None, None]
    assert [attributes.decode(stored) for stored in attributes.pick(["text", "absent"])] == ["a", None]


@pytest.mark.parametrize("damaged", [b"\x0a\x05ab", b"\x0a\x02\xff\xfe", b"\x18", b"\x21\x00", b"\xff", b"\x0b"])
def test_a_damaged_value_is_as_good_as_none(damaged: bytes) -> None:
    attributes = RawAttributes({"k": damaged})
    assert attributes.get("k") is None
    assert attributes.decode(damaged) is None
    assert attributes.decode(damaged) is None  # remembered


def test_remembering_values_is_bounded_and_changes_none_of_them() -> None:
    attributes = RawAttributes({})
    for number in range(50_000):
        assert attributes.decode(AnyValue(int_value=number).SerializeToString()) == number


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32, 2**63])
def test_varints_are_minimal(number: int) -> None:
    assert varint_bytes(number) == varint(number)


def test_the_prefix_of_a_double_attribute_fits_any_key() -> None:
    for key in ("k", "k" * 100, "k" * 200):
        whole = span_attribute_bytes({key: 2.5})
        assert whole.startswith(double_attribute_prefix(key))
        assert len(whole) == len(double_attribute_prefix(key)) + 8
