"""One call's usage in, its footprint out: the facade over registry, method and formulas."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.core.footprint import Footprint, Unestimated, footprint_of
from otel_carbon.methods.call_place import EVIDENCE_CONFIGURED, CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.core.factors import Factors
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.grid.table import GridTable

MAX_CACHED_SUBJECTS = 10_000
INPUT_NOT_REPORTED = "input_not_reported"
NS_PER_HOUR = 3_600_000_000_000
NS_PER_DAY = 24 * NS_PER_HOUR


@dataclass(slots=True)
class FactorResolver:
    """Factors by call subject, resolved once each; at most `MAX_CACHED_SUBJECTS` are remembered."""

    registry: Registry
    configured_regions: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    """Whether a model that is not registered itself stays without factors."""
    grid_table: GridTable | None = None
    """The user's own intensities by the hour; with one, subjects name the hour of their calls."""
    _resolved: dict[CallSubject, Factors | Unestimated] = field(default_factory=dict)

    def factors_of(self, call: CallSubject) -> Factors | Unestimated:
        """The factors of a call, from memory when the same subject was asked before."""
        found = self._resolved.get(call)
        if found is None:
            if len(self._resolved) >= MAX_CACHED_SUBJECTS:
                self._resolved.clear()
            found = self._resolved[call] = resolve_factors(
                self.registry, call, self.configured_regions, strict=self.strict, grid_table=self.grid_table
            )
        return found


def estimate(
    usage: TokenUsage,
    *,
    registry: Registry | None = None,
    strict: bool = False,
    grid_table: GridTable | None = None,
) -> Footprint | Unestimated:
    """The footprint of one call; facility energy in kWh, emissions in gCO2e, water in L.

    Args:
        usage: the call's tokens, model, provider, and region and day when known (today in UTC otherwise).
        registry: the facts to use; `None` is the bundled registry.
        strict: whether a model that is not registered itself has no estimate, instead of that of its family, its size
            class or any model.
        grid_table: intensities by the hour of the user's own, which stand in for yearly averages where they cover the
            hour of the call (or the whole day where the usage names no hour).

    Returns:
        A footprint with bounds and provenance, or the reason why there is none. Unknown is never zero.
    """
    day, hour = _time_of(usage)
    call = CallSubject(usage.provider, usage.model, usage.operation, usage.region, EVIDENCE_CONFIGURED, day)
    if grid_table is not None:
        call = call._replace(hour=hour)
    if not has_usage(usage.operation, usage.input_tokens, usage.output_tokens):
        return Unestimated(reasons.NO_USAGE)
    if not call.model:
        return Unestimated(reasons.MODEL_NOT_NAMED)
    factors = _resolver_of(registry or Registry.bundled(), strict, grid_table).factors_of(call)
    if isinstance(factors, Unestimated):
        return factors
    if usage.input_tokens is None:
        factors = with_assumptions(factors, (INPUT_NOT_REPORTED,))
    return footprint_of(usage.additive_tokens(), factors)


def _time_of(usage: TokenUsage) -> tuple[date, int | None]:
    """The day and hour of a call in UTC: now when neither is given, and no hour when only the day is."""
    now = datetime.now(UTC)
    if usage.at is None:
        return now.date(), now.hour if usage.hour is None else usage.hour
    return usage.at, usage.hour


@lru_cache(maxsize=8)
def _resolver_of(registry: Registry, strict: bool, grid_table: GridTable | None) -> FactorResolver:
    return FactorResolver(registry, strict=strict, grid_table=grid_table)


def has_usage(operation: str, input_tokens: int | None, output_tokens: int | None) -> bool:
    """Whether the counts suffice for an estimate: without output tokens only embeddings have one."""
    return output_tokens is not None or (input_tokens is not None and operation == "embeddings")


@lru_cache(maxsize=4096)
def with_assumptions(factors: Factors, codes: tuple[str, ...]) -> Factors:
    """The same factors, with more said to be assumed."""
    provenance = factors.provenance
    assumptions = tuple(dict.fromkeys((*provenance.assumptions, *codes)))
    return replace(factors, provenance=replace(provenance, assumptions=assumptions))


def day_from_unix_ns(time_ns: int) -> date:
    """The UTC day of a Unix time in nanoseconds."""
    return _day_from_ordinal(time_ns // NS_PER_DAY)


@lru_cache(maxsize=1024)
def _day_from_ordinal(days_since_1970: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + days_since_1970)


_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
LAST_DAY_NUMBER = date.max.toordinal() - _EPOCH_ORDINAL
"""The last day that there is a date for, counted from 1970 on."""
