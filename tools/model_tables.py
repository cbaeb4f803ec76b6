"""Reads the tables of models, families, size classes and exclusions beside the facts about energy."""

from __future__ import annotations

import csv
import fnmatch
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.model_spellings import plain_name, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

ENERGY = Path(__file__).resolve().parents[1] / "otel_carbon" / "registry" / "data" / "energy"
MODEL_TABLES = ("models.csv", "ecologits_sizes.csv")


@dataclass(frozen=True, slots=True)
class Model:
    """A row of `models.csv` or `ecologits_sizes.csv`: its fact id, the ids it goes by, all other cells as text."""

    fact_id: str
    ids: tuple[str, ...]
    table: str
    cells: dict[str, str]


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a table in the energy directory; lines that start with `#` are comments."""
    lines = [line for line in (ENERGY / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def listed(cell: str) -> tuple[str, ...]:
    """The parts of a cell of a list column."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def read_models() -> list[Model]:
    """All rows of both tables of models."""
    return [
        Model(row["id"], listed(row["models[]"]) + listed(row["aliases[]"]), name, row)
        for name in MODEL_TABLES
        for row in read_rows(name)
    ]


class ModelIndex:
    """Finds the row of a model id: as listed, else by the nearest spelling that belongs to one row alone."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._listed: dict[str, str] = {}
        self._spelt: dict[str, set[str]] = {}
        self._shortened: dict[str, set[str]] = {}
        for model in models:
            for model_id in model.ids:
                self._listed[model_id.lower()] = model.fact_id
                for form, how in spellings(model_id):
                    rules = set(how.split("+"))
                    if rules <= {"signs", "vendor-prefix"}:
                        self._spelt.setdefault(form, set()).add(model.fact_id)
                    elif rules <= {"signs", "vendor-prefix", "tuned-for-chat"}:  # a row says which dates are its own
                        self._shortened.setdefault(form, set()).add(model.fact_id)

    def resolve(self, model_id: str) -> tuple[str, str] | None:
        """The fact id of the row and how it was found (`listed` or the rules), or None for no row or several."""
        if (fact_id := self._listed.get(model_id.lower())) is not None:
            return fact_id, "listed"
        for form, how in spellings(model_id):
            for forms in (self._spelt, self._shortened):
                if form in forms:
                    owners = forms[form]
                    return (next(iter(owners)), how) if len(owners) == 1 else None
        return None


class PatternTable:
    """Finds the row whose pattern fits a model id; of several the one with the most letters outside wildcards."""

    def __init__(self, name: str, subject: str) -> None:
        self._patterns = [(p, row[subject]) for row in read_rows(name) for p in listed(row["patterns[]"])]

    def resolve(self, model_id: str) -> str | None:
        """The subject of the best fitting row, or None."""
        name = plain_name(model_id)
        fits = [
            (len(pattern.replace("*", "").replace("?", "")), subject)
            for pattern, subject in self._patterns
            if fnmatch.fnmatchcase(name, pattern)
        ]
        return max(fits)[1] if fits else None
