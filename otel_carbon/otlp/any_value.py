"""Attribute values between Python and the bytes of OTLP's `AnyValue`."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_carbon.spans.write import AttributeValue

_STRING_TAG = 0x0A
_INT_TAG = 0x18
_DOUBLE_TAG = 0x21
_ONE_BYTE = 0x80
_DOUBLE = struct.Struct("<d")
SPAN_ATTRIBUTE_TAG = b"\x4a"
"""Field 9 of a span, length-delimited."""


def value_from_bytes(raw: bytes) -> object | None:
    """The Python value of an encoded `AnyValue`; `None` for an empty one.

    Short strings and numbers, nearly all values, are read directly; everything else by the generated classes.

    Raises:
        UnicodeDecodeError: a string is not UTF-8.
        google.protobuf.message.DecodeError: the bytes are no `AnyValue`.
    """
    if not raw:
        return None
    size = len(raw)
    tag = raw[0]
    if tag == _STRING_TAG and size > 1 and raw[1] == size - 2 and raw[1] < _ONE_BYTE:
        return raw[2:].decode()
    if tag == _INT_TAG and size > 1:
        if size == 2 and raw[1] < _ONE_BYTE:
            return raw[1]
        if size == 3 and raw[1] >= _ONE_BYTE > raw[2]:
            return (raw[1] & 0x7F) | raw[2] << 7
    if tag == _DOUBLE_TAG and size == 1 + _DOUBLE.size:
        return float(_DOUBLE.unpack_from(raw, 1)[0])
    return value_from_message(AnyValue.FromString(raw))


def value_from_message(message: AnyValue) -> object | None:
    """The Python value of an `AnyValue`: an array is a tuple, a map a tuple of pairs, as both can be compared."""
    which = message.WhichOneof("value")
    if which == "array_value":
        return tuple(value_from_message(item) for item in message.array_value.values)
    if which == "kvlist_value":
        return tuple((pair.key, value_from_message(pair.value)) for pair in message.kvlist_value.values)
    return getattr(message, which) if which else None


class RawAttributes:
    """Attributes as a view on undecoded values: only what is asked for is decoded."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[str, bytes]) -> None:
        self._raw = raw

    def get(self, key: str, /) -> object | None:
        """The attribute's Python value; `None` when it is absent or cannot be decoded."""
        raw = self._raw.get(key)
        return None if raw is None else _value_or_none(raw)

    def keys(self) -> Iterable[str]:
        """The keys of all attributes."""
        return self._raw.keys()

    def pick(self, keys: Sequence[str], /) -> list[Any]:
        """The encoded values of several keys; an empty value says as much as none."""
        raw = self._raw  # asking first whether a key is there halves the time of `get`, as most are not
        return [(raw[key] or None) if key in raw else None for key in keys]

    def decode(self, stored: Any, /) -> object | None:  # noqa: ANN401 - as in the protocol
        """The Python value of an encoded one; `None` when it cannot be decoded."""
        try:
            return _remembered[stored]
        except KeyError:
            return _decoded(stored)

    def decode_all(self, stored: list[Any], /) -> list[object | None]:
        """The Python values of encoded ones; what is decoded already, as members of JSON are, stays as it is."""
        try:
            return [_remembered[each] for each in stored]
        except (KeyError, TypeError):
            return [_decoded(each) if isinstance(each, bytes) else each for each in stored]


def _decoded(stored: bytes | None) -> object | None:
    if stored is None:
        return None
    decoded = _value_or_none(stored)
    if len(stored) <= MAX_REMEMBERED_BYTES:
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
            _remembered[None] = None
        _remembered[stored] = decoded
    return decoded


# Token counts and names recur; looking them up costs a third of decoding them.
MAX_REMEMBERED = 20_000
MAX_REMEMBERED_BYTES = 32
_remembered: dict[bytes | None, object | None] = {None: None}


def _value_or_none(raw: bytes) -> object | None:
    try:
        return value_from_bytes(raw)
    except (DecodeError, UnicodeDecodeError):
        return None


def key_value(key: str, value: AttributeValue) -> KeyValue:
    """An attribute as a message."""
    message = KeyValue(key=key)
    if isinstance(value, str):
        message.value.string_value = value
    elif isinstance(value, int):
        message.value.int_value = value
    elif isinstance(value, float):
        message.value.double_value = value
    else:
        message.value.array_value.values.extend(AnyValue(string_value=text) for text in value)
    return message


def span_attribute_bytes(attributes: Mapping[str, AttributeValue]) -> bytes:
    """Attributes as bytes which, appended to those of a span, add them to it."""
    encoded = (key_value(key, value).SerializeToString() for key, value in attributes.items())
    return b"".join(SPAN_ATTRIBUTE_TAG + varint_bytes(len(body)) + body for body in encoded)


def double_attribute_prefix(key: str) -> bytes:
    """What comes before the eight bytes of a double attribute of a span."""
    body = key_value(key, 1.0).SerializeToString()
    return SPAN_ATTRIBUTE_TAG + varint_bytes(len(body)) + body[: -_DOUBLE.size]


@lru_cache(maxsize=8192)
def varint_bytes(number: int) -> bytes:
    """A non-negative number as a varint."""
    out = bytearray()
    while number >= _ONE_BYTE:
        out.append(number & 0x7F | _ONE_BYTE)
        number >>= 7
    out.append(number)
    return bytes(out)
