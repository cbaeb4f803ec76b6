"""Messages of OTLP as JSON text, written straight from their fields.

Protobuf's own way by dictionaries takes five times as long; tests hold the two against each other.
"""

from __future__ import annotations

import base64
import math
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from otel_carbon.otlp.any_value import value_from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

_ID_NAMES = frozenset({"traceId", "spanId", "parentSpanId"})
_KEY_TAG, _VALUE_TAG = 0x0A, 0x12
_TEXT_TAG, _TRUTH_TAG, _INTEGER_TAG, _NUMBER_TAG = 0x0A, 0x10, 0x18, 0x21
_PLAIN_SIZES: Mapping[int, tuple[int, ...]] = {_TRUTH_TAG: (2,), _INTEGER_TAG: (2, 3), _NUMBER_TAG: (9,)}
"""Lengths in bytes, with its tag, of a value that is nothing else; an integer that takes more is left to protobuf."""
_ONE_BYTE = 0x80
MAX_REMEMBERED = 4096
MAX_REMEMBERED_BYTES = 96
"""Of an attribute whose JSON is remembered: all that is remembered takes some 2 MB."""
_remembered: dict[bytes, str] = {}


@lru_cache(maxsize=64)
def message_writer(message: Descriptor) -> Callable[[Message], str]:
    """What writes messages of one kind; fields of type `repeated bytes` are taken for attributes.

    What is written raises `DecodeError` and `UnicodeDecodeError` where an attribute is none.
    """
    fields: dict[FieldDescriptor, Callable[[Any], str]] = {}

    def write(written: Message) -> str:
        if not fields:  # only now, as messages may hold their own kind
            fields.update({field: _field_writer(field) for field in message.fields})
        return "{" + ",".join([fields[field](value) for field, value in written.ListFields()]) + "}"

    return write


def _field_writer(field: FieldDescriptor) -> Callable[[Any], str]:
    prefix = f"{quoted(field.json_name)}:"
    if field.is_repeated and field.type == FieldDescriptor.TYPE_BYTES:
        return lambda attributes: f"{prefix}[{','.join(_attributes(attributes))}]"
    write = _message_or_scalar_writer(field)
    if field.is_repeated:
        return lambda values: f"{prefix}[{','.join([write(value) for value in values])}]"
    return lambda value: prefix + write(value)


def _message_or_scalar_writer(field: FieldDescriptor) -> Callable[[Any], str]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return message_writer(field.message_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _hex if field.json_name in _ID_NAMES else _base64
    return _SCALAR_WRITERS.get(field.type, str)


def _hex(identity: bytes) -> str:
    return f'"{identity.hex()}"'


def _base64(raw: bytes) -> str:
    return f'"{base64.b64encode(raw).decode()}"'


def _long(integer: int) -> str:
    return f'"{integer}"'


def _truth(truth: object) -> str:
    return "true" if truth else "false"


def _number(number: float) -> str:
    if math.isfinite(number):
        return repr(number)
    return '"NaN"' if math.isnan(number) else '"Infinity"' if number > 0 else '"-Infinity"'


_SCALAR_WRITERS: Mapping[int, Callable[[Any], str]] = {
    FieldDescriptor.TYPE_STRING: quoted,
    FieldDescriptor.TYPE_BOOL: _truth,
    FieldDescriptor.TYPE_DOUBLE: _number,
    FieldDescriptor.TYPE_FLOAT: _number,
    **dict.fromkeys((FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT64), _long),
    **dict.fromkeys((FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64), _long),
}
"""Shorter integers and enums are written as numbers."""


def _attributes(attributes: Sequence[bytes]) -> list[str]:
    remembered, texts = _remembered, []
    for raw in attributes:
        text = remembered.get(raw)
        if text is None:
            text = _attribute(raw)
            if len(raw) <= MAX_REMEMBERED_BYTES:
                if len(remembered) >= MAX_REMEMBERED:
                    remembered.clear()
                remembered[raw] = text
        texts.append(text)
    return texts


def _attribute(raw: bytes) -> str:
    return _plain_attribute(raw) or message_writer(KeyValue.DESCRIPTOR)(KeyValue.FromString(raw))


def _plain_attribute(raw: bytes) -> str | None:
    """A short attribute in the form in which everybody writes it, which takes half the time; None for any other."""
    try:
        key_end = 2 + raw[1]
        begin = key_end + 2
        if raw[0] != _KEY_TAG or raw[1] >= _ONE_BYTE or raw[key_end] != _VALUE_TAG or raw[key_end + 1] >= _ONE_BYTE:
            return None
        value_bytes = len(raw) - begin
        if raw[key_end + 1] != value_bytes or not _is_plain(raw[begin], raw[begin + 1], value_bytes):
            return None
    except IndexError:
        return None
    value = value_from_bytes(raw[begin:])
    if isinstance(value, str):
        text = f'"stringValue":{quoted(value)}'
    elif isinstance(value, bool):
        text = f'"boolValue":{_truth(value)}'
    elif isinstance(value, int):
        text = f'"intValue":"{value}"'
    elif isinstance(value, float):
        text = f'"doubleValue":{_number(value)}'
    else:
        return None
    return f'{{"key":{quoted(raw[2:key_end].decode())},"value":{{{text}}}}}'


def _is_plain(tag: int, second: int, value_bytes: int) -> bool:
    """Whether a value has one field, by its first two bytes and its length."""
    return second == value_bytes - 2 if tag == _TEXT_TAG else value_bytes in _PLAIN_SIZES.get(tag, ())
