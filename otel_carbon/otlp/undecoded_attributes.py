"""OTLP requests as the official classes have them, but with attributes left as bytes.

Most attributes of spans come again and again, so that who writes them elsewhere can remember what came out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor, FileDescriptor
    from google.protobuf.message import Message

_ATTRIBUTE = f".{KeyValue.DESCRIPTOR.full_name}"
_VALUES = frozenset({AnyValue.DESCRIPTOR.name, KeyValue.DESCRIPTOR.name, KeyValueList.DESCRIPTOR.name})
"""Messages inside of attributes, which stay as they are."""


@lru_cache(maxsize=8)
def with_undecoded_attributes(message: Descriptor) -> type[Message]:
    """A class for the same bytes whose `repeated KeyValue` fields are `repeated bytes`."""
    pool = descriptor_pool.DescriptorPool()
    _add_file(pool, message.file, set())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(message.full_name))


def _add_file(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add_file(pool, dependency, added)
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    for message in _all_messages(copy.message_type):
        for field in message.field:
            if field.type_name == _ATTRIBUTE and message.name not in _VALUES:
                field.type = field.TYPE_BYTES  # which has the same wire form
                field.ClearField("type_name")
    pool.Add(copy)


def _all_messages(messages: Iterable[descriptor_pb2.DescriptorProto]) -> Iterable[descriptor_pb2.DescriptorProto]:
    for message in messages:
        yield message
        yield from _all_messages(message.nested_type)
