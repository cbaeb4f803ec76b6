"""Fits the energy of a query to its tokens, from the table of Jegham et al. beside this, and prints the residuals.

Three terms for each model, none negative: per 1,000 input tokens, per 1,000 output tokens, per request.
Relative errors are squared, so that a short query weighs as much as a long one.
`--write` puts the terms into `otel_carbon/methods/data/jegham_2025.json`; `--check` fails when they differ from it.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOOLS = Path(__file__).resolve().parent
TABLE = TOOLS / "jegham_2025_table4.csv"
TERMS = TOOLS.parent / "otel_carbon/methods/data/jegham_2025.json"
COMMAND = "python tools/fit_jegham.py"
DECIMALS = 4
TOLERANCE = 1e-12
NAMES = ("input_wh_per_ktoken", "output_wh_per_ktoken", "request_wh")


class Query(NamedTuple):
    """One row of the table."""

    model: str
    hardware: str
    input_tokens: int
    output_tokens: int
    energy_wh: float

    def amounts(self) -> tuple[float, float, float]:
        """What the three terms are multiplied with."""
        return self.input_tokens / 1000, self.output_tokens / 1000, 1.0


def read_table() -> dict[str, list[Query]]:
    """The queries by model, in the order of the table."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found: dict[str, list[Query]] = {}
    for row in csv.DictReader(lines):
        query = Query(
            row["model"],
            row["hardware"],
            int(row["input_tokens"]),
            int(row["output_tokens"]),
            float(row["energy_wh"]),
        )
        found.setdefault(query.model, []).append(query)
    return found


def fit(queries: Sequence[Query]) -> tuple[float, ...]:
    """Non-negative least squares of relative errors: the best of all choices of which terms are zero."""
    rows = [[amount / query.energy_wh for amount in query.amounts()] for query in queries]
    candidates = [terms for used in _choices() if (terms := _least_squares(rows, used)) is not None]
    admissible = [terms for terms in candidates if min(terms) >= 0.0]
    return min(admissible, key=lambda terms: sum(error**2 for error in _errors(rows, terms)))


def _choices() -> Iterator[tuple[int, ...]]:
    for count in (1, 2, 3):
        yield from itertools.combinations(range(3), count)


def _errors(rows: Sequence[Sequence[float]], terms: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, terms, strict=True)) - 1.0 for row in rows]


def _least_squares(rows: Sequence[Sequence[float]], used: tuple[int, ...]) -> tuple[float, ...] | None:
    """The terms in `used` that bring each row's sum closest to 1, the others zero; None if undetermined."""
    size = len(used)
    matrix = [[sum(row[i] * row[j] for row in rows) for j in used] + [sum(row[i] for row in rows)] for i in used]
    for column in range(size):
        pivot = max(range(column, size), key=lambda line: abs(matrix[line][column]))
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        head = matrix[column]
        if abs(head[column]) < TOLERANCE:
            return None
        matrix[column] = head = [entry / head[column] for entry in head]
        for line in range(size):
            if line != column:
                matrix[line] = [a - matrix[line][column] * b for a, b in zip(matrix[line], head, strict=True)]
    solved = dict(zip(used, (line[-1] for line in matrix), strict=True))
    return tuple(solved.get(i, 0.0) for i in range(3))


def record_of(queries: Sequence[Query]) -> dict[str, object]:
    """What the data file says of a model; fewer points than terms identify nothing."""
    identified = len(queries) >= len(NAMES)
    record: dict[str, object] = {"hardware": queries[0].hardware, "points": len(queries), "identified": identified}
    if not identified:
        return record
    terms = [round(term, DECIMALS) for term in fit(queries)]
    largest = max(abs(error) for error in _relative_errors(queries, terms))
    return record | dict(zip(NAMES, terms, strict=True)) | {"largest_relative_error": round(largest, DECIMALS)}


def _relative_errors(queries: Sequence[Query], terms: Sequence[float]) -> list[float]:
    return _errors([[amount / query.energy_wh for amount in query.amounts()] for query in queries], terms)


def terms_text() -> str:
    """The data file: one model a line."""
    records = {model: record_of(queries) for model, queries in read_table().items()}
    lines = ",\n".join(f"  {json.dumps(model)}: {json.dumps(record)}" for model, record in sorted(records.items()))
    return f'{{\n"made_by": "{COMMAND} --write",\n"models": {{\n{lines}\n}}\n}}\n'


def _print_residuals() -> None:
    for model, queries in read_table().items():
        if len(queries) < len(NAMES):
            print(f"{model}: not identified, {len(queries)} points for {len(NAMES)} terms")
            continue
        terms = fit(queries)
        errors = ", ".join(f"{error:+.1%}" for error in _relative_errors(queries, terms))
        shown = ", ".join(f"{name} {term:.3f}" for name, term in zip(NAMES, terms, strict=True))
        print(f"{model}: {shown}; residuals {errors}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the fits, and write or compare the data file when asked to; 0 done, 1 drift."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the data file")
    parser.add_argument("--check", action="store_true", help="write and print nothing; fail if the file is out of date")
    options = parser.parse_args(arguments)
    if options.check:
        current = TERMS.read_text(encoding="utf-8") == terms_text()
        if not current:
            print(f"{TERMS.name}: out of date; run {COMMAND} --write")
        return 0 if current else 1
    _print_residuals()
    if options.write:
        TERMS.write_text(terms_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
