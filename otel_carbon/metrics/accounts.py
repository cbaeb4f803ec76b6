"""Accounts: calls of one label set and one outcome, and the row of a label set that they add up to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_carbon.core.footprint import footprint_of
from otel_carbon.core.tokens import KINDS, AdditiveTokens
from otel_carbon.core.units import JOULES_PER_KWH

if TYPE_CHECKING:
    from otel_carbon.core.factors import Factors
    from otel_carbon.core.interval import Interval
    from otel_carbon.metrics.examples import Example
    from otel_carbon.metrics.labels import SeriesLabels

_ADDED_TOGETHER = 64
AMOUNTS = 9
"""Amounts in a row: energy (J), emissions (gCO2e) and water (L), each as mid, low, high; token kinds follow."""


class Account:
    """Calls of one label set with one outcome and, when they have a figure, one set of factors.

    It holds tokens only: amounts are linear in them, so they are worked out when they are read, in any order the same.
    To be changed with the lock of its totals held.
    """

    __slots__ = ("_added", "_sums", "_units", "batch", "calls", "example", "factors", "labels", "match", "outcome")

    def __init__(self, labels: SeriesLabels, factors: Factors | None, status: str, reason: str) -> None:
        self.labels = labels
        self.factors = factors
        self.outcome = (status, reason)
        self.match = factors.provenance.match if factors else ""
        self.calls = 0
        self.example: Example | None = None
        """A recent call that was booked, where it is known."""
        self.batch = 0
        """With which spans the example arrived, by the number that who books gives them."""
        self._sums = [0] * len(KINDS)
        self._added: list[AdditiveTokens] = []
        self._units = 0

    def add_tokens(self, tokens: AdditiveTokens, units: int = 0) -> None:
        """Add tokens, and `Footprint.units` beside them; summed up some calls at a time, which costs a third."""
        self._units += units
        added = self._added
        added.append(tokens)
        if len(added) >= _ADDED_TOGETHER:
            self._sum_up()

    @property
    def tokens(self) -> list[int]:
        """Sums of the token kinds."""
        self._sum_up()
        return self._sums

    def _sum_up(self) -> None:
        if self._added:
            self._sums = [
                sum(counts, known) for counts, known in zip(zip(*self._added, strict=True), self._sums, strict=True)
            ]
            self._added.clear()

    def amounts(self) -> list[float]:
        """Energy (J), emissions (gCO2e) and water (L), each as mid, low, high."""
        if self.factors is None:
            return [0.0] * AMOUNTS
        footprint = footprint_of(AdditiveTokens(*self.tokens), self.factors, self._units)
        energy_j = footprint.energy_kwh.scaled(JOULES_PER_KWH)
        return [*_as_booked(energy_j), *_as_booked(footprint.emissions_gco2e), *_as_booked(footprint.water_l)]


class Row:
    """What one label set has come to: the accounts in use, and the sums of those that were closed."""

    __slots__ = ("accounts", "closed_amounts", "closed_examples", "closed_tokens", "matches", "operations")

    def __init__(self) -> None:
        self.accounts: list[Account] = []
        self.closed_amounts = [0.0] * AMOUNTS
        self.closed_tokens = [0] * len(KINDS)
        self.closed_examples: dict[tuple[str, str], Example] = {}
        self.operations: Counter[tuple[str, str]] = Counter()
        self.matches: Counter[str] = Counter()

    def sums(self) -> list[float]:
        """Amounts, then tokens; always added in the same order, so that a total never falls by a rounding."""
        amounts, tokens = self.closed_amounts, self.closed_tokens
        for account in self.accounts:
            amounts = [known + more for known, more in zip(amounts, account.amounts(), strict=True)]
            tokens = [known + more for known, more in zip(tokens, account.tokens, strict=True)]
        return [*amounts, *tokens]

    def calls(self) -> Counter[tuple[str, str]]:
        """Calls by status and reason."""
        found = self.operations.copy()
        for account in self.accounts:
            if account.calls:
                found[account.outcome] += account.calls
        return found

    def calls_by_match(self) -> Counter[str]:
        """Estimated calls by how near the fact is to their model."""
        found = self.matches.copy()
        for account in self.accounts:
            if account.match and account.calls:
                found[account.match] += account.calls
        return found

    def examples(self) -> dict[tuple[str, str], Example]:
        """One call by status and reason, of those that were booked in this process."""
        found = self.closed_examples.copy()
        for account in self.accounts:
            if account.example is not None:
                found[account.outcome] = account.example
        return found

    def close_accounts(self) -> None:
        """Keep the sums of the accounts, and no longer the accounts."""
        sums = self.sums()
        self.closed_examples = self.examples()
        self.operations, self.matches = self.calls(), self.calls_by_match()
        self.closed_amounts, self.closed_tokens = sums[:AMOUNTS], [int(count) for count in sums[AMOUNTS:]]
        self.accounts = []


def _as_booked(amount: Interval) -> tuple[float, float, float]:
    return amount.mid, amount.low, amount.high
