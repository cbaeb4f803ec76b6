"""Rows as SQLite writes them into pages: cells, what of them stands on further pages, and the values inside."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.collector.storage.recovery.pages import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.collector.storage.recovery.pages import Pages

TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_HEADER_BYTES = {TABLE_LEAF: 8, INDEX_LEAF: 8, INDEX_INTERIOR: 12}
_FILE_HEADER_BYTES = 100
"""Before the first page begins."""
_LEAST_LOCAL_BYTES = (PAGE_BYTES - 12) * 32 // 255 - 23
_MOST_LOCAL_BYTES = {
    TABLE_LEAF: PAGE_BYTES - 35,
    INDEX_LEAF: (PAGE_BYTES - 12) * 64 // 255 - 23,
    INDEX_INTERIOR: (PAGE_BYTES - 12) * 64 // 255 - 23,
}
_ON_A_FURTHER_PAGE_BYTES = PAGE_BYTES - 4
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_FLOAT, _ZERO, _ONE, _FIRST_BLOB = 7, 8, 9, 12
_DOUBLE = struct.Struct(">d")
Value = int | float | str | bytes | None


class Cell(NamedTuple):
    """A row of a page.

    Attributes:
        row_id: number of the row in a table; 0 in an index.
        size_bytes: how long it is, in bytes.
        local: what of it stands on this page.
        further: the number of the page where it goes on; 0 for nowhere.
    """

    row_id: int
    size_bytes: int
    local: bytes
    further: int


class Unreadable(Exception):
    """What is there is no row, or not all of it is there."""


def page_kind(page: bytes, number: int) -> int:
    """`TABLE_LEAF`, `INDEX_LEAF`, `INDEX_INTERIOR`, or 0 for a page that has no rows."""
    kind = page[_begin(number)] if page else 0
    return kind if kind in _HEADER_BYTES else 0


def cells_of(page: bytes, number: int) -> Iterator[Cell]:
    """The rows of a page, but for those that are no rows; of deleted ones nothing points to them any more."""
    kind, begin = page_kind(page, number), _begin(number)
    if not kind:
        return
    count = int.from_bytes(page[begin + 3 : begin + 5])
    first_pointer = begin + _HEADER_BYTES[kind]
    for at in range(first_pointer, min(first_pointer + 2 * count, PAGE_BYTES - 1), 2):
        try:
            yield _cell(page, int.from_bytes(page[at : at + 2]), kind)
        except (Unreadable, IndexError):
            continue


def whole(cell: Cell, pages: Pages) -> bytes:
    """All of a row, with what stands on further pages.

    Raises:
        Unreadable: a page of it is missing.
    """
    if cell.size_bytes > pages.last * PAGE_BYTES:
        raise Unreadable
    parts, missing_bytes, number = [cell.local], cell.size_bytes - len(cell.local), cell.further
    while missing_bytes > 0:
        page = pages.read(number)
        if not page:
            raise Unreadable
        parts.append(page[4 : 4 + min(missing_bytes, _ON_A_FURTHER_PAGE_BYTES)])
        missing_bytes -= len(parts[-1])
        number = int.from_bytes(page[:4])
    return b"".join(parts)


def values_of(record: bytes) -> list[Value]:
    """The values of a row.

    Raises:
        Unreadable: it is none.
    """
    values, is_whole = _values(record)
    if not is_whole:
        raise Unreadable
    return values


def first_values_of(record: bytes) -> list[Value]:
    """The values that stand in the beginning of a row, as far as it goes; nothing of what is no row."""
    try:
        return _values(record)[0]
    except Unreadable:
        return []


def _begin(number: int) -> int:
    return _FILE_HEADER_BYTES if number == 1 else 0


def _cell(page: bytes, at: int, kind: int) -> Cell:
    if kind == INDEX_INTERIOR:
        at += 4
    size_bytes, at = _varint(page, at)
    row_id = 0
    if kind == TABLE_LEAF:
        row_id, at = _varint(page, at)
    local_bytes = _local_bytes(size_bytes, _MOST_LOCAL_BYTES[kind])
    is_split = local_bytes < size_bytes
    end = at + local_bytes
    if end + 4 * is_split > PAGE_BYTES:
        raise Unreadable
    return Cell(row_id, size_bytes, page[at:end], int.from_bytes(page[end : end + 4]) if is_split else 0)


def _local_bytes(size_bytes: int, most_bytes: int) -> int:
    if size_bytes <= most_bytes:
        return size_bytes
    wanted = _LEAST_LOCAL_BYTES + (size_bytes - _LEAST_LOCAL_BYTES) % _ON_A_FURTHER_PAGE_BYTES
    return wanted if wanted <= most_bytes else _LEAST_LOCAL_BYTES


def _values(record: bytes) -> tuple[list[Value], bool]:
    """The values, and whether the row has all that it announces."""
    try:
        header_bytes, at = _varint(record, 0)
        kinds: list[int] = []
        while at < header_bytes:
            kind, at = _varint(record, at)
            kinds.append(kind)
        values: list[Value] = []
        at = header_bytes
        for kind in kinds:
            size_bytes = _size_bytes(kind)
            if at + size_bytes > len(record):
                return values, False
            values.append(_value(kind, record[at : at + size_bytes]))
            at += size_bytes
    except (IndexError, UnicodeDecodeError) as error:
        raise Unreadable from error
    return values, at == len(record)


def _size_bytes(kind: int) -> int:
    if kind >= _FIRST_BLOB:
        return (kind - _FIRST_BLOB) // 2
    return _DOUBLE.size if kind == _FLOAT else _INTEGER_BYTES.get(kind, 0)


def _value(kind: int, raw: bytes) -> Value:
    if kind >= _FIRST_BLOB:
        return raw.decode() if kind % 2 else raw
    if kind in _INTEGER_BYTES:
        return int.from_bytes(raw, signed=True)
    if kind == _FLOAT:
        return float(_DOUBLE.unpack(raw)[0])
    return {_ZERO: 0, _ONE: 1}.get(kind)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, the highest first, and where it ends."""
    number = 0
    for each in range(9):
        byte = raw[at + each]
        if each == 8:
            return number << 8 | byte, at + 9
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + each + 1
    raise Unreadable
