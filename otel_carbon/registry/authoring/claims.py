"""Checks that no two facts claim the same subject on the same day, so that a look-up never has to guess."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

from otel_carbon.registry.facts import kind_of
from otel_carbon.registry.spellings import same_signs
from otel_carbon.registry.subjects import NAME_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.registry.authoring.documents import Documents
    from otel_carbon.registry.authoring.records import Record
    from otel_carbon.registry.compiled import CompiledRegistry
    from otel_carbon.yaml_source import Problem

NEVER = "9999-12-31"


def claim_problems(
    documents: Documents, facts: Mapping[str, Record], base: CompiledRegistry | None
) -> Iterator[Problem]:
    """Every subject that two facts claim on the same day, unless one of them is superseded.

    A later figure for the same place may simply begin later: the latest `valid_from` wins. Not so for models, where a
    second claim is most likely an id in the wrong list.
    """
    superseded = {record["supersedes"] for record in facts.values()}
    claims: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for fact_id in sorted(facts):
        names = _names(facts[fact_id])
        yield from _repetitions(documents, facts[fact_id])
        yield from _abandoned(documents, facts, fact_id, base)
        if fact_id not in superseded:
            for name in _forms(kind_of(fact_id), names):
                claims[kind_of(fact_id), name].append(facts[fact_id])
    yield from _stolen(documents, claims)
    for (kind, name), claimants in sorted(claims.items()):
        for first, second in combinations(claimants, 2):
            if _collide(kind, first, second):
                place = documents.facts[str(second["id"])].place
                yield place.problem(f"claims {name!r} on days when {first['id']} does; keep one, or use `supersedes`")


def _forms(kind: str, names: set[str]) -> set[str]:
    """The names, those of models with their signs written one way, since they are looked up so too."""
    return {same_signs(name) for name in names} if kind == "energy" else names


def _stolen(documents: Documents, claims: Mapping[tuple[str, str], list[Record]]) -> Iterator[Problem]:
    """Rows of alias tables that give one fact the name of another, or the same name with other signs."""
    given: dict[str, str] = {}
    for alias, entry in documents.aliases.items():
        form, fact_id = same_signs(alias), str(entry.content)
        owners = {str(record["id"]) for record in claims.get(("energy", form), ())} | {given.setdefault(form, fact_id)}
        if others := sorted(owners - {fact_id}):
            yield entry.problem(f"gives it the name {alias!r} of {others[0]}; keep one")


def _abandoned(
    documents: Documents, facts: Mapping[str, Record], fact_id: str, base: CompiledRegistry | None
) -> Iterator[Problem]:
    """Names of a superseded fact that its successor does not take over: they would be left without any fact."""
    earlier_id = str(facts[fact_id]["supersedes"])
    earlier = facts.get(earlier_id) or (base.facts.get(earlier_id) if base else None)
    if earlier is None or kind_of(earlier_id) != kind_of(fact_id):
        return
    left = sorted(_names(earlier) - _names(facts[fact_id]))
    if left:
        message = f"leaves {', '.join(map(repr, left))} of {earlier_id} without a fact; claim all that it claimed"
        yield documents.facts[fact_id].problem(message, "supersedes")


def _names(record: Mapping[str, Any]) -> set[str]:
    kind = kind_of(str(record["id"]))
    if kind == "grid":
        return {f"{record['zone']}/{record['basis']}".lower()}
    if kind == "embodied":
        return {"any hardware"}
    return {name.lower() for field in NAME_FIELDS.get(kind, ()) for name in _texts(record, field)}


def _texts(record: Mapping[str, Any], field: str) -> list[str]:
    content = record[field]
    return content if isinstance(content, list) else [str(content)]


def _repetitions(documents: Documents, record: Record) -> Iterator[Problem]:
    if kind_of(str(record["id"])) != "energy":
        return
    seen: set[str] = set()
    for field in NAME_FIELDS["energy"]:
        for name in _texts(record, field):
            if name.lower() in seen:
                draft = documents.facts[str(record["id"])]
                yield draft.problem(f"repeats {name!r} (case does not matter); remove it", field)
            seen.add(name.lower())


def _collide(kind: str, first: Record, second: Record) -> bool:
    first_from, second_from = str(first["valid_from"]), str(second["valid_from"])
    overlap = first_from < str(second["valid_to"] or NEVER) and second_from < str(first["valid_to"] or NEVER)
    return overlap and (kind == "energy" or first_from == second_from)
