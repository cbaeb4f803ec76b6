"""A document of sections, paragraphs and tables, independent of the format that it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from otel_carbon.core.interval import Interval


class Link(NamedTuple):
    """A link: `target` is an address, or `#` and the id of a section or row of the same document."""

    words: str
    target: str

    @property
    def is_safe(self) -> bool:
        """Whether the target is a place in the document or on the web: an overlay's source may name any address."""
        return self.target.startswith(("#", "https://", "http://"))


class Code(NamedTuple):
    """A name or formula as it is written in data and code."""

    text: str


Value = Interval | Link | Code | date | str | int | float | bool | None
"""What a cell holds; `None` is not known or not applicable, never 0."""
Cell = Value | tuple[Value, ...]


class Column(NamedTuple):
    """A column: `key` names it in JSON, `head` for people, with the unit."""

    key: str
    head: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text of words, code and links."""

    parts: tuple[str | Code | Link, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short texts."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with rows of as many cells as columns.

    With `anchor_column` the rows can be linked to: the text of that column is the row's id.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    anchor_column: int | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                msg = f"table {self.key}: {len(row)} cells for {len(self.columns)} columns, starting with {row[0]!r}"
                raise ValueError(msg)


Block = Paragraph | Bullets | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document with an id of its own."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The whole document, with the registry that it was made from."""

    title: str
    registry_version: str
    registry_digest: str
    as_of: date | None
    """The day on which the registry was known like this; `None` is all that it knows."""
    sections: tuple[Section, ...]


def paragraph(*parts: str | Code | Link) -> Paragraph:
    """A paragraph of its parts."""
    return Paragraph(parts)


def table(
    key: str,
    title: str,
    columns: tuple[tuple[str, str], ...],
    rows: tuple[tuple[Cell, ...], ...],
    anchor: int | None = None,
) -> Table:
    """A table; columns are pairs of key and head."""
    return Table(key, title, tuple(Column(*column) for column in columns), rows, anchor)


def without_empty_columns(whole: Table) -> Table:
    """The table as people read it: columns in which no row says anything are left out."""
    kept = [
        number
        for number in range(len(whole.columns))
        if not whole.rows
        or number == whole.anchor_column
        or any(row[number] not in (None, "", ()) for row in whole.rows)
    ]
    return Table(
        whole.key,
        whole.title,
        tuple(whole.columns[number] for number in kept),
        tuple(tuple(row[number] for number in kept) for row in whole.rows),
        kept.index(whole.anchor_column) if whole.anchor_column is not None else None,
    )


def values_of(cell: Cell) -> tuple[Value, ...]:
    """The values of a cell, one or several; links and code are tuples by name only."""
    return cell if isinstance(cell, tuple) and not isinstance(cell, Code | Link) else (cell,)


def words_of(value: Value) -> str:
    """A value as plain text: ranges as `mid (low to high)`, bounds with four significant digits; empty for `None`."""
    if isinstance(value, Interval):
        if value.low == value.high:
            return f"{value.mid:.6g}"
        return f"{value.mid:.6g} ({value.low:.4g} to {value.high:.4g})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Link):
        return value.words
    if isinstance(value, Code):
        return value.text
    return "" if value is None else str(value)


def in_short(amount: Interval) -> Interval:
    """A computed amount with three significant digits, which is more than anyone knows of it."""
    return Interval(*(float(f"{bound:.3g}") for bound in (amount.low, amount.mid, amount.high)))
