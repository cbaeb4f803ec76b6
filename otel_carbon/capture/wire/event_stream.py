"""Amazon's binary event stream: messages with lengths in front, which hold JSON, in pieces cut anywhere."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from typing import TYPE_CHECKING

from otel_carbon.capture.wire.json_picker import pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.capture.wire.json_tree import Picked, Tree

MAX_MESSAGE_BYTES = 49_152
"""A longer message is passed over; those that hold usage have some hundred bytes."""
_PRELUDE = struct.Struct(">II")
_PRELUDE_BYTES = 12
_CHECKSUM_BYTES = 4
_LEAST_BYTES = _PRELUDE_BYTES + _CHECKSUM_BYTES


class EventStreamFramer:
    """Finds the wanted members of the messages, also of those that InvokeModel wraps in base64."""

    __slots__ = ("_buffer", "_skip", "_tree", "naming_texts")

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._buffer = bytearray()
        self._skip = 0
        """Bytes to pass over: the rest of a message that is too long, or all that follows one that is none."""
        self.naming_texts = 0

    def feed(self, data: bytes) -> Sequence[Picked]:
        """What is found in the messages that end in this piece."""
        return [found for message in self._messages(data) if (found := self._members(message))]

    def settle(self) -> Sequence[Picked]:
        """Nothing: no message is held that has come whole."""
        return ()

    def close(self) -> Sequence[Picked]:
        """Nothing: a message without its end tells nothing."""
        self._buffer.clear()
        return ()

    def _messages(self, data: bytes) -> Iterator[bytes]:
        """Payloads of whole messages."""
        at = 0
        while at < len(data):
            if self._skip:
                skipped = min(self._skip, len(data) - at)
                self._skip -= skipped
                at += skipped
                continue
            taken = min(len(data) - at, self._missing())
            self._buffer += data[at : at + taken]
            at += taken
            if len(self._buffer) == _PRELUDE_BYTES:
                self._begin()
                continue
            if self._missing():
                continue
            headers_bytes = _PRELUDE.unpack_from(self._buffer)[1]
            yield bytes(self._buffer[_PRELUDE_BYTES + headers_bytes : -_CHECKSUM_BYTES])
            self._buffer.clear()

    def _missing(self) -> int:
        """How many bytes of the prelude, or else of the message, have not come."""
        if len(self._buffer) < _PRELUDE_BYTES:
            return _PRELUDE_BYTES - len(self._buffer)
        length: int = _PRELUDE.unpack_from(self._buffer)[0]
        return length - len(self._buffer) if length > _PRELUDE_BYTES else 0

    def _begin(self) -> None:
        """Look at the prelude of a message: pass over what is too long or no message."""
        length, headers_bytes = _PRELUDE.unpack_from(self._buffer)
        if length < _LEAST_BYTES + headers_bytes:
            self._skip = _WITHOUT_END
            self._buffer.clear()
        elif length > MAX_MESSAGE_BYTES:
            self._skip = length - _PRELUDE_BYTES
            self._buffer.clear()

    def _members(self, payload: bytes) -> Picked:
        if not payload.startswith(b'{"bytes"'):
            return pick(payload, self._tree)
        try:
            wrapped = b64decode(json.loads(payload)["bytes"])
        except (ValueError, TypeError):
            return {}
        return pick(wrapped, self._tree)


_WITHOUT_END = 1 << 62
