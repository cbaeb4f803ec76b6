"""Bulk tables: CSV files whose rows are facts, read into the same entries as YAML."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, TypeAlias

from otel_carbon.yaml_source import Entry, Problem, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ID_COLUMN = "id"
LIST_MARK = "[]"
SEPARATOR = ";"
PATH_MARK = "."
MAX_KEY_CHARACTERS = 120
"""So much of a row's first cell names it in messages."""
Branch: TypeAlias = "dict[str, Entry | Branch]"
MAX_DIGITS = 300
_INT = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?\d+\.\d+(?:[eE]-?\d+)?")


def read_table(path: Path, file: str, problems: list[Problem]) -> list[tuple[str, Entry]]:
    """The rows of a table, each as the id in its first column and a mapping of its fields.

    A column `pue.mid` is the key `mid` of the field `pue`, and so on to any depth; cells of a column `models[]` are
    lists, split at `;`. An empty cell says nothing. Lines that start with `#` are comments.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file, 1, "csv", f"{error}; correct the file"))
        return []
    written = list(_written_lines(text))
    rows = csv.reader((line for _, line in written), strict=True)
    columns: list[str] | None = None
    drafts = []
    first = 0
    try:
        for cells in rows:
            number, first = written[first][0], rows.line_num
            if columns is None:
                columns = cells
                if problem := _header_problem(columns):
                    problems.append(Problem(file, number, "csv", problem))
                    return []
            elif len(cells) != len(columns):
                message = f"has {len(cells)} cells under {len(columns)} columns; put cells that hold commas in quotes"
                problems.append(Problem(file, number, cells[0][:MAX_KEY_CHARACTERS] or "csv", message))
            elif not cells[0].strip():
                problems.append(Problem(file, number, ID_COLUMN, "is empty; write the id in the first column"))
            else:
                drafts.append((cells[0], _row(dict(zip(columns, cells, strict=True)), file, number)))
    except csv.Error as error:
        problems.append(Problem(file, written[first][0], "csv", f"{error}; correct the row that begins here"))
    if columns is None and not problems:
        problems.append(Problem(file, 1, "csv", f"is empty; begin with the names of the columns, first {ID_COLUMN}"))
    return drafts


def _written_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without comments and empty ones, unless a cell in quotes goes on there."""
    in_quotes = False
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if in_quotes or (line and not line.startswith("#")):
            in_quotes ^= line.count('"') % 2 == 1
            yield number, line + "\n"


def _header_problem(columns: list[str]) -> str:
    """What is wrong with the names of the columns; empty when nothing is."""
    if columns[:1] != [ID_COLUMN] or len(set(columns)) < len(columns):
        return f"needs columns of different names, the first of them {ID_COLUMN}"
    for column in columns:
        if parts := [each for each in columns if each.startswith(column + PATH_MARK)]:
            return f"has the column {column} beside its part {parts[0]}; keep the parts only"
    for column in columns:
        if not all(column.removesuffix(LIST_MARK).split(PATH_MARK)) or column != column.strip():
            return f"has the column {column!r}; give each column a name without spaces around it"
    return ""


def _row(cells: Mapping[str, str], file: str, line: int) -> Entry:
    key = joined("facts", cells[ID_COLUMN])
    fields: Branch = {}
    for column, cell in cells.items():
        text = cell.strip()
        if not text or column == ID_COLUMN:
            continue
        path = column.removesuffix(LIST_MARK)
        *above, last = path.split(PATH_MARK)
        branch = fields
        for name in above:
            below = branch.setdefault(name, {})
            assert isinstance(below, dict)  # noqa: S101 - the header has no column beside its own part
            branch = below
        branch[last] = _entry(text, file, line, joined(key, path), is_list=column.endswith(LIST_MARK))
    return _mapping(fields, file, line, key)


def _mapping(branch: Branch, file: str, line: int, key: str) -> Entry:
    entries = {
        name: _mapping(below, file, line, joined(key, name)) if isinstance(below, dict) else below
        for name, below in branch.items()
    }
    return Entry(entries, file, line, key)


def _entry(text: str, file: str, line: int, key: str, *, is_list: bool) -> Entry:
    if is_list:
        parts = tuple(Entry(part.strip(), file, line, key) for part in text.split(SEPARATOR) if part.strip())
        return Entry(parts, file, line, key)
    return Entry(_scalar(text), file, line, key)


def _scalar(text: str) -> str | int | float | bool:
    if _INT.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text == "true" if text in ("true", "false") else text
