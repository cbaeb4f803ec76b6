"""What one method says of one call, in a form in which methods can be laid side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.reasons import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Amount = Interval | Unestimated
QUANTITIES = ("energy_kwh", "emissions_gco2e", "water_l")

CALL = "call"
QUERY = "query"
PER_KTOKEN = "ktoken"
PER_KTOKEN_OUTPUT = "ktoken_output"
FUNCTIONAL_UNITS = {
    CALL: "this call",
    QUERY: "one query of the publisher's users",
    PER_KTOKEN: "1,000 tokens",
    PER_KTOKEN_OUTPUT: "1,000 output tokens",
}
"""What the amounts of a result are for, from codes to words."""

BOUNDARY = "boundary"
FUNCTIONAL_UNIT = "functional_unit"
ECONOMICS = "economics"
INFERRED_FROM_LATENCY = "inferred_from_latency"
WHY_NOT_MID = {
    BOUNDARY: "It covers something else than the energy of the facility, or does not say what it covers.",
    FUNCTIONAL_UNIT: "Its amounts are not for this call, or leave out a part of its tokens.",
    ECONOMICS: "At list price the call does not pay for that much energy and its hardware.",
    INFERRED_FROM_LATENCY: "The energy is inferred from the speed of an API and a guessed number of requests at once.",
}
"""Why a result cannot be the mid of an estimate, from codes to sentences."""

NOT_PUBLISHED = "not_published"
NOT_PART_OF_METHOD = "not_part_of_method"
NOT_IDENTIFIED = "not_identified"
NO_INPUT_COUNT = "no_input_count"
NO_TOKENS = "no_tokens"
NOT_TOLD_APART = "not_told_apart"
NO_GRID_FACTOR = "no_grid_factor"
PACKAGE_NOT_INSTALLED = "package_not_installed"
WATER_FACTOR_NOT_SHIPPED = "water_factor_not_shipped"
MODEL_NOT_REGISTERED = "model-not-registered"
ZONE_NOT_REGISTERED = "zone-not-registered"
WHY_NO_FIGURE = {
    NOT_PUBLISHED: "The source publishes no such figure.",
    NOT_PART_OF_METHOD: "The method has no such quantity.",
    NOT_IDENTIFIED: "The source has two points for the model, too few for three terms.",
    NO_INPUT_COUNT: "The number of input tokens is not given.",
    NO_TOKENS: "There are no tokens to divide by.",
    NOT_TOLD_APART: "The supplier's assessment does not tell operation and manufacture apart.",
    NO_GRID_FACTOR: "The registry does not know where the call ran, so there is no grid intensity.",
    PACKAGE_NOT_INSTALLED: "The package is not installed.",
    WATER_FACTOR_NOT_SHIPPED: (
        "EcoLogits' water factor of this zone may not be copied; pip install 'otel-carbon[ecologits]' brings it."
    ),
    MODEL_NOT_REGISTERED: "EcoLogits does not know the model of this provider.",
    ZONE_NOT_REGISTERED: "EcoLogits does not know the grid zone.",
}
"""Why a quantity has no figure, beside the reasons of estimates; those with hyphens are EcoLogits' own codes."""


@dataclass(frozen=True, slots=True)
class MethodResult:
    """Energy, emissions and water by one method: amounts with bounds, or the reason why there is none.

    Raises:
        ValueError: a code that has no words, or a comparable quantity without an amount.
    """

    method: str
    version: str
    boundary: str
    """What lies inside, in a sentence."""
    functional_unit: str
    """What the amounts are for, a code of `FUNCTIONAL_UNITS`."""
    counts: tuple[str, ...]
    """What changes the figure, such as `input_tokens`, and what is inside, such as `embodied`."""
    energy_kwh: Amount
    emissions_gco2e: Amount
    water_l: Amount
    comparable: tuple[str, ...] = ()
    """The quantities with the same boundary and functional unit as ours."""
    not_mid_because: tuple[str, ...] = ()
    """Why the result may not be the mid of an estimate, codes of `WHY_NOT_MID`; empty when it may."""
    source_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = {*self.not_mid_because} - {*WHY_NOT_MID} | {self.functional_unit} - {*FUNCTIONAL_UNITS}
        empty = [name for name in self.comparable if not isinstance(getattr(self, name), Interval)]
        if unknown or empty:
            msg = f"{self.method}: no words for {sorted(unknown)}, nothing to compare in {empty}"
            raise ValueError(msg)

    @property
    def admissible(self) -> bool:
        """Whether the result may be the mid of an estimate."""
        return not self.not_mid_because

    def amounts(self) -> Mapping[str, Amount]:
        """All three quantities by name."""
        return {"energy_kwh": self.energy_kwh, "emissions_gco2e": self.emissions_gco2e, "water_l": self.water_l}


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart the mids of the comparable results lie in one quantity."""

    quantity: str
    lowest: str
    highest: str
    ratio: float
    """The highest mid over the lowest."""
    count: int
    """How many results were compared."""


def spread_of(quantity: str, results: Iterable[MethodResult]) -> Spread | None:
    """The spread of one of `QUANTITIES`; None where fewer than two results compare, or a mid is zero."""
    mids = {}
    for result in results:
        amount = result.amounts()[quantity]
        if quantity in result.comparable and isinstance(amount, Interval):
            mids[result.method] = amount.mid
    if len(mids) < 2 or min(mids.values()) == 0.0:
        return None
    lowest, highest = min(mids, key=mids.__getitem__), max(mids, key=mids.__getitem__)
    return Spread(quantity, lowest, highest, mids[highest] / mids[lowest], len(mids))


def present(amounts: Mapping[str, Amount], *quantities: str) -> tuple[str, ...]:
    """Those of the quantities that have an amount."""
    return tuple(name for name in quantities if isinstance(amounts[name], Interval))


def why_no_figure(missing: Unestimated) -> str:
    """Why there is no figure, in words."""
    if missing.reason in SENTENCES:
        return str(missing)
    sentence = WHY_NO_FIGURE.get(missing.reason, missing.reason)
    return f"{sentence} ({missing.detail})" if missing.detail else sentence
