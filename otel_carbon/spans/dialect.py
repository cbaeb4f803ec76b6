"""How each family of instrumentations spells what we read, as data: keys to read, and rules for what they mean.

Authored in `dialects/*.toml`, compiled to `dialects/compiled.json` by `tools/generate_dialects.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPILED = Path(__file__).parent / "dialects" / "compiled.json"
COUNT_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
    "uncached_input_tokens",
    "visible_output_tokens",
)
TEXT_FIELDS = ("operation", "provider", "response_model", "request_model", "address")
FIELDS = (*COUNT_FIELDS, "response_id", *TEXT_FIELDS)
"""What a dialect may name keys for; of several keys the first present one is read."""

PATH_MARK = "#"
"""`key#a.b` is the member `b` of the member `a` of the JSON text in the attribute `key`."""
KIND, FAILED, COUNTS, MODEL = "@kind", "@failed", "@counts", "@model"
PROVIDER, OPERATION, SCOPE, VERSION = "@provider", "@operation", "@scope", "@scope_version"
DERIVED_KEYS = (KIND, FAILED, COUNTS, MODEL, PROVIDER, OPERATION, SCOPE, VERSION)
"""What rules may ask of a span beside its attributes."""


class Condition(NamedTuple):
    """What an attribute must be: present (`True`), absent (`False`), or like one of some patterns (`*` is anything)."""

    key: str
    wanted: bool | tuple[str, ...]

    def holds(self, found: object | None) -> bool:
        """Whether the attribute's value, `None` when absent, is as wanted."""
        if isinstance(self.wanted, bool):
            return (found is not None) == self.wanted
        if isinstance(found, bool):
            found = str(found).lower()
        return found is not None and any(fnmatchcase(str(found), pattern) for pattern in self.wanted)


class Rule(NamedTuple):
    """What follows when all conditions hold; of several rules that say something of one matter the first counts.

    Effects, each optional:
        role: `inference`, `aggregate`, `other` or `none` (no GenAI span).
        operation: the operation in the words of the GenAI conventions.
        provider: whose servers ran the model, where the span says otherwise or nothing.
        usage: `none`, `invented` or `cache_hit` where the counts are not those of a model that ran.
        input: what the input count covers: `includes_cache`, `excludes_cache`, `by_total` (whichever fits the total),
            `by_size` (excluded when cache is larger) or `partial` (a part of a total that is not told).
        output: what the output count covers: `includes_reasoning`, `excludes_reasoning`, `by_size` (excluded when
            reasoning is larger), `rest_of_total` (thoughts show only in the total) or `partial`.
        zeros: `unknown` where zero or NaN for both input and output stands for nothing known.
        assume: a code for what is known to be off with the counts.
    """

    when: tuple[Condition, ...]
    effects: Mapping[str, str]

    def holds(self, found: Mapping[str, object | None]) -> bool:
        """Whether all conditions hold of these attributes."""
        return all(condition.holds(found.get(condition.key)) for condition in self.when)


EFFECTS: Mapping[str, tuple[str, ...]] = {
    "role": ("inference", "aggregate", "other", "none"),
    "operation": (),
    "provider": (),
    "usage": ("none", "invented", "cache_hit"),
    "input": ("includes_cache", "excludes_cache", "by_total", "by_size", "partial"),
    "output": ("includes_reasoning", "excludes_reasoning", "by_size", "rest_of_total", "partial"),
    "zeros": ("unknown",),
    "assume": (),
}
"""What rules may say, and the words for it; none listed: any."""


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One family of conventions.

    Attributes:
        name: its name, as the counter of seen spans shows it.
        scopes: instrumentation scope names or their first parts, the longest of all dialects wins.
        markers: texts of which the bytes of every span hold one.
        telltale: keys of which a span of an unknown scope must carry one to be read this way.
        trust: how far its counts are believed where spans of one call disagree; more is better.
        keys: for each of `FIELDS` the attribute keys, in order of preference.
        operations: its own words for operations, in lower case, to those of the GenAI conventions.
        rules: in order.
    """

    name: str
    scopes: tuple[str, ...]
    markers: tuple[str, ...]
    telltale: tuple[str, ...]
    trust: int
    keys: Mapping[str, tuple[str, ...]]
    operations: Mapping[str, str]
    rules: tuple[Rule, ...]

    def condition_keys(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The attribute keys that rules ask for: those whose text matters, and those whose presence does."""
        asked = [condition for rule in self.rules for condition in rule.when if condition.key not in DERIVED_KEYS]
        by_text = dict.fromkeys(each.key for each in asked if not isinstance(each.wanted, bool))
        return tuple(by_text), tuple(dict.fromkeys(each.key for each in asked if each.key not in by_text))


@dataclass(frozen=True, slots=True, eq=False)
class Dialects:
    """All dialects, in the order in which spans of unknown scopes are tried."""

    all: tuple[Dialect, ...]
    _by_prefix: tuple[tuple[str, Dialect], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        prefixes = [(scope, dialect) for dialect in self.all for scope in dialect.scopes]
        longest_first = tuple(sorted(prefixes, key=lambda pair: len(pair[0]), reverse=True))
        object.__setattr__(self, "_by_prefix", longest_first)

    def of_scope(self, scope: str) -> Dialect | None:
        """The dialect of an instrumentation scope; `None` for a scope that none is known for."""
        return next((dialect for first, dialect in self._by_prefix if _starts_with(scope, first)), None)

    @property
    def telltale_keys(self) -> frozenset[str]:
        """Keys of which every GenAI span of any dialect carries one."""
        return frozenset(key for dialect in self.all for key in dialect.telltale)

    @property
    def usage_keys(self) -> frozenset[str]:
        """Attribute keys that counts and models are read from."""
        fields = (*COUNT_FIELDS, "response_id", "response_model", "request_model")
        keys = (key for dialect in self.all for name in fields for key in dialect.keys[name])
        return frozenset(key.partition(PATH_MARK)[0] for key in keys)


def _starts_with(scope: str, first: str) -> bool:
    """Whether a scope name starts with these whole parts: `ai` is the first part of `ai.x`, and not of `aiohttp`."""
    return scope.startswith(first) and (scope[len(first) : len(first) + 1] in _PART_ENDS or first.endswith("/"))


_PART_ENDS = ("", ".", "/", "-", ":", "@")


@lru_cache(maxsize=1)
def known_dialects() -> Dialects:
    """The dialects that come with the package, read when first asked for."""
    return dialects_from(json.loads(COMPILED.read_text(encoding="utf-8"))["dialects"])


def dialects_from(records: list[dict[str, Any]]) -> Dialects:
    """Dialects from their compiled form."""
    return Dialects(tuple(_dialect(record) for record in records))


def _dialect(record: dict[str, Any]) -> Dialect:
    return Dialect(
        record["name"],
        tuple(record["scopes"]),
        tuple(record["markers"]),
        tuple(record["telltale"]),
        record["trust"],
        {name: tuple(record["keys"].get(name, ())) for name in FIELDS},
        record["operations"],
        tuple(_rule(rule) for rule in record["rules"]),
    )


def _rule(record: dict[str, Any]) -> Rule:
    conditions = (
        Condition(key, wanted if isinstance(wanted, bool) else tuple(wanted)) for key, wanted in record["when"].items()
    )
    return Rule(tuple(conditions), {name: record[name] for name in EFFECTS if name in record})
