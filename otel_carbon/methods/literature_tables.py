"""Published figures and the fits to them, read from the data files when first asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.core.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class LiteratureSource:
    """Where a figure was read, under which licence, and on which day (year-month-day)."""

    producer: str
    title: str
    year: int
    url: str
    locator: str
    licence: str
    accessed: str
    note: str


class QueryFit(NamedTuple):
    """Terms of a query's energy at the facility, in Wh; None where the source has too few points for them."""

    hardware: str
    points: int
    """How many queries the terms were fitted to."""
    input_wh_per_ktoken: float | None
    output_wh_per_ktoken: float | None
    request_wh: float | None
    largest_relative_error: float | None


class FitSource(NamedTuple):
    """What all fits to one source have in common."""

    source: str
    boundary: str
    counts: tuple[str, ...]
    not_mid_because: tuple[str, ...]


class Disclosure(NamedTuple):
    """A published figure with its boundary and functional unit; None where an amount is not published.

    `output_tokens` is the length of the answer that the amounts are for, where they may be scaled to another length.
    """

    developers: tuple[str, ...]
    models: tuple[str, ...]
    source: str
    functional_unit: str
    boundary: str
    counts: tuple[str, ...]
    energy_wh: Interval | None
    water_ml: Interval | None
    emissions_gco2e: Interval | None
    output_tokens: int | None
    comparable: tuple[str, ...]
    not_mid_because: tuple[str, ...]


@lru_cache(maxsize=1)
def sources() -> Mapping[str, LiteratureSource]:
    """Source id to the source."""
    return {name: LiteratureSource(**record) for name, record in _content("literature.json")["sources"].items()}


@lru_cache(maxsize=1)
def fits() -> Mapping[str, QueryFit]:
    """Model to the terms of its queries."""
    records = _content("jegham_2025.json")["models"]
    return {model: QueryFit(*(record.get(name) for name in QueryFit._fields)) for model, record in records.items()}


@lru_cache(maxsize=1)
def fit_source() -> FitSource:
    """What the fits rest on."""
    return FitSource(**_with_tuples(_content("literature.json")["fit"]))


@lru_cache(maxsize=1)
def disclosures() -> Mapping[str, Disclosure]:
    """Name of a published figure to the figure."""
    return {name: _disclosure(record) for name, record in _content("literature.json")["disclosures"].items()}


def plain_name(model: str) -> str:
    """The name under which the tables here hold a model; dated names lead to it, and letter case does not count."""
    lowered = model.lower()
    name: str = _content("literature.json")["names"].get(lowered, lowered)
    return name


def _disclosure(record: Mapping[str, Any]) -> Disclosure:
    amounts = {name: Interval(**record[name]) if record[name] else None for name in _AMOUNTS}
    return Disclosure(**_with_tuples(record) | amounts)


_AMOUNTS = ("energy_wh", "water_ml", "emissions_gco2e")


def _with_tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(entry) if isinstance(entry, list) else entry for key, entry in record.items()}


@lru_cache(maxsize=2)
def _content(name: str) -> dict[str, Any]:
    text = (files("otel_carbon.methods") / "data" / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
