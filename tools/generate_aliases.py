"""Generates `aliases.csv`: the spellings that a catalogue of prices has for our models, and how each was found.

Needs genai-prices, which the extra `dev` brings; it is asked for ids alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from genai_prices.data_snapshot import get_snapshot

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from otel_carbon.registry.catalog import Registry  # noqa: E402 - needs the path above
from otel_carbon.registry.facts import EnergyCoefficient  # noqa: E402 - needs the path above
from otel_carbon.registry.ladder import match_model  # noqa: E402 - needs the path above
from otel_carbon.registry.spellings import spellings  # noqa: E402 - needs the path above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMMAND = "python tools/generate_aliases.py"
FILE = REPOSITORY / "otel_carbon/registry/data/energy/aliases.csv"
GEOGRAPHIES = ("apac.", "au.", "eu.", "global.", "jp.", "us.", "")
"""What stands for the catalogue's own word `regional.` in a real Bedrock id."""


def catalogue_ids() -> dict[str, list[tuple[str, bool]]]:
    """All ids by provider; True marks the entries' own names, False the other names that an entry matches exactly."""
    ids: dict[str, list[tuple[str, bool]]] = {}
    for provider in get_snapshot().providers:
        found = ids.setdefault(provider.id, [])
        for model in provider.models:
            found.append((model.id, True))
            found += [(name, False) for name in _exact_names(model.match) if name != model.id]
    return ids


def _exact_names(clause: object) -> Iterator[str]:
    if isinstance(name := getattr(clause, "equals", None), str):
        yield name
    for part in getattr(clause, "or_", None) or ():
        yield from _exact_names(part)


def real_ids(model_id: str) -> list[str]:
    """The ids that a catalogue's id stands for."""
    if not model_id.startswith("regional."):
        return [model_id]
    return [geography + model_id.removeprefix("regional.") for geography in GEOGRAPHIES]


class ModelIndex:
    """Finds the fact of a model id: as listed, else by the nearest spelling that belongs to one fact alone."""

    def __init__(self, models: Iterable[EnergyCoefficient]) -> None:
        self._listed: dict[str, str] = {}
        self._spelt: dict[str, set[str]] = {}
        self._shortened: dict[str, set[str]] = {}
        for model in models:
            for model_id in (*model.models, *model.aliases):
                self._listed[model_id.lower()] = model.id
                for form, how in spellings(model_id):
                    rules = set(how.split("+"))
                    if rules <= {"signs", "vendor-prefix"}:
                        self._spelt.setdefault(form, set()).add(model.id)
                    elif rules <= {"signs", "vendor-prefix", "tuned-for-chat"}:  # a fact says which dates are its own
                        self._shortened.setdefault(form, set()).add(model.id)

    def resolve(self, model_id: str) -> tuple[str, str] | None:
        """The fact and how it was found (`listed` or the rules), or None for no fact or several."""
        if (fact_id := self._listed.get(model_id.lower())) is not None:
            return fact_id, "listed"
        for form, how in spellings(model_id):
            for forms in (self._spelt, self._shortened):
                if form in forms:
                    owners = forms[form]
                    return (next(iter(owners)), how) if len(owners) == 1 else None
        return None


def alias_rows(ids: Iterable[str], registry: Registry) -> list[tuple[str, str, str]]:
    """Alias, fact id and how, for all ids that are spellings of a model but not listed by its fact."""
    index, rows = ModelIndex(registered(registry)), {}
    for model_id in ids:
        if match_model(registry, model_id, "chat", None) is None or is_moving(model_id):
            continue
        for real_id in real_ids(model_id.lower()):
            found = index.resolve(real_id)
            if found and found[1] != "listed":
                rows[real_id] = (real_id, *found)
    return [rows[key] for key in sorted(rows)]


def registered(registry: Registry) -> Iterator[EnergyCoefficient]:
    """The coefficients that no later one takes the place of."""
    facts = [fact for fact in registry.facts("energy") if isinstance(fact, EnergyCoefficient)]
    superseded = {fact.supersedes for fact in facts}
    return (fact for fact in facts if fact.id not in superseded)


def is_moving(model_id: str) -> bool:
    """Whether the name stands for another model from time to time."""
    return model_id.startswith("~") or re.search(r"-latest(?:[:@-]|$)", model_id.lower()) is not None


def table_text(rows: list[tuple[str, str, str]]) -> str:
    """The text of the table."""
    text = io.StringIO()
    text.write(f"# Generated by `{COMMAND}` from the ids of genai-prices and the registry; do not edit.\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "fact", "how"))
    writer.writerows(rows)
    return text.getvalue()


def main() -> int:
    """Write the table, or with `--check` compare it; 0 done, 1 the table is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the table would change")
    options = parser.parse_args()
    names = (name for entries in catalogue_ids().values() for name, _ in entries)
    text = table_text(alias_rows(names, Registry.bundled()))
    if options.check:
        return int(not FILE.is_file() or FILE.read_text(encoding="utf-8") != text)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
