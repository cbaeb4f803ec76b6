"""How records stand in a file: a line each, or behind their length, as the upstream collector writes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from otel_carbon.otlp.delimited import LENGTH_BYTES, delimited

if TYPE_CHECKING:
    from io import FileIO

_LINE_END = b"\n"
_BLOCK_BYTES = 64 * 1024


class Lines:
    """A record is a line."""

    def framed(self, record: bytes) -> bytes:
        """A record as it is written."""
        return record + _LINE_END

    def whole_bytes(self, file: FileIO) -> int:
        """Everything up to the last line end, in bytes; looked for from the end of the file."""
        end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - _BLOCK_BYTES)
            file.seek(begin)
            found = file.read(end - begin).rfind(_LINE_END)
            if found >= 0:
                return begin + found + 1
            end = begin
        return 0


class Delimited:
    """A record stands behind its length."""

    def framed(self, record: bytes) -> bytes:
        """A record as it is written."""
        return delimited(record)

    def whole_bytes(self, file: FileIO) -> int:
        """All records that end within the file, in bytes; only their lengths are read."""
        size_bytes = file.seek(0, os.SEEK_END)
        whole = 0
        while whole + LENGTH_BYTES <= size_bytes:
            file.seek(whole)
            end = whole + LENGTH_BYTES + int.from_bytes(file.read(LENGTH_BYTES), "big")
            if end > size_bytes:
                break
            whole = end
        return whole
