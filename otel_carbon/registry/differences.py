"""What differs between two registries: facts that came, went or changed, and sources."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.interval import Interval
from otel_carbon.registry.facts import kind_of
from otel_carbon.registry.subjects import subjects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fact, Source

ADDED, FOLLOWED_UP, SUPERSEDED, RETIRED = "added", "followed_up", "superseded", "retired"
EDITED, REMOVED, PASSED_OVER = "edited", "removed", "passed_over"
CHANGES = {
    ADDED: "The fact is new, and so is what it is about.",
    FOLLOWED_UP: "A fact about the same applies from a later day on; earlier calls keep the earlier one.",
    SUPERSEDED: "The fact takes the place of another, on all days.",
    RETIRED: "The fact takes the place of another and lets it end.",
    EDITED: "Both registries have the id, with other content: no released fact may change.",
    REMOVED: "Only the first registry has the fact.",
    PASSED_OVER: "The fact is new and is itself superseded already.",
}
"""What can have become of a fact, from codes to sentences."""

Amount = Interval | float
_OF_THE_RECORD = frozenset({"id", "sources", "supersedes", "published", "price_date"})
"""Fields that tell one record from another without changing what it says of calls."""


class AmountChange(NamedTuple):
    """An amount of a fact before and after, in the unit of the field's name."""

    field: str
    before: Amount
    after: Amount

    @property
    def ratio(self) -> float | None:
        """The mid after over the mid before; `None` where the latter is zero."""
        before, after = _mid(self.before), _mid(self.after)
        return after / before if before else None


class FactChange(NamedTuple):
    """What became of one fact; `before_id` is the fact that it stands in for, else empty."""

    change: str
    fact_id: str
    before_id: str
    amounts: tuple[AmountChange, ...]
    other_fields: tuple[str, ...]
    """Further fields that differ."""
    sources_added: tuple[str, ...]
    sources_removed: tuple[str, ...]


class RegistryDifference(NamedTuple):
    """All that differs from one registry to another."""

    facts: tuple[FactChange, ...]
    sources_added: tuple[str, ...]
    sources_removed: tuple[str, ...]
    sources_changed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return any(self)


def difference_between(before: Registry, after: Registry) -> RegistryDifference:
    """What differs from one registry to another, facts in the order of their ids."""
    old, new = ({fact.id: fact for fact in registry.facts()} for registry in (before, after))
    superseded = {fact.supersedes for fact in new.values()}
    subjects = _by_subject(old.values())
    changes: list[FactChange] = []
    for fact_id in sorted(old.keys() | new.keys()):
        if fact_id not in new:
            changes.append(_change(REMOVED, old[fact_id], None))
        elif fact_id not in old:
            changes.append(_new_fact(new, fact_id, old, superseded, subjects))
        elif _differing(old[fact_id], new[fact_id]):
            changes.append(_change(EDITED, new[fact_id], old[fact_id]))
    sources = [{source.id: source for source in registry.sources()} for registry in (before, after)]
    return RegistryDifference(tuple(changes), *_source_changes(*sources))


def _new_fact(
    new: Mapping[str, Fact],
    fact_id: str,
    old: Mapping[str, Fact],
    superseded: set[str | None],
    subjects: Mapping[tuple[str, str], Fact],
) -> FactChange:
    fact = new[fact_id]
    if fact_id in superseded:
        return _change(PASSED_OVER, fact, None)
    earlier = _superseded_by(new, fact, old)
    if earlier is not None:
        is_retired = fact.valid_to is not None and earlier.valid_to is None
        return _change(RETIRED if is_retired else SUPERSEDED, fact, earlier)
    same = [subjects[subject] for subject in _subjects(fact) if subject in subjects]
    followed = max((each for each in same if each.valid_from < fact.valid_from), key=_age, default=None)
    return _change(FOLLOWED_UP if followed else ADDED, fact, followed)


def _superseded_by(new: Mapping[str, Fact], fact: Fact, old: Mapping[str, Fact]) -> Fact | None:
    """The fact of the first registry that a new one supersedes, through others that are new as well."""
    seen: set[str] = set()
    link = fact.supersedes
    while link is not None and link not in seen:
        if link in old:
            return old[link]
        seen.add(link)
        link = new[link].supersedes if link in new else None
    return None


def _change(change: str, fact: Fact, earlier: Fact | None) -> FactChange:
    if earlier is None:
        return FactChange(change, fact.id, "", (), (), (), ())
    amounts, others = [], []
    for name in _differing(earlier, fact):
        was, now = getattr(earlier, name), getattr(fact, name)
        if _is_amount(was) and _is_amount(now):
            amounts.append(AmountChange(name, was, now))
        elif name not in _OF_THE_RECORD:
            others.append(name)
    return FactChange(
        change,
        fact.id,
        "" if earlier.id == fact.id else earlier.id,
        tuple(amounts),
        tuple(others),
        tuple(source for source in fact.sources if source not in earlier.sources),
        tuple(source for source in earlier.sources if source not in fact.sources),
    )


def _differing(one: Fact, other: Fact) -> tuple[str, ...]:
    """The fields in which two facts of a kind differ."""
    return tuple(field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name, None))


def _is_amount(entry: object) -> bool:
    return isinstance(entry, Interval | float | int) and not isinstance(entry, bool)


def _mid(amount: Amount) -> float:
    return amount.mid if isinstance(amount, Interval) else amount


def _by_subject(facts: Iterable[Fact]) -> dict[tuple[str, str], Fact]:
    """Kind and subject to the latest fact about it that none supersedes."""
    known = list(facts)
    superseded = {fact.supersedes for fact in known}
    latest: dict[tuple[str, str], Fact] = {}
    for fact in sorted((each for each in known if each.id not in superseded), key=_age):
        for subject in _subjects(fact):
            latest[subject] = fact
    return latest


def _subjects(fact: Fact) -> Iterator[tuple[str, str]]:
    record = {field.name: getattr(fact, field.name) for field in fields(fact)}
    return ((kind_of(fact.id), subject.lower()) for subject in subjects_of(record))


def _age(fact: Fact) -> tuple[str, str]:
    return (fact.valid_from.isoformat(), fact.id)


def _source_changes(
    old: Mapping[str, Source], new: Mapping[str, Source]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Ids of the sources that were added, removed and changed."""
    return (
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )
