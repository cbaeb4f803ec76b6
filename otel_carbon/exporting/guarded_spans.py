"""Which spans the exported statements look at, as conditions in OTTL; every other span passes as it came.

They read the current names of the GenAI conventions. Spans of dialects with other names or other meanings are for our
own collector, which may come behind: a span that passed without a status is one that it still judges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.exporting.ottl_text import any_of, attribute, matches
from otel_carbon.spans.dialect import DERIVED_KEYS, known_dialects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_carbon.spans.dialect import Dialect

PLAIN_DIALECT = "gen-ai"
"""The dialect of scopes that nobody knows, whose keys are read."""
OFFICIAL_DIALECT = "otel-genai"
HANDLED_DIALECTS = frozenset((PLAIN_DIALECT, OFFICIAL_DIALECT, "otel-carbon-capture", "sdk-native"))
OTHER_BASIS_SCOPES = ("opentelemetry.instrumentation.genai.bedrock",)
"""Official packages whose input counts leave out cache."""


def plain_dialect() -> Dialect:
    """The dialect whose keys are read."""
    return next(each for each in known_dialects().all if each.name == PLAIN_DIALECT)


def official_dialect() -> Dialect:
    """The dialect of the official packages, which know fewer keys."""
    return next(each for each in known_dialects().all if each.name == OFFICIAL_DIALECT)


def guard() -> str:
    """The condition on which a span is looked at at all, cheapest parts first."""
    present = any_of(f"{attribute(key)} != nil" for key in plain_dialect().telltale)
    absent = _all_absent((ours.STATUS, ours.METERED_BOUNDARY, *ruled_keys()))
    scopes = f"not {matches('scope.name', foreign_scopes())}"
    told_apart = any_of((_all_absent(foreign_telltales()), matches("scope.name", _handled_scopes())))
    older = any_of((f"not {matches('scope.name', _pattern(official_dialect().scopes))}", _all_absent(older_keys())))
    return f"{present} and span.kind != SPAN_KIND_SERVER and {absent} and {scopes} and {told_apart} and {older}"


def _all_absent(keys: Iterable[str]) -> str:
    return "(" + " and ".join(f"{attribute(key)} == nil" for key in keys) + ")"


def foreign_telltales() -> tuple[str, ...]:
    """Keys by which spans of scopes that nobody knows are told to be of other dialects."""
    others = (key for each in known_dialects().all if each.name not in HANDLED_DIALECTS for key in each.telltale)
    return tuple(dict.fromkeys(others))


def ruled_keys() -> tuple[str, ...]:
    """Keys that our rules look at to tell what a span is."""
    roles = (rule for rule in plain_dialect().rules if "role" in rule.effects)
    return tuple(dict.fromkeys(when.key for rule in roles for when in rule.when if when.key not in DERIVED_KEYS))


def _handled_scopes() -> str:
    """The regular expression of scopes that are known and whose spans are looked at."""
    return _pattern([scope for each in known_dialects().all if each.name in HANDLED_DIALECTS for scope in each.scopes])


def foreign_scopes() -> str:
    """The regular expression of scopes whose spans are left."""
    scopes = [scope for each in known_dialects().all if each.name not in HANDLED_DIALECTS for scope in each.scopes]
    return _pattern((*scopes, *OTHER_BASIS_SCOPES))


def _pattern(scopes: Sequence[str]) -> str:
    """Scopes that start with whole parts of these names, as dialects are told by."""
    whole = sorted(scope for scope in scopes if not scope.endswith("/"))
    started = sorted(scope for scope in scopes if scope.endswith("/"))
    parts = [f"^(?:{'|'.join(map(re.escape, whole))})(?:$|[./:@-])"]
    return "|".join((*parts, *(f"^{re.escape(scope)}" for scope in started)))


def older_keys() -> Iterator[str]:
    """Keys that the official packages do not write, so that their spans mean nothing by them."""
    official, plain = official_dialect(), plain_dialect()
    for field, keys in plain.keys.items():
        if field != "total_tokens":  # which decides nothing where counts are as the conventions want them
            yield from (key for key in keys if key not in official.keys[field])
