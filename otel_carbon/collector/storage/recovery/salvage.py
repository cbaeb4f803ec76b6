"""Carry over what can be read of a damaged database into a new one."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.collector.item_counts import count_items
from otel_carbon.collector.signals import BATCH_OVERHEAD_BYTES, Signal
from otel_carbon.collector.storage.records import StoredBody
from otel_carbon.collector.storage.recovery.records import (
    TABLE_LEAF,
    Cell,
    Unreadable,
    cells_of,
    first_values_of,
    page_kind,
    values_of,
    whole,
)
from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_carbon.collector.storage.database import Database
    from otel_carbon.collector.storage.recovery.pages import Pages
    from otel_carbon.collector.storage.recovery.records import Value

_SIGNALS = {signal.value: signal for signal in Signal}
_LARGEST_ROW_ID = 2**63 - 1
_BODY_COLUMNS, _LOG_COLUMNS = 6, 3
_TOGETHER = 64
"""How many bodies are written in one transaction."""


class LostBody(NamedTuple):
    """A request that could not be read.

    Attributes:
        exporters: who owed it.
        signal: what it was; None where that cannot be read either.
        items: how many spans and so on it held; 0 where that cannot be read.
    """

    exporters: tuple[str, ...]
    signal: Signal | None
    items: int


@dataclass(slots=True)
class Salvaged:
    """What became of the requests in a damaged database."""

    recovered: int = 0
    lost: list[LostBody] = field(default_factory=list)


@dataclass(slots=True)
class _Places:
    """Where what is, and all that is small.

    Attributes:
        bodies: page and place in it of each body, by its number.
        owed: who owes which body, by its number; from the table or its index, either of which may be damaged.
        log: page and place in it of each entry of the state log, by its number.
        rows: the state, by key.
    """

    bodies: dict[int, tuple[int, int]] = field(default_factory=dict)
    owed: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    log: dict[int, tuple[int, int]] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)


def salvage(pages: Pages, into: Database, exporters: Iterable[str]) -> Salvaged:
    """Write into an empty database what pages hold, each body under the number that it had.

    Args:
        pages: of the damaged database.
        into: a new one.
        exporters: whose queues are on the disk: of a body where nobody can tell who owes it, all of them do, as to
            send it twice is better than never.

    Raises:
        sqlite3.Error: the new one cannot be written to.
    """
    places = _look_through(pages)
    everybody = tuple(sorted({*exporters, *(each for owing in places.owed.values() for each in owing)}))
    salvaged = Salvaged()
    with into.transaction():
        into.put_rows(places.rows)
        for number, place in sorted(places.log.items()):
            _carry_log_entry(pages, number, place, into)
    numbers = iter(sorted(places.bodies.keys() | places.owed.keys()))
    while some := list(islice(numbers, _TOGETHER)):
        with into.transaction():
            for number in some:
                _carry_body(pages, number, places, everybody, into, salvaged)
    return salvaged


def _look_through(pages: Pages) -> _Places:
    places = _Places()
    for number in pages.in_use():
        page = pages.read(number)
        is_table = page_kind(page, number) == TABLE_LEAF
        for place, cell in enumerate(cells_of(page, number)):
            if is_table:
                _note_table_row(places, cell, (number, place))
            else:
                _note_index_row(places, cell, pages)
    return places


def _note_table_row(places: _Places, cell: Cell, place: tuple[int, int]) -> None:
    """Bodies and entries of the log are told by their first values; what they hold is read later."""
    if cell.row_id > _LARGEST_ROW_ID:
        return
    match first_values_of(cell.local):
        case [None, str(signal), int(), int(), *_] if signal in _SIGNALS:
            places.bodies[cell.row_id] = place
        case [None, float() | int(), *rest] if len(rest) < _LOG_COLUMNS - 1:
            places.log[cell.row_id] = place


def _note_index_row(places: _Places, cell: Cell, pages: Pages) -> None:
    try:
        values = values_of(whole(cell, pages))
    except Unreadable:
        return
    match values:
        case [str(exporter), int(number)] | [int(number), str(exporter)]:
            places.owed[number].add(exporter)
        case [str(key), str(value)]:
            places.rows[key] = value


def _carry_log_entry(pages: Pages, number: int, place: tuple[int, int], into: Database) -> None:
    try:
        match values_of(whole(_cell_at(pages, place), pages)):
            case [None, float(at_s) | int(at_s), bytes(entry)] if isfinite(at_s):
                into.add_log(number, at_s, entry)
    except Unreadable:
        return


def _carry_body(
    pages: Pages, number: int, places: _Places, everybody: tuple[str, ...], into: Database, salvaged: Salvaged
) -> None:
    owing = tuple(sorted(places.owed.get(number, ())))
    place = places.bodies.get(number)
    if place is None:  # it is owed, and its page is gone
        salvaged.lost.append(LostBody(owing, None, 0))
        return
    cell = _cell_at(pages, place)
    try:
        into.add_body(number, _body_of(values_of(whole(cell, pages)), owing or everybody))
    except (Unreadable, MalformedBody, BodyTooLarge, ValueError):
        _, signal, items = first_values_of(cell.local)[:3]
        salvaged.lost.append(LostBody(owing or everybody, _SIGNALS[str(signal)], int(str(items))))
    else:
        salvaged.recovered += 1


def _body_of(values: list[Value], owing: tuple[str, ...]) -> StoredBody:
    """A body that says of itself what its row says of it.

    Raises:
        Unreadable, MalformedBody, BodyTooLarge, ValueError: it does not.
    """
    match values:
        case [None, str(name), int(items), int(size_bytes), (str() | None) as held_for, bytes(body)]:
            signal = Signal(name)
            if len(body) + BATCH_OVERHEAD_BYTES != size_bytes or count_items(signal, body) != items:
                raise Unreadable
            if held_for is None:
                return StoredBody(signal, items, body, owing)
            names = json.loads(held_for)
            if not isinstance(names, list):
                raise Unreadable
            return StoredBody(signal, items, body, tuple(map(str, names)), is_held=True)
    raise Unreadable


def _cell_at(pages: Pages, place: tuple[int, int]) -> Cell:
    number, index = place
    return next(islice(_cells(pages, number), index, None))


def _cells(pages: Pages, number: int) -> Iterator[Cell]:
    return cells_of(pages.read(number), number)
