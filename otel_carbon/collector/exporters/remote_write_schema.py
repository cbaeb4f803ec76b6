"""The messages of Prometheus remote write 1.0, declared at run time as far as counters and gauges need them."""

from __future__ import annotations

from functools import cache
from typing import Protocol, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "prometheus"
_FIELD = descriptor_pb2.FieldDescriptorProto
_STRING, _DOUBLE, _INT64, _INT32 = _FIELD.TYPE_STRING, _FIELD.TYPE_DOUBLE, _FIELD.TYPE_INT64, _FIELD.TYPE_INT32
COUNTER_TYPE = 1
GAUGE_TYPE = 2
HISTOGRAM_TYPE = 3
UNKNOWN_TYPE = 0


class _Repeated(Protocol):
    def add(self, **fields: object) -> WriteRequest: ...


class WriteRequest(Protocol):
    """A request, or a message inside of it; protobuf makes the real classes."""

    timeseries: _Repeated
    metadata: _Repeated
    labels: _Repeated
    samples: _Repeated

    def SerializeToString(self) -> bytes: ...  # noqa: D102, N802 -- protobuf's own


def new_write_request() -> WriteRequest:
    """An empty request."""
    return cast("WriteRequest", _request_class()())


@cache
def _request_class() -> type:
    schema = descriptor_pb2.FileDescriptorProto(name="remote_write.proto", package=_PACKAGE, syntax="proto3")
    _declare(schema, "Label", name=(1, _STRING), value=(2, _STRING))
    _declare(schema, "Sample", value=(1, _DOUBLE), timestamp=(2, _INT64))
    _declare(schema, "TimeSeries", labels=(1, "Label"), samples=(2, "Sample"))
    # `type` is an enum, which has the wire form of an int32.
    _declare(schema, "MetricMetadata", type=(1, _INT32), metric_family_name=(2, _STRING), help=(4, _STRING))
    _declare(schema, "WriteRequest", timeseries=(1, "TimeSeries"), metadata=(3, "MetricMetadata"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(schema)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.WriteRequest"))


def _declare(
    schema: descriptor_pb2.FileDescriptorProto, message_name: str, /, **fields: tuple[int, str | _FIELD.Type.ValueType]
) -> None:
    """Declare a message; fields of messages are lists, all others are single values."""
    message = schema.message_type.add(name=message_name)
    for field_name, (number, kind) in fields.items():
        field = message.field.add(name=field_name, number=number)
        if isinstance(kind, str):
            field.type, field.label, field.type_name = _FIELD.TYPE_MESSAGE, _FIELD.LABEL_REPEATED, f".{_PACKAGE}.{kind}"
        else:
            field.type, field.label = kind, _FIELD.LABEL_OPTIONAL
