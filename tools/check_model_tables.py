"""Checks the tables of models beside the facts about energy: ids, sizes, dates, families and sources."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from tools.generate_aliases import is_moving  # noqa: E402 - needs the path above
from tools.model_tables import ENERGY, Model, listed, read_models, read_rows  # noqa: E402 - needs the path above

if TYPE_CHECKING:
    from collections.abc import Iterator

FACT_ID = re.compile(r"energy/[a-z0-9-]+/[a-z0-9.-]+@\d{4}-\d\d-\d\d")
EVIDENCE = ("published", "name", "guessed")
OPERATIONS = {"chat", "text_completion", "generate_content", "embeddings"}


def complaints() -> Iterator[str]:
    """One sentence for each mistake in the tables."""
    models = read_models()
    families = {row["family"]: row for row in read_rows("families.csv")}
    sources = _source_ids()
    owners: dict[str, str] = {}
    for model in models:
        where = f"{model.table}: {model.fact_id}"
        for sentence in (*_of_sizes(model), *_of_words(model), *_of_dates_and_prices(model)):
            yield f"{where}: {sentence}"
        if model.cells["family"] not in families:
            yield f"{where}: family {model.cells['family']} is not in families.csv"
        for source in listed(model.cells["sources[]"]):
            if source not in sources:
                yield f"{where}: source {source} is in no sources table"
        for name in dict.fromkeys((model.fact_id, *(i.lower() for i in model.ids))):
            if name in owners:
                yield f"{where}: {name} stands in {owners[name]} already"
            owners[name] = model.fact_id
    yield from _of_aliases({m.fact_id for m in models}, owners)
    yield from _of_families(families, {m.cells["family"] for m in models})
    yield from _of_frozen_facts(owners)


def _of_sizes(model: Model) -> Iterator[str]:
    try:
        active_low, active_high, total_low, total_high = (
            float(model.cells[f"{part}_b.{bound}"]) for part in ("active", "total") for bound in ("low", "high")
        )
    except ValueError as error:
        yield f"sizes: {error}"
        return
    if not 0 < active_low <= active_high or not total_low <= total_high:
        yield "a low is above its high, or not above 0"
    if active_low > total_low or active_high > total_high:
        yield "more parameters active than there are"


def _of_words(model: Model) -> Iterator[str]:
    if not FACT_ID.fullmatch(model.fact_id):
        yield "the id is not energy/developer/model@date"
    evidence = model.cells["size_evidence"]
    if evidence not in EVIDENCE or (evidence == "guessed") != (model.table == "ecologits_sizes.csv"):
        yield f"size_evidence {evidence!r} does not belong in this table"
    if not listed(model.cells["operations[]"]) or set(listed(model.cells["operations[]"])) - OPERATIONS:
        yield "operations are unknown"
    if model.cells["open_weights"] not in ("true", "false"):
        yield "open_weights is true or false"
    if not model.ids or not model.cells["sources[]"]:
        yield "needs an id that calls report, and a source"
    for model_id in listed(model.cells["models[]"]):
        if is_moving(model_id) or model_id != model_id.lower():
            yield f"{model_id} moves or is not in lower case"


def _of_dates_and_prices(model: Model) -> Iterator[str]:
    for column in ("valid_from", "price_date"):
        try:
            if model.cells[column] or column == "valid_from":
                dt.date.fromisoformat(model.cells[column])
        except ValueError as error:
            yield f"{column}: {error}"
    prices = [model.cells["input_usd_per_mtok"], model.cells["output_usd_per_mtok"]]
    if any(prices) != bool(model.cells["price_date"]):
        yield "price and price_date go together"
    if any(price and float(price) <= 0 for price in prices):
        yield "a price of 0 is no price"


def _of_aliases(fact_ids: set[str], owners: dict[str, str]) -> Iterator[str]:
    for row in read_rows("aliases.csv"):
        if row["model_fact_id"] not in fact_ids:
            yield f"aliases.csv: {row['alias']}: no row {row['model_fact_id']}"
        if owners.get(row["alias"], row["model_fact_id"]) != row["model_fact_id"]:
            yield f"aliases.csv: {row['alias']} stands in {owners[row['alias']]} already"


def _of_families(families: dict[str, dict[str, str]], named: set[str]) -> Iterator[str]:
    for name, row in families.items():
        others = listed(row["sized_by[]"])
        if name not in named and not any(other in named for other in others):
            yield f"families.csv: {name} has no member, and nothing to be sized by"
        for other in others:
            if other not in families:
                yield f"families.csv: {name}: no family {other}"


def _of_frozen_facts(owners: dict[str, str]) -> Iterator[str]:
    """The single facts in YAML: a row has to know all their names to supersede them."""
    from ruamel.yaml import YAML

    for path in sorted(ENERGY.glob("*.yaml")):
        for fact_id, fact in (YAML(typ="safe").load(path).get("facts") or {}).items():
            rows = {owners.get(name.lower(), "nothing") for name in (*fact["models"], *fact["aliases"])}
            if len(rows) != 1 or "nothing" in rows:
                yield f"{path.name}: {fact_id} is covered by {', '.join(sorted(rows))}"


def _source_ids() -> set[str]:
    from ruamel.yaml import YAML

    files = (ENERGY / "model_sources.yaml", ENERGY.parent / "sources.yaml")
    return {source for path in files for source in YAML(typ="safe").load(path)["sources"]}


def main() -> int:
    """Print all mistakes; 0 there are none, 1 there are some."""
    found = list(complaints())
    print("\n".join(found) or f"{len(read_models())} models, {len(read_rows('aliases.csv'))} aliases: no mistakes")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
