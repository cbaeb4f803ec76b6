"""What facts are about: the names under which they are looked up, without regard to case."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from otel_carbon.registry.facts import kind_of
from otel_carbon.registry.spellings import same_signs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ANY_HARDWARE = "any"
"""The subject of embodied factors, which so far tell no hardware apart."""

SIGNS_MARK = "~"
"""Before a model id whose signs are written one way; coefficients are found under those too."""

NAME_FIELDS: Mapping[str, tuple[str, ...]] = {
    "activity": ("product", "names"),
    "assessment": ("models",),
    "characters": ("script",),
    "direct": ("zone",),
    "energy": ("models", "aliases"),
    "fallback": ("patterns",),
    "meter": ("boundary",),
    "provider": ("provider", "names"),
    "ratio": ("token_kind",),
    "region": ("region",),
    "site": ("site",),
    "water": ("zone",),
    "zone": ("zone", "names"),
}
"""The fields that hold the names under which a fact is found, by kind of fact; case does not matter.

A grid is found by its zone and basis together, an embodied factor for any hardware.
"""

Index = dict[str, dict[str, list[int]]]
"""Kind of fact to subject in lower case to all facts about it, superseded ones included.

A fact is given by its place among all ids in their order, which keeps the compiled form short.
"""


def index_of(records: Mapping[str, Mapping[str, Any]], aliases: Mapping[str, str]) -> Index:
    """The facts by kind and subject; `aliases` are further names of models to the ids of their energy facts."""
    index: Index = defaultdict(lambda: defaultdict(list))
    places = {fact_id: place for place, fact_id in enumerate(sorted(records))}
    for fact_id, place in places.items():
        for subject in dict.fromkeys(name.lower() for name in subjects_of(records[fact_id])):
            index[kind_of(fact_id)][subject].append(place)
    for alias, fact_id in sorted(aliases.items()):
        found = index["energy"][alias.lower()]
        if fact_id in places and places[fact_id] not in found:
            found.append(places[fact_id])
    return {kind: dict(subjects) for kind, subjects in index.items()}


def subjects_of(record: Mapping[str, Any]) -> Iterator[str]:
    """The names that a record is found under; a malformed one may have none."""
    kind = kind_of(record["id"])
    if kind == "grid":
        yield f"{record.get('zone')}/{record.get('basis')}"
    elif kind == "embodied":
        yield ANY_HARDWARE
    elif kind == "range":
        yield record["id"].partition("@")[0].removeprefix("range/")
    for field in NAME_FIELDS.get(kind, ()):
        named = record.get(field, ())
        names = [named] if isinstance(named, str) else named
        yield from names
        if kind == "energy":
            forms = ((name.lower(), same_signs(name)) for name in names)
            yield from (SIGNS_MARK + form for name, form in forms if form != name)
