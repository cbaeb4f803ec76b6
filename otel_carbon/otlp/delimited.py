"""Records in a row, each behind its length in four bytes, highest first: the upstream collector's protobuf files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.errors import MalformedBody

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH_BYTES = 4


def delimited(record: bytes) -> bytes:
    """A record behind its length.

    Raises:
        OverflowError: it has 4 GiB or more.
    """
    return len(record).to_bytes(LENGTH_BYTES, "big") + record


def looks_delimited(body: bytes) -> bool:
    """Whether bytes are records in a row and not one message: a message begins with a field, and no field has number 0.

    Of records of 16 MiB and more it is not told.
    """
    return body.startswith(b"\0")


def records_in(body: bytes) -> Iterator[bytes]:
    """The records, in order.

    Raises:
        MalformedBody: the last one is cut short; those before it have been yielded.
    """
    position = 0
    while position < len(body):
        begin = position + LENGTH_BYTES
        position = begin + int.from_bytes(body[position:begin], "big")
        if position > len(body) or begin > len(body):
            raise MalformedBody("the last record is cut short")
        yield body[begin:position]
