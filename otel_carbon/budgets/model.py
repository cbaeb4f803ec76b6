"""What a budget is: which calls it is about, how much they may come to, in which window, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.units import JOULES_PER_KWH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.budgets.windows import Window

DEFAULT_THRESHOLDS = (0.8, 1.0)
SPENT = 1.0
"""The share of its amount at which a budget is spent."""
TOKENS_PER_MILLION = 1_000_000
MAX_PRICE = 1e6
"""A guard against a slip, not a fact about prices."""


class Quantity(Enum):
    """What our counters count; each has a unit of its own there."""

    ENERGY = "energy"
    EMISSIONS = "emissions"
    WATER = "water"
    TOKENS = "tokens"


class Bound(Enum):
    """Which end of a modelled range is held against the amount."""

    MID = "mid"
    HIGH = "high"


class Severity(Enum):
    """Whether somebody is woken."""

    PAGE = "page"
    TICKET = "ticket"


class BudgetUnit(NamedTuple):
    """A unit that an amount may be in, and how much of it one counted J, g, L or token is."""

    name: str
    quantity: Quantity
    per_counted: float


UNITS = {
    unit.name: unit
    for unit in (
        BudgetUnit("gCO2e", Quantity.EMISSIONS, 1.0),
        BudgetUnit("kgCO2e", Quantity.EMISSIONS, 1e-3),
        BudgetUnit("kWh", Quantity.ENERGY, 1.0 / JOULES_PER_KWH),
        BudgetUnit("L", Quantity.WATER, 1.0),
        BudgetUnit("tokens", Quantity.TOKENS, 1.0),
    )
}


class BurnRate(NamedTuple):
    """Alert when both windows are spent at more than `factor` times the pace that just uses up the budget.

    The long window says that it matters, the short one that it still goes on.
    """

    long_s: int
    short_s: int
    factor: float
    severity: Severity


class Term(NamedTuple):
    """A counter that a measure adds up: what it counts, and how much of the measure's unit one of it is.

    `token_kind` narrows tokens to one kind; None is all of them.
    """

    quantity: Quantity
    token_kind: str | None
    per_counted: float


@dataclass(frozen=True, slots=True)
class Measure:
    """An amount that a budget may come to, in one unit: what it is about, or the money beside it."""

    unit: str
    limit: float
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money beside a budget; every price is the user's own.

    Attributes:
        amount: the limit, in `currency`.
        price_per_unit: for one unit of the budget; None where tokens have prices.
        price_per_million_tokens: by token kind; kinds without a price cost nothing.
    """

    amount: float
    currency: str
    price_per_unit: float | None
    price_per_million_tokens: Mapping[str, float]

    def measure(self, unit: BudgetUnit) -> Measure:
        """What adds up to the money spent."""
        if self.price_per_unit is not None:
            terms = [Term(unit.quantity, None, unit.per_counted * self.price_per_unit)]
        else:
            terms = [
                Term(Quantity.TOKENS, kind, price / TOKENS_PER_MILLION)
                for kind, price in sorted(self.price_per_million_tokens.items())
            ]
        return Measure(self.currency, self.amount, tuple(terms))


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget.

    Attributes:
        name: what alerts and series call it.
        owner: who is told.
        scope: values by label; a call counts when it has one of the values of every label. Empty: all calls.
        amount: the limit, in `unit`, for each `window`.
        thresholds: shares of the amount, rising; one alert each.
        bound: which end of the modelled range counts; tokens have no range.
        burn_rates: alerts on the pace.
        money: a limit in money for the same calls.
    """

    name: str
    owner: str
    scope: Mapping[str, tuple[str, ...]]
    amount: float
    unit: BudgetUnit
    window: Window
    thresholds: tuple[float, ...]
    bound: Bound
    burn_rates: tuple[BurnRate, ...]
    money: Money | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The limit in its own unit, and the one in money if there is one."""
        own = Measure(self.unit.name, self.amount, (Term(self.unit.quantity, None, self.unit.per_counted),))
        return (own,) if self.money is None else (own, self.money.measure(self.unit))


class DeclaredLabel(NamedTuple):
    """A label of the user's own on our series, and how many values it may take."""

    name: str
    max_values: int


@dataclass(frozen=True, slots=True)
class Budgets:
    """All of a file; `interval_s` is how often the rules are evaluated."""

    budgets: tuple[Budget, ...]
    labels: tuple[DeclaredLabel, ...]
    interval_s: int
