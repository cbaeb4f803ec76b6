"""Checks that whatever a fact names (source, zone, site, superseded fact) exists, here or in the base registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.registry.facts import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.registry.authoring.documents import Documents, Draft
    from otel_carbon.registry.compiled import CompiledRegistry
    from otel_carbon.yaml_source import Entry, Problem

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "direct": {"zone": "zone"},
    "grid": {"zone": "zone"},
    "provider": {"site": "site", "zone": "zone"},
    "region": {"site": "site", "zone": "zone"},
    "water": {"zone": "zone"},
    "zone": {"water_zone": "water"},
}
"""For each kind of fact: its fields that name the subject of another fact, with the kind of that one."""

SUBJECT_FIELD = {"site": "site", "water": "zone", "zone": "zone"}


def reference_problems(documents: Documents, base: CompiledRegistry | None) -> Iterator[Problem]:
    """Every name that leads nowhere."""
    sources = set(documents.sources) | set(base.sources if base else ())
    subjects = {kind: _subjects(kind, documents, base) for kind in SUBJECT_FIELD}
    yield from _alias_problems(documents)
    for draft in documents.facts.values():
        yield from _source_problems(draft, sources)
        yield from _supersession_problems(draft, documents, base)
        for field, kind in REFERENCES.get(kind_of(draft.id), {}).items():
            entry = draft.fields.get(field)
            if entry is not None and entry.content not in subjects[kind]:
                message = f"names {entry.content!r}, which no {kind} fact is about; add that fact or correct the name"
                yield entry.problem(message)


def _alias_problems(documents: Documents) -> Iterator[Problem]:
    for entry in documents.aliases.values():
        fact_id = str(entry.content)
        if fact_id not in documents.facts or kind_of(fact_id) != "energy":
            yield entry.problem(f"names {fact_id!r}, which is no energy fact of this directory; correct the id")


def _subjects(kind: str, documents: Documents, base: CompiledRegistry | None) -> set[object]:
    field = SUBJECT_FIELD[kind]
    own = {
        draft.fields[field].content
        for draft in documents.facts.values()
        if kind_of(draft.id) == kind and field in draft.fields
    }
    based = {record[field] for fact_id, record in base.facts.items() if kind_of(fact_id) == kind} if base else set()
    return own | based


def _source_problems(draft: Draft, sources: set[str]) -> Iterator[Problem]:
    entry = draft.fields.get("sources")
    named = entry.content if entry is not None and isinstance(entry.content, tuple) else ()
    for part in named:
        if part.content not in sources:
            yield part.problem(f"names {part.content!r}, which is no source; add it to the sources or correct the id")


def _supersession_problems(draft: Draft, documents: Documents, base: CompiledRegistry | None) -> Iterator[Problem]:
    entry = draft.fields.get("supersedes")
    if entry is None or entry.content is None:
        return
    earlier_id = str(entry.content)
    if earlier_id == draft.id:
        yield entry.problem("names the fact itself; name the earlier one")
    elif kind_of(earlier_id) != kind_of(draft.id):
        yield entry.problem(f"names {earlier_id!r}, a fact of another kind; name one of the same kind")
    elif draft.id in _chain(earlier_id, documents):
        yield entry.problem(f"names {earlier_id!r}, which in turn supersedes this one; leave one of them out")
    elif earlier_id in documents.facts:
        earlier_from = documents.facts[earlier_id].fields.get("valid_from")
        yield from _gap_problems(draft, entry, earlier_from.content if earlier_from else None)
    elif base is not None and earlier_id in base.facts:
        yield from _gap_problems(draft, entry, base.facts[earlier_id]["valid_from"])
    else:
        yield entry.problem(f"names {earlier_id!r}, which is no fact; correct the id")


def _chain(fact_id: str, documents: Documents) -> set[str]:
    """The facts that a fact of this directory supersedes, one after the other."""
    found: set[str] = set()
    while fact_id in documents.facts and fact_id not in found:
        found.add(fact_id)
        entry = documents.facts[fact_id].fields.get("supersedes")
        fact_id = str(entry.content) if entry else ""
    return found | {fact_id}


def _gap_problems(draft: Draft, supersedes: Entry, earlier_from: object) -> Iterator[Problem]:
    """A superseded fact is passed over on all days, so its successor must begin no later."""
    valid_from = draft.fields.get("valid_from")
    if valid_from is not None and earlier_from is not None and str(valid_from.content) > str(earlier_from):
        message = (
            f"begins on {valid_from.content}, later than the superseded fact ({earlier_from}); the days between would "
            "have no fact: begin on the same day, or leave `supersedes` out"
        )
        yield supersedes.problem(message)
