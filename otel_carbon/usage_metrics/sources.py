"""Which metrics report token usage and what their points count, as data in `sources.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_carbon.spans.dialect import TEXT_FIELDS, known_dialects
from otel_carbon.spans.region import SPAN_REGION_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES = Path(__file__).parent / "sources.toml"
INPUT, CACHE_READ, CACHE_WRITE = "input_tokens", "cache_read_tokens", "cache_write_tokens"
OUTPUT, REASONING = "output_tokens", "reasoning_tokens"
COUNTS = (INPUT, CACHE_READ, CACHE_WRITE, OUTPUT, REASONING)
"""What a point may count; `sources.toml` says what they cover."""
CONVENTION = "gen-ai"
"""The dialect whose attribute keys are read where a family names none of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Metrics of one emitter or convention that belong together.

    Attributes:
        name: its name.
        keys: for each of `TEXT_FIELDS` the attribute keys, in order of preference.
        operations: its own words for operations, in lower case, to those of the GenAI conventions.
        provider: who runs the models of points that name no provider; empty when unknown.
        provider_of_model: patterns of model names that give another provider away.
        replaces: names of families that say the same in another way.
        excludes_cache: whether its input count leaves out what is read from and written to a cache.
    """

    name: str
    keys: Mapping[str, tuple[str, ...]]
    operations: Mapping[str, str]
    provider: str
    provider_of_model: Mapping[str, str]
    replaces: frozenset[str]
    excludes_cache: bool
    text_keys: tuple[str, ...] = field(init=False)
    """Every key that says something of a call."""

    def __post_init__(self) -> None:
        keys = (key for of_field in self.keys.values() for key in of_field)
        object.__setattr__(self, "text_keys", tuple(dict.fromkeys((*keys, SPAN_REGION_KEY))))

    def provider_by_model(self, model: str) -> str:
        """The provider of a model's spelling, or of all models; empty when neither says."""
        named = (provider for pattern, provider in self.provider_of_model.items() if fnmatchcase(model, pattern))
        return next(named, self.provider)


@dataclass(frozen=True, slots=True, eq=False)
class UsageMetric:
    """One metric.

    Attributes:
        name: its name.
        family: what it belongs to.
        by: the attribute that says what a point counts; empty when all count the same.
        counts: the values of that attribute to one of `COUNTS`; the empty text when all count the same.
        calls: the one of `COUNTS` whose histogram has a recording for each call; empty when none has.
    """

    name: str
    family: Family
    by: str
    counts: Mapping[str, str]
    calls: str

    def count_of(self, attributes: Mapping[str, object]) -> str:
        """What a point with these attributes counts, one of `COUNTS`; empty for what is not read."""
        said = attributes.get(self.by) if self.by else ""
        return self.counts.get(said, "") if isinstance(said, str) else ""


@lru_cache(maxsize=1)
def known_metrics() -> Mapping[str, UsageMetric]:
    """The metrics by name, read when first asked for."""
    return metrics_from(tomllib.loads(SOURCES.read_text(encoding="utf-8"))["family"])


def metrics_from(records: list[dict[str, Any]]) -> dict[str, UsageMetric]:
    """Metrics by name, from the tables of their families."""
    found: dict[str, UsageMetric] = {}
    for record in records:
        family = _family(record)
        for metric in record["metric"]:
            counts = metric["counts"]
            by_value = {"": counts} if isinstance(counts, str) else counts
            found[metric["name"]] = UsageMetric(
                metric["name"], family, metric.get("by", ""), by_value, metric.get("calls", "")
            )
    return found


def _family(record: dict[str, Any]) -> Family:
    convention = next(dialect for dialect in known_dialects().all if dialect.name == CONVENTION)
    own = record.get("keys", {})
    return Family(
        record["name"],
        {name: tuple(own.get(name, convention.keys[name])) for name in TEXT_FIELDS},
        convention.operations,
        record.get("provider", ""),
        record.get("provider_of_model", {}),
        frozenset(record.get("replaces", ())),
        record.get("input") == "excludes_cache",
    )
