"""What users bring to a comparison: hardware on the command line, sizes of models in a file."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NamedTuple

import click

from otel_carbon.errors import ConfigError
from otel_carbon.methods.ecologits_tables import Ends, Size
from otel_carbon.methods.user_formulas import Hardware
from otel_carbon.yaml_source import Entry, Problem, joined, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HARDWARE_KEYS = ("tokens_per_second", "watts", "accelerators", "pue", "batch")
REQUIRED_HARDWARE_KEYS = ("tokens_per_second", "watts")
SIZE_KEYS = ("active_b", "total_b")
EXAMPLE = "models: {openai/gpt-4o: {active_b: [44, 132], total_b: 440}}"


def hardware_from_text(text: str) -> Hardware:
    """Read `tokens_per_second=100,watts=700,accelerators=8,pue=1.2,batch=64`; only the first two must be there.

    Raises:
        click.BadParameter: a key is unknown, missing or doubled, or a number is none or out of bounds.
    """
    numbers: dict[str, float] = {}
    for part in text.split(","):
        key, _, number = (each.strip() for each in part.partition("="))
        if key not in HARDWARE_KEYS or key in numbers:
            msg = (
                f"{key!r} is {'given twice' if key in numbers else 'unknown'}; the keys are {', '.join(HARDWARE_KEYS)}"
            )
            raise click.BadParameter(msg)
        try:
            numbers[key] = float(number)
        except ValueError:
            msg = f"{key}={number}: not a number; write it plainly, without a unit, such as watts=700"
            raise click.BadParameter(msg) from None
    missing = [key for key in REQUIRED_HARDWARE_KEYS if key not in numbers]
    if missing:
        msg = f"{' and '.join(missing)} missing; such as tokens_per_second=100,watts=700"
        raise click.BadParameter(msg)
    try:
        return Hardware(**numbers)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def sizes_from_file(path: Path) -> Mapping[str, Size]:
    """Sizes of models from a YAML or JSON file, by EcoLogits' `provider/model`.

    Raises:
        ConfigError: the file has mistakes; each names file, line and key.
        MissingExtra: it is YAML, and no package is installed that reads it.
        OSError: it cannot be read.
    """
    problems: list[Problem] = []
    root = _read_json(path, problems) if path.suffix == ".json" else read_yaml(path, str(path), problems)
    sizes = _sizes(root, problems) if root else {}
    if problems:
        raise ConfigError(tuple(str(problem) for problem in sorted(problems)))
    return sizes


def _read_json(path: Path, problems: list[Problem]) -> Entry | None:
    text = path.read_text(encoding="utf-8")
    try:
        return _entry(json.loads(text), _Place(str(path), text, 0, ""))
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        problems.append(Problem(str(path), line, "json", f"{error}; correct the JSON"))
        return None


class _Place(NamedTuple):
    """Where a value of a JSON text stands: Python's reader keeps no places."""

    file: str
    text: str
    at: int
    key: str

    def below(self, name: str) -> _Place:
        """The place of a key: where its name first stands after that of the key above it."""
        return self._replace(at=max(self.text.find(f'"{name}"', self.at), self.at), key=joined(self.key, name))


def _entry(content: object, place: _Place) -> Entry:
    line = place.text.count("\n", 0, place.at) + 1
    if isinstance(content, dict):
        below = {str(name): _entry(each, place.below(str(name))) for name, each in content.items()}
        return Entry(below, place.file, line, place.key)
    if isinstance(content, list):
        return Entry(tuple(_entry(each, place) for each in content), place.file, line, place.key)
    return Entry(content if isinstance(content, str | int | float | bool) else None, place.file, line, place.key)


def _sizes(root: Entry, problems: list[Problem]) -> dict[str, Size]:
    top = root.mapping()
    models = top["models"].mapping() if top and "models" in top else None
    if top is None or models is None or not models:
        problems.append(Problem(root.file, root.line, "models", f"is missing or empty; write such as {EXAMPLE}"))
        return {}
    problems += [entry.problem("is unknown; the only key is models") for name, entry in top.items() if name != "models"]
    sizes = {}
    for name, entry in models.items():
        size = _size(name, entry, problems)
        if size is not None:
            sizes[name] = size
    return sizes


def _size(name: str, entry: Entry, problems: list[Problem]) -> Size | None:
    if not all(name.partition("/")):
        problems.append(entry.problem("is no provider/model; write such as openai/gpt-4o"))
        return None
    parts = entry.mapping() or {}
    wrong = [
        part.problem(f"is unknown; the keys are {', '.join(SIZE_KEYS)}")
        for key, part in parts.items()
        if key not in SIZE_KEYS
    ]
    wrong += [entry.problem("is missing; billions of parameters", key) for key in SIZE_KEYS if key not in parts]
    ends = {key: _ends(parts[key], wrong) for key in SIZE_KEYS if key in parts}
    active, total = ends.get("active_b"), ends.get("total_b")
    if active and total and (active.low > total.low or active.high > total.high):
        wrong.append(parts["active_b"].problem(f"is more than total_b; not more than {total.low:g} to {total.high:g}"))
    problems += wrong
    return Size(active, total) if active and total and not wrong else None


def _ends(entry: Entry, problems: list[Problem]) -> Ends | None:
    """A number, or a list of the lowest and the highest."""
    content = entry.content
    numbers = [each.content for each in content] if isinstance(content, tuple) else [content, content]
    ends = [float(each) for each in numbers if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(ends) == len(numbers) == 2 and 0.0 < ends[0] <= ends[1] < math.inf:
        return Ends(*ends)
    problems.append(entry.problem("must be billions of parameters above 0: one number, or [lowest, highest]"))
    return None
