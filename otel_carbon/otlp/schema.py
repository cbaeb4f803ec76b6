"""The parts of OTLP that we read, declared so that the C decoder does no more than we need.

An attribute (`KeyValue`) has the wire form of a map entry, so attributes can be declared as a map with raw values:
a read is then a hash look-up in C, and only the values asked for are decoded.
Messages of this schema are views to read; they are never serialised, as they would drop duplicate keys.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "otel_carbon.lazy"


class LazySpan(Protocol):
    """A span with undecoded attribute values."""

    trace_id: bytes
    span_id: bytes
    trace_state: bytes
    parent_span_id: bytes
    kind: int
    start_time_unix_nano: int
    end_time_unix_nano: int
    attributes: Mapping[str, bytes]
    status: LazyStatus

    @classmethod
    def FromString(cls, body: bytes) -> LazySpan:  # noqa: N802 - protobuf's name
        """Decode; raises `DecodeError`."""


class LazyPair(Protocol):
    """An attribute with an undecoded key and value."""

    key: bytes
    value: bytes


class LazyStatus(Protocol):
    """A span's status."""

    code: int


class LazyResource(Protocol):
    """A resource with undecoded attribute values."""

    attributes: Mapping[str, bytes]

    @classmethod
    def FromString(cls, body: bytes) -> LazyResource:  # noqa: N802 - protobuf's name
        """Decode; raises `DecodeError`."""


class LazyScope(Protocol):
    """An instrumentation scope."""

    name: str
    version: str

    @classmethod
    def FromString(cls, body: bytes) -> LazyScope:  # noqa: N802 - protobuf's name
        """Decode; raises `DecodeError`."""


class LazySchema(NamedTuple):
    """The message classes; `lenient_span` takes attribute keys that are not UTF-8, as a list of pairs."""

    span: type[LazySpan]
    lenient_span: type[LazySpan]
    resource: type[LazyResource]
    scope: type[LazyScope]


@lru_cache(maxsize=1)
def lazy_schema() -> LazySchema:
    """Build the message classes, once."""
    file = descriptor_pb2.FileDescriptorProto(name="otel_carbon/lazy.proto", package=_PACKAGE, syntax="proto3")
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=3, type=_FIELD.TYPE_INT32, label=_FIELD.LABEL_OPTIONAL)
    for name in ("Span", "LenientSpan"):
        _add_span_fields(file.message_type.add(name=name))
    _add_attributes(file.message_type[1], 9)
    pair = file.message_type.add(name="Pair")
    pair.field.add(name="key", number=1, type=_FIELD.TYPE_BYTES, label=_FIELD.LABEL_OPTIONAL)
    pair.field.add(name="value", number=2, type=_FIELD.TYPE_BYTES, label=_FIELD.LABEL_OPTIONAL)
    _add_message(file.message_type[2], "attributes", 9, "Pair", _FIELD.LABEL_REPEATED)
    _add_attributes(file.message_type.add(name="Resource"), 1)
    scope = file.message_type.add(name="Scope")
    for number, name in enumerate(("name", "version"), start=1):
        scope.field.add(name=name, number=number, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in ("Span", "LenientSpan", "Resource", "Scope")
    ]
    return LazySchema(*classes)  # type: ignore[arg-type]  # made from the descriptors above


def _add_span_fields(span: descriptor_pb2.DescriptorProto) -> None:
    for name, number, kind in (
        ("trace_id", 1, _FIELD.TYPE_BYTES),
        ("span_id", 2, _FIELD.TYPE_BYTES),
        ("trace_state", 3, _FIELD.TYPE_BYTES),  # a string, but none whose encoding may make a span unreadable
        ("parent_span_id", 4, _FIELD.TYPE_BYTES),
        ("kind", 6, _FIELD.TYPE_INT32),
        ("start_time_unix_nano", 7, _FIELD.TYPE_FIXED64),
        ("end_time_unix_nano", 8, _FIELD.TYPE_FIXED64),
    ):
        span.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
    _add_message(span, "status", 15, "Status", _FIELD.LABEL_OPTIONAL)


def _add_message(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    kind: str,
    label: descriptor_pb2.FieldDescriptorProto.Label.ValueType,
) -> None:
    type_name = f".{_PACKAGE}.{kind}"
    message.field.add(name=name, number=number, type=_FIELD.TYPE_MESSAGE, label=label, type_name=type_name)


def _add_attributes(message: descriptor_pb2.DescriptorProto, number: int) -> None:
    entry = message.nested_type.add(name="AttributesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=_FIELD.TYPE_BYTES, label=_FIELD.LABEL_OPTIONAL)
    message.field.add(
        name="attributes",
        number=number,
        type=_FIELD.TYPE_MESSAGE,
        label=_FIELD.LABEL_REPEATED,
        type_name=f".{_PACKAGE}.{message.name}.AttributesEntry",
    )
