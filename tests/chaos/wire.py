"""Protobuf on the wire: just enough to find fields, change them and put them back."""

from __future__ import annotations

from dataclasses import dataclass

VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = range(6)
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT_BYTES = 10
_DEEPEST_GROUP = 100


class NotWire(Exception):
    """The bytes are no sequence of fields."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field begins, where its value begins, where it ends; offsets in bytes."""

    number: int
    wire_type: int
    start: int
    value_start: int
    end: int


def varint(number: int) -> bytes:
    """Encode a number that is not negative."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def field(number: int, value: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | LENGTH) + varint(len(value)) + value


def split(body: bytes) -> list[Field]:
    """Find the fields of a message.

    Raises:
        NotWire: it has a field that does not end, or of a wire type that there is not.
    """
    fields = []
    at = 0
    while at < len(body):
        tag, value_at = _read_varint(body, at)
        value_at, end = _value(body, tag, value_at, 0)
        if end > len(body):
            raise NotWire(f"field at {at} ends at {end}, the message at {len(body)}")
        fields.append(Field(tag >> 3, tag & 7, at, value_at, end))
        at = end
    return fields


def _value(body: bytes, tag: int, at: int, depth: int) -> tuple[int, int]:
    """Where the value behind a tag begins and ends."""
    wire_type = tag & 7
    if wire_type == LENGTH:
        size, at = _read_varint(body, at)
        return at, at + size
    if wire_type == VARINT:
        return at, _read_varint(body, at)[1]
    if wire_type in _FIXED_BYTES:
        return at, at + _FIXED_BYTES[wire_type]
    if wire_type == START_GROUP and depth < _DEEPEST_GROUP:
        return at, _group_end(body, tag >> 3, at, depth)
    raise NotWire(f"wire type {wire_type} at {at}")


def _group_end(body: bytes, number: int, at: int, depth: int) -> int:
    while True:
        tag, value_at = _read_varint(body, at)
        if tag == number << 3 | END_GROUP:
            return value_at
        at = _value(body, tag, value_at, depth + 1)[1]


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(_LONGEST_VARINT_BYTES):
        if at >= len(body):
            break
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, at
    raise NotWire(f"varint that does not end at {at}")
