"""Wanted members of JSON texts, found while the text passes; nothing else of it is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.capture.wire.json_tree import Picked, Tree, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_VALUE_BYTES = 8192
"""A longer value is given up: no usage object, model or id is as long."""
MAX_KEY_BYTES = 64
MAX_WHOLE_BYTES = 1_048_576
"""Up to here a text that is there as a whole is parsed as a whole, which is faster."""


def pick(text: bytes, tree: Tree) -> Picked:
    """The wanted members of a whole JSON text, an object or a list of such; empty when it is neither."""
    if len(text) > MAX_WHOLE_BYTES:
        picker = JsonPicker(tree)
        picker.feed(text)
        return picker.take()
    found: Picked = {}
    document = parsed(text)
    for each in document if isinstance(document, list) else (document,):
        _pick_into(found, each, tree)
    return found


def _pick_into(found: Picked, document: object, tree: Mapping[str, Tree | str]) -> None:
    if not isinstance(document, dict):
        return
    for name, wanted in tree.items():
        value = document.get(name)
        if value is None:
            continue
        if isinstance(wanted, dict):
            _pick_into(found, value, wanted)
        else:
            found[wanted] = value


class _Level(NamedTuple):
    """An open object or list in which something may be wanted."""

    tree: Tree
    is_list: bool


MAX_DEPTH = 1000
"""A text that is nested deeper is one that nobody parses, and is searched no further."""
_OPENING = re.compile(rb'["{}\[\],:]')
_NESTING = re.compile(rb'["{}\[\]]')
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL)
"""What follows the quote that opens a string, up to the one that closes it."""
_UNNESTED = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""All up to the next bracket, or to a string that does not end."""
_QUOTE, _COLON, _COMMA = b'"', b":", b","
_OPEN, _CLOSE = (b"{", b"["), (b"}", b"]")
_QUOTE_BYTE, _OPEN_BYTES = _QUOTE[0], b"{["


class JsonPicker:
    """Finds the wanted members of one JSON text after another, which come in pieces cut anywhere.

    Holds at most `MAX_KEY_BYTES` of a name and `MAX_VALUE_BYTES` of a value. A malformed text has no members.
    """

    __slots__ = (
        "_capture",
        "_deep",
        "_escaped",
        "_found",
        "_in_string",
        "_in_value",
        "_key",
        "_levels",
        "_name",
        "_path",
        "_tree",
    )

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._reset()

    def _reset(self) -> None:
        self._found: Picked = {}
        self._levels: list[_Level] = []
        self._deep = 0
        """How many containers are open in which nothing is wanted."""
        self._in_string = False
        self._escaped = False
        """Whether a piece ended behind a backslash that concerns what follows."""
        self._in_value = False
        """Whether the last name has had its colon, so that a string is no name."""
        self._name: bytearray | None = None
        """The string that is open, if it may be a name; else `None`."""
        self._key = ""
        self._path = ""
        """The path of the value that is open, if it is wanted; else empty."""
        self._capture = bytearray()

    def take(self) -> Picked:
        """What was found in the text, which is over; the next one may begin."""
        found = self._found
        self._reset()
        return found

    def feed(self, data: bytes) -> None:
        """Take the next piece of the text."""
        at, end = 0, len(data)
        while at < end:
            if self._in_string:
                at = self._string(data, at)
            elif self._deep and not self._path:
                at = self._unwanted(data, at)
            else:
                found = (_NESTING if self._deep else _OPENING).search(data, at)
                stop = found.end() if found else end
                if self._path:
                    self._keep(data[at : stop - 1 if found else stop])
                if found:
                    self._token(found[0])
                at = stop

    def _unwanted(self, data: bytes, at: int) -> int:
        """Pass over containers in which nothing is wanted; returns where they, or the piece, end."""
        deep, end = self._deep, len(data)
        while 0 < deep <= MAX_DEPTH:
            skipped = _UNNESTED.match(data, at)
            at = skipped.end() if skipped else at
            if at == end:
                break
            character = data[at]
            at += 1
            if character == _QUOTE_BYTE:  # of a string that does not end in this piece
                self._in_string = True
                break
            deep += 1 if character in _OPEN_BYTES else -1
        self._deep = deep
        return at if deep <= MAX_DEPTH else end

    def _string(self, data: bytes, at: int) -> int:
        """Pass over a string; returns where it, or the piece, ends."""
        inside = at + 1 if self._escaped else at
        found = _STRING.match(data, inside)
        if found is None:
            self._escaped = _ends_in_backslash(data, inside)
            self._keep(data[at:])
            return len(data)
        self._escaped = False
        end = found.end()
        self._keep(data[at:end] if self._path else data[at : end - 1])
        self._string_ends()
        return end

    def _keep(self, part: bytes) -> None:
        """Keep a part of a name or value that is open, up to its bound."""
        if self._path:
            self._capture += part[: MAX_VALUE_BYTES + 1]
            if len(self._capture) > MAX_VALUE_BYTES:
                self._path = ""
                self._capture.clear()
        elif self._name is not None:
            self._name += part[: MAX_KEY_BYTES + 1]
            if len(self._name) > MAX_KEY_BYTES:
                self._name = None

    def _string_ends(self) -> None:
        self._in_string = False
        if self._name is not None:
            self._key = str(parsed(b'"' + self._name + b'"'))
            self._name = None

    def _token(self, token: bytes) -> None:
        if token == _QUOTE:
            self._in_string = True
            if self._path:
                self._keep(token)
            elif not self._deep and not self._in_value:
                self._name = bytearray()
        elif token in _OPEN:
            self._open(token)
        elif token in _CLOSE:
            self._close(token)
        elif token == _COLON:
            self._value_begins()
        else:
            self._value_ends()

    def _value_begins(self) -> None:
        """A colon in an object that may hold what is wanted: its value follows."""
        self._in_value = True
        if self._levels and not self._levels[-1].is_list and not self._path:
            wanted = self._levels[-1].tree.get(self._key)
            if isinstance(wanted, str):
                self._path = wanted

    def _value_ends(self) -> None:
        if self._path:
            value = parsed(self._capture)
            if value is not None:
                self._found[self._path] = value
            self._path = ""
            self._capture.clear()
        self._key = ""
        self._in_value = False

    def _open(self, token: bytes) -> None:
        if self._path or self._deep:
            self._deep += 1
            if self._path:
                self._keep(token)
            return
        inner: Tree | str | None
        if not self._levels:
            inner = self._tree
        elif self._levels[-1].is_list:
            inner = self._levels[-1].tree if token == b"{" else None
        else:
            inner = self._levels[-1].tree.get(self._key) if token == b"{" else None
        if isinstance(inner, dict):
            self._levels.append(_Level(inner, token == b"["))
            self._key = ""
            self._in_value = token == b"["
        else:
            self._deep = 1

    def _close(self, token: bytes) -> None:
        if self._deep:
            self._deep -= 1
            if self._path:
                self._keep(token)
        elif self._levels:
            self._value_ends()
            self._levels.pop()
            self._in_value = True


def _ends_in_backslash(data: bytes, begin: int) -> bool:
    """Whether the part of a string from `begin` ends in a backslash that concerns what follows."""
    backslashes = len(data) - begin - len(data[begin:].rstrip(b"\\"))
    return backslashes % 2 == 1
