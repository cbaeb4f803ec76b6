"""JSON texts framed by lines, as server-sent events and NDJSON are, in pieces cut anywhere.

Every API sends a text in one line; what is spread over several lines is not read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_carbon.capture.wire.json_picker import JsonPicker, pick
from otel_carbon.capture.wire.json_tree import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.capture.wire.json_tree import Picked, Tree

SSE_FIELD = b"data:"
NO_FIELD = b""
MAX_NAMING_TEXTS = 8
"""How many texts are read for the names of model and response; later ones only if they may hold usage."""
MAX_HELD_BYTES = 4096
"""A usage object that is no longer may be held, until it is asked for or turns out to be the last."""
_LINE_ENDS = (b"\n", b"\r")


@lru_cache(maxsize=8)
def _object_of(key: str) -> re.Pattern[bytes]:
    """An object under this key, of numbers and words, with others one level deep in it."""
    return re.compile(rb'"%s"\s*:\s*(\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\})' % key.encode())


class LineFramer:
    """Finds the wanted members of the texts that lines hold behind `field`.

    A text that is cut is searched as it comes and never put together, so that no length of it matters.
    Some providers tell the usage so far in every text. Once the names are known, the bytes of the last such object are
    held, found by `usage_key`, until `settle`: what a later one tells takes the place of what an earlier one told.
    """

    __slots__ = (
        "_field",
        "_held",
        "_held_object",
        "_is_cut",
        "_is_text",
        "_picker",
        "_quoted_key",
        "_start",
        "_tree",
        "_usage_key",
        "_usage_mark",
        "naming_texts",
    )

    def __init__(self, tree: Tree, usage_mark: bytes, usage_key: str, field: bytes = SSE_FIELD) -> None:
        self._tree = tree
        self._usage_mark = usage_mark
        self._field = field
        self._picker = JsonPicker(tree)
        self._is_cut = False
        """Whether a line is open, of which a part has come."""
        self._start = b""
        """That part, as long as it is too short to show its field."""
        self._is_text = False
        self._usage_key = usage_key
        self._quoted_key = b'"%s"' % usage_key.encode()
        self._held_object = _object_of(usage_key) if usage_key else None
        self._held = b""
        self.naming_texts = MAX_NAMING_TEXTS

    def feed(self, data: bytes) -> Sequence[Picked]:
        """What is found in the texts that end in this piece."""
        if not self._is_cut and data.endswith(_LINE_ENDS):
            if not self.naming_texts:
                if self._usage_mark not in data:
                    return ()  # nearly all pieces of a stream end here
                if self._may_hold(data):
                    return ()
            return [*self.settle(), *self._whole_lines(data)]
        found = [found for found in self._pieces(data) if found]
        return [*self.settle(), *found] if found else found

    def settle(self) -> Sequence[Picked]:
        """What is found in the piece that is held."""
        held, self._held = self._held, b""
        found = parsed(held) if held else None
        return [{self._usage_key: found}] if found is not None else ()

    def _may_hold(self, data: bytes) -> bool:
        """Hold the usage object of a piece and nothing else of it, if it has a plain one."""
        if self._held_object is None:
            return False
        at = data.rfind(self._quoted_key)
        found = self._held_object.match(data, at) if at >= 0 else None
        if found is None or len(found[1]) > MAX_HELD_BYTES:
            return False
        self._held = found[1]
        return True

    def close(self) -> Sequence[Picked]:
        """What is found in the piece that is held, and in the text that the end of the body cut off."""
        self._is_cut = False
        return [*self.settle(), self._picker.take()]

    def _whole_lines(self, data: bytes) -> list[Picked]:
        return [found for line in data.splitlines() if (found := self._whole(line))]

    def _pieces(self, data: bytes) -> Iterator[Picked]:
        for part in data.splitlines(keepends=True):
            ends = part.endswith(_LINE_ENDS)
            if self._is_cut or not ends:
                self._part(part)
                if ends:
                    yield self._picker.take()
                self._is_cut = not ends
            else:
                yield self._whole(part)

    def _part(self, part: bytes) -> None:
        """Take the next part of a line that comes in several."""
        if not self._is_cut:
            self._start, self._is_text = b"", False
        if not self._is_text and len(self._start) < len(self._field):
            part = self._start + part
            self._is_text = part.startswith(self._field)
            self._start = part[: len(self._field)]
            part = part[len(self._field) :]
        elif not self._is_text and not self._field:
            self._is_text = True
        if self._is_text:
            self._picker.feed(part)

    def _whole(self, line: bytes) -> Picked:
        if not line.startswith(self._field):
            return {}
        if self.naming_texts:
            self.naming_texts -= 1
        elif self._usage_mark not in line:
            return {}
        return pick(line[len(self._field) :], self._tree)


class TextFramer:
    """Finds the wanted members of a body that is one JSON text."""

    __slots__ = ("_picker", "naming_texts")

    def __init__(self, tree: Tree) -> None:
        self._picker = JsonPicker(tree)
        self.naming_texts = 0

    def feed(self, data: bytes) -> Sequence[Picked]:
        """Nothing: the text ends with the body."""
        self._picker.feed(data)
        return ()

    def settle(self) -> Sequence[Picked]:
        """Nothing: it is not over."""
        return ()

    def close(self) -> Sequence[Picked]:
        """What is found in the text."""
        return (self._picker.take(),)
