"""Bulk tables: CSV files whose rows are facts, read into the same entries as YAML."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, TypeAlias

from otel_carbon.registry.authoring.yaml_source import Entry, Problem, joined

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ID_COLUMN = "id"
LIST_MARK = "[]"
SEPARATOR = ";"
PATH_MARK = "."
Branch: TypeAlias = "dict[str, Entry | Branch]"
_INT = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?\d+\.\d+(?:[eE]-?\d+)?")


def read_table(path: Path, file: str, problems: list[Problem]) -> list[tuple[str, Entry]]:
    """The rows of a table, each as the id in its first column and a mapping of its fields.

    A column `pue.mid` is the key `mid` of the field `pue`, and so on to any depth; cells of a column `models[]` are
    lists, split at `;`. An empty cell says nothing. Lines that start with `#` are comments.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file, 1, "csv", f"{error}; correct the file"))
        return []
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    rows = csv.reader(line for _, line in numbered)
    columns = next(rows, [])
    if problem := _header_problem(columns):
        problems.append(Problem(file, 1, "csv", problem))
        return []
    drafts = []
    for (number, _), cells in zip(numbered[1:], rows, strict=False):
        if len(cells) != len(columns):
            message = f"has {len(cells)} cells under {len(columns)} columns; put cells that hold commas in quotes"
            problems.append(Problem(file, number, cells[0] if cells else "csv", message))
        else:
            drafts.append((cells[0], _row(dict(zip(columns, cells, strict=True)), file, number)))
    return drafts


def _header_problem(columns: list[str]) -> str:
    """What is wrong with the names of the columns; empty when nothing is."""
    if columns[:1] != [ID_COLUMN] or len(set(columns)) < len(columns):
        return f"needs columns of different names, the first of them {ID_COLUMN}"
    for column in columns:
        if parts := [each for each in columns if each.startswith(column + PATH_MARK)]:
            return f"has the column {column} beside its part {parts[0]}; keep the parts only"
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
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text == "true" if text in ("true", "false") else text
