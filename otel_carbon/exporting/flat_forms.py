"""Flat rows as files that the official Collector's `lookup` processor reads: CSV, and YAML with a map for each key."""

from __future__ import annotations

import csv
import json
from io import StringIO
from itertools import chain
from typing import TYPE_CHECKING

from otel_carbon.errors import RegistryError
from otel_carbon.exporting.flat_rows import AMOUNT_COLUMNS, TEXT_COLUMNS, flat_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.exporting.flat_rows import FlatRow
    from otel_carbon.exporting.selection import Selection

_NOTES = (
    "By `provider/model` and `provider/model/region`: facility kWh, gCO2e and litres for a token of each kind.",
    "`input` is without cache reads and writes, `output` with reasoning tokens. `context_pair` is for each pair of an",
    "output token and a token before it: output * input + output * (output - 1) / 2.",
)


def csv_form(selection: Selection) -> str:
    """A table with a header row; version and digest are columns, as the processor knows no comments.

    Raises:
        RegistryError: the choice is too wide, or there is nothing in it.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("key", *TEXT_COLUMNS, *AMOUNT_COLUMNS))
    for row in _some_rows(selection):
        amounts = (repr(row.amounts[column]) for column in AMOUNT_COLUMNS)
        writer.writerow((row.key, *(row.texts[column] for column in TEXT_COLUMNS), *amounts))
    return text.getvalue()


def lookup_yaml_form(selection: Selection) -> str:
    """A map of maps, one line for each key.

    Raises:
        RegistryError: the choice is too wide, or there is nothing in it.
    """
    notes = [f"# {line}" for line in (*selection.header(_NOTES[0]), *_NOTES[1:])]
    rows = (f"{json.dumps(row.key)}: {json.dumps({**row.texts, **row.amounts})}" for row in _some_rows(selection))
    return "\n".join((*notes, *rows)) + "\n"


def _some_rows(selection: Selection) -> Iterator[FlatRow]:
    rows = flat_rows(selection)
    first = next(rows, None)
    if first is None:
        providers = " or ".join(selection.providers)
        msg = (
            f"no factors for {providers}: a provider whose place is unknown needs a region "
            "(`otel-carbon registry list --kind provider` shows those that are known)"
        )
        raise RegistryError(msg)
    return chain((first,), rows)
