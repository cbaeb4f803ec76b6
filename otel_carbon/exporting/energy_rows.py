"""What an export says of models: the energy of their tokens, under every name, for calls of a stretch of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.footprint import Unestimated
from otel_carbon.errors import RegistryError
from otel_carbon.methods.call_place import CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.facts import Assessment, EnergyCoefficient, SizeMethod
from otel_carbon.registry.ladder import known_model, match_model
from otel_carbon.registry.places import SELF_HOSTED
from otel_carbon.registry.subjects import SIGNS_MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from otel_carbon.core.factors import EnergyPerToken, Factors, PerOutputToken
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fallback
    from otel_carbon.registry.ladder import Match

_NOBODY = "no provider of this name"
"""Stands for all providers that no fact says anything special of."""
_ONE_DAY = timedelta(days=1)


class Days(NamedTuple):
    """The first day and the last one, in UTC; without a last one there is no end in sight."""

    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class EnergyRow:
    """The energy of a model's tokens, for calls on some days.

    Attributes:
        coefficient_id: the fact that gives it.
        operations: what it covers.
        by_its_family: whether the model itself is not registered, so that another name of it may say more.
        open_weights: whether it may run on hardware of one's own.
        per_token: kWh of IT energy of a token of each kind, where whoever sells the model runs it.
        output_high_kwh_own_chips: the upper bound of an output token on a provider's own chips, where it differs.
        output_high_kwh_self_hosted: the same on hardware of one's own, where no price bounds it.
        supplier: who had its own service assessed, empty for nearly all; `assessed` is what came out.
        days: the days that this holds for.
    """

    coefficient_id: str
    operations: tuple[str, ...]
    by_its_family: bool
    open_weights: bool
    per_token: EnergyPerToken
    output_high_kwh_own_chips: float
    output_high_kwh_self_hosted: float
    supplier: str
    assessed: PerOutputToken | None
    days: Days


@dataclass(frozen=True, slots=True)
class ModelTable:
    """Names of models, in lower case, to their rows; the same row stands under all names of a model."""

    rows: tuple[EnergyRow, ...]
    row_of_name: dict[str, int]
    own_chips: frozenset[str]
    """Providers that run models on chips of their own."""


def model_table(registry: Registry, day: date, names: Sequence[str] = ()) -> ModelTable:
    """The rows of the named models, or of all that the registry lists, as they are on a day.

    Names that the registry does not list are matched as a call's would be, by family or size at the worst; those that
    nothing is known of are left out.
    """
    edges = _edges(registry)
    own_chips = frozenset(name for fact in registry.facts("method") for name in _own_chips(fact))
    numbers: dict[tuple[str, Days], int] = {}
    matches: list[tuple[str, Match, Days]] = []
    row_of_name: dict[str, int] = {}
    for name in _lookup_names(registry, names):
        match = _match(registry, name, day) if names else known_model(registry, name, day)
        if match is None:
            continue
        days = _days_of(registry, name, match, day, edges)
        number = numbers.setdefault((match.fact.id, days), len(matches))
        if number == len(matches):
            matches.append((name, match, days))
        row_of_name[name] = number
    rows = tuple(_row(registry, _Model(name, match.fact, day), days, own_chips) for name, match, days in matches)
    return ModelTable(rows, row_of_name, own_chips)


def _own_chips(fact: object) -> tuple[str, ...]:
    return fact.own_chips if isinstance(fact, SizeMethod) else ()


def _lookup_names(registry: Registry, names: Sequence[str]) -> Iterable[str]:
    """In lower case and sorted; spellings that only serve to compare signs are no names."""
    if names:
        return sorted({name.strip().lower() for name in names})
    return sorted(name for name in registry.subjects("energy") if not name.startswith(SIGNS_MARK))


def _match(registry: Registry, name: str, day: date) -> Match | None:
    return known_model(registry, name, day) or match_model(registry, name, "chat", day)


def _edges(registry: Registry) -> tuple[date, ...]:
    """The days on which facts about models begin to hold, or no longer do."""
    facts = [fact for kind in ("energy", "fallback") for fact in registry.facts(kind)]
    starts = {fact.valid_from for fact in facts}
    return tuple(sorted(starts | {fact.valid_to + _ONE_DAY for fact in facts if fact.valid_to}))


def _days_of(registry: Registry, name: str, match: Match, day: date, edges: tuple[date, ...]) -> Days:
    """The days around one on which the name leads to the same fact."""
    fact = match.fact
    first, last = fact.valid_from, fact.valid_to
    for edge in reversed(edges):
        if first < edge <= day and _leads_elsewhere(registry, name, match, edge - _ONE_DAY):
            first = edge
            break
    for edge in edges:
        if day < edge and (last is None or edge <= last) and _leads_elsewhere(registry, name, match, edge):
            last = edge - _ONE_DAY
            break
    return _with_same_assessments(registry, fact, day, Days(first, last))


def _with_same_assessments(registry: Registry, fact: EnergyCoefficient | Fallback, day: date, days: Days) -> Days:
    """The days on which the same assessments of the model hold as on one of them."""
    first, last = days
    models = fact.models if isinstance(fact, EnergyCoefficient) else ()
    for assessment in registry.facts("assessment"):
        if not isinstance(assessment, Assessment) or set(models).isdisjoint(assessment.models):
            continue
        edges = (assessment.valid_from, *((assessment.valid_to + _ONE_DAY,) if assessment.valid_to else ()))
        first = max((first, *(edge for edge in edges if edge <= day)))
        last = min((edge - _ONE_DAY for edge in edges if edge > day), default=last) if last is None else last
    return Days(first, last)


def _leads_elsewhere(registry: Registry, name: str, match: Match, day: date) -> bool:
    if isinstance(match.fact, EnergyCoefficient):
        found: EnergyCoefficient | Fallback | None = registry.about(EnergyCoefficient, name, day)
        if found is match.fact:
            return False
    again = _match(registry, name, day)
    return again is None or again.fact is not match.fact


class _Model(NamedTuple):
    """A model by a name that leads to its fact on a day."""

    name: str
    fact: EnergyCoefficient | Fallback
    day: date


def _row(registry: Registry, model: _Model, days: Days, own_chips: frozenset[str]) -> EnergyRow:
    fact = model.fact
    sold = _factors(registry, model, _NOBODY).energy_per_token
    own = [_factors(registry, model, provider).energy_per_token for provider in sorted(own_chips)[:1]]
    at_home = _factors(registry, model, SELF_HOSTED).energy_per_token
    supplier, assessed = next(_assessments(registry, model), ("", None))
    return EnergyRow(
        fact.id,
        fact.operations,
        not isinstance(fact, EnergyCoefficient),
        fact.open_weights,
        sold,
        (own or [sold])[0].output_kwh.high,
        at_home.output_kwh.high,
        supplier,
        assessed,
        days,
    )


def _assessments(registry: Registry, model: _Model) -> Iterator[tuple[str, PerOutputToken]]:
    """Whose own service was assessed with this model, and what for each output token."""
    for supplier in sorted({fact.supplier for fact in registry.facts("assessment") if isinstance(fact, Assessment)}):
        found = _factors(registry, model, supplier).assessed
        if found is not None:
            yield supplier, found


def _factors(registry: Registry, model: _Model, provider: str) -> Factors:
    """The factors of a model at a provider in whichever region: its energy does not depend on the region.

    Raises:
        RegistryError: the registry knows no region on that day.
    """
    operation = "chat" if "chat" in model.fact.operations else model.fact.operations[0]
    for region in registry.subjects("region"):
        call = CallSubject(provider, model.name, operation, region, "", model.day)
        found = resolve_factors(registry, call)
        if not isinstance(found, Unestimated):
            return found
    msg = f"{model.fact.id} has no factors in any region on {model.day}"
    raise RegistryError(msg)
