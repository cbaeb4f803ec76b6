"""A document as JSON: tables as records with raw numbers, for programs and for appendices of reports."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Union

from otel_carbon.core.interval import Interval
from otel_carbon.methodology.document import Bullets, Code, Link, Table, words_of

if TYPE_CHECKING:
    from otel_carbon.methodology.document import Block, Cell, Document, Section, Value

Json = Union[str, int, float, bool, None, list["Json"], dict[str, "Json"]]  # noqa: UP007 - `|` takes no forward reference
FORMAT = 1


def json_of(document: Document) -> str:
    """The text of the JSON document.

    `sections` holds for each section its `title`, its `text` and its `tables`; a table is its `title`, its `columns`
    (key to heading) and its `rows`, objects of key to value. A range is `{"low", "mid", "high"}`, several values are a
    list, a link to a source is the id of the source, any other is `{"text", "url"}`, and what is not known is null.
    """
    content: dict[str, Json] = {
        "format": FORMAT,
        "title": document.title,
        "registry_version": document.registry_version,
        "registry_digest": document.registry_digest,
        "as_of": document.as_of.isoformat() if document.as_of else None,
        "sections": {section.key: _section(section) for section in document.sections},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _section(section: Section) -> dict[str, Json]:
    text: list[Json] = [_words(block) for block in section.blocks if not isinstance(block, Table)]
    tables: dict[str, Json] = {block.key: _table(block) for block in section.blocks if isinstance(block, Table)}
    return {"title": section.title, "text": text, "tables": tables}


def _words(block: Block) -> Json:
    if isinstance(block, Bullets):
        return list(block.items)
    assert not isinstance(block, Table)  # noqa: S101 - told apart before
    return "".join(words_of(part) for part in block.parts)


def _table(table: Table) -> dict[str, Json]:
    keys = [column.key for column in table.columns]
    rows: list[Json] = [{key: _cell(cell) for key, cell in zip(keys, row, strict=True)} for row in table.rows]
    columns: dict[str, Json] = {column.key: column.head for column in table.columns}
    return {"title": table.title, "columns": columns, "rows": rows}


def _cell(cell: Cell) -> Json:
    if isinstance(cell, tuple) and not isinstance(cell, Code | Link):
        return [_value(each) for each in cell]
    return _value(cell)


def _value(value: Value) -> Json:
    if isinstance(value, Interval):
        return {**value.as_dict()}
    if isinstance(value, Link):
        return value.words if value.target.startswith("#") else {"text": value.words, "url": value.target}
    if isinstance(value, Code):
        return value.text
    return value.isoformat() if isinstance(value, date) else value
