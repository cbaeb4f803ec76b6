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
    from collections.abc import Iterator

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
    absent = [f"{attribute(key)} == nil" for key in (*_our_keys(), *_foreign_keys())]
    scopes = f"not {matches('scope.name', foreign_scopes())}"
    older = any_of((f"not {matches('scope.name', _scopes_of(official_dialect()))}", _no_older_keys()))
    return " and ".join((present, "span.kind != SPAN_KIND_SERVER", *absent, scopes, older))


def _our_keys() -> tuple[str, ...]:
    """Spans that were judged before are left, and those whose energy was metered."""
    return (ours.STATUS, ours.METERED_BOUNDARY)


def _foreign_keys() -> tuple[str, ...]:
    """Keys that tell other dialects, or that rules of ours look at to tell what a span is."""
    others = (key for each in known_dialects().all if each.name not in HANDLED_DIALECTS for key in each.telltale)
    ruled = (
        when.key
        for rule in plain_dialect().rules
        if "role" in rule.effects
        for when in rule.when
        if when.key not in DERIVED_KEYS
    )
    return tuple(dict.fromkeys((*others, *ruled)))


def foreign_scopes() -> str:
    """The regular expression of scopes whose spans are left."""
    scopes = [scope for each in known_dialects().all if each.name not in HANDLED_DIALECTS for scope in each.scopes]
    return _pattern((*scopes, *OTHER_BASIS_SCOPES))


def _scopes_of(dialect: Dialect) -> str:
    return _pattern(dialect.scopes)


def _pattern(scopes: tuple[str, ...]) -> str:
    """Scopes that start with whole parts of these names, as dialects are told by."""
    whole = sorted(scope for scope in scopes if not scope.endswith("/"))
    started = sorted(scope for scope in scopes if scope.endswith("/"))
    parts = [f"^(?:{'|'.join(map(re.escape, whole))})(?:$|[./:@-])"]
    return "|".join((*parts, *(f"^{re.escape(scope)}" for scope in started)))


def _no_older_keys() -> str:
    return " and ".join(f"{attribute(key)} == nil" for key in older_keys())


def older_keys() -> Iterator[str]:
    """Keys that the official packages do not write, so that their spans mean nothing by them."""
    official, plain = official_dialect(), plain_dialect()
    for field, keys in plain.keys.items():
        if field != "total_tokens":  # which decides nothing where counts are as the conventions want them
            yield from (key for key in keys if key not in official.keys[field])
