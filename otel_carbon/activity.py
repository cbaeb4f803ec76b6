"""Calls whose tokens nobody counted: requests times what a request usually takes, or characters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core import reasons
from otel_carbon.core.footprint import Footprint, Unestimated, footprint_of
from otel_carbon.core.interval import Interval
from otel_carbon.core.tokens import AdditiveTokens, attended_pairs
from otel_carbon.errors import UnknownFact, UsageError
from otel_carbon.methods.call_place import EVIDENCE_CONFIGURED, CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import ActivityTokens, CharactersPerToken

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.core.factors import Factors
    from otel_carbon.grid.table import GridTable
    from otel_carbon.registry.facts import Fact

TIER = "request_physical"
TIER_NUMBER = 2
SCRIPT = "english"
MAX_COUNT = 10**15
TOKENS_ASSUMED = "tokens_assumed"
TOKENS_FROM_CHARACTERS = "tokens_from_characters"


@dataclass(frozen=True, slots=True)
class Activity:
    """What is known of calls to one model: how many of what kind of product, or how long they were.

    `product` names an activity fact, such as `chat` or `copilot`; with characters it does not matter.
    `region` is a cloud region or grid zone when known, `at` the day of the calls in UTC.

    Raises:
        UsageError: a count is negative, absurd, or no whole number.
    """

    provider: str
    model: str
    requests: int = 1
    product: str = "chat"
    input_characters: int | None = None
    output_characters: int | None = None
    operation: str = "chat"
    region: str | None = None
    at: date | None = None

    def __post_init__(self) -> None:
        for name in ("requests", "input_characters", "output_characters"):
            count = getattr(self, name)
            if count is not None and (type(count) is not int or not 0 <= count <= MAX_COUNT):
                raise UsageError(reasons.INVALID_USAGE, f"{name} must be a whole number from 0 to {MAX_COUNT:,}")


class AssumedTokens(NamedTuple):
    """Tokens of one request, the fact that they come from, and what was assumed."""

    input_tokens: Interval
    output_tokens: Interval
    fact: Fact
    code: str


def estimate_activity(
    activity: Activity,
    *,
    registry: Registry | None = None,
    strict: bool = False,
    grid_table: GridTable | None = None,
) -> Footprint | Unestimated:
    """The footprint of all requests together, tier `request_physical`; energy in kWh, emissions in gCO2e, water in L.

    Low is computed from the fewest tokens with the lowest factors, high from the most with the highest.
    Of a `grid_table` the mean of the day is taken, where it covers the day.

    Raises:
        UnknownFact: no activity fact goes by the name of the product.
    """
    known = registry or Registry.bundled()
    day = activity.at or datetime.now(UTC).date()
    assumed = assumed_tokens(known, activity, day)
    call = CallSubject(activity.provider, activity.model, activity.operation, activity.region, EVIDENCE_CONFIGURED, day)
    factors = resolve_factors(known, call, strict=strict, grid_table=grid_table)
    if isinstance(factors, Unestimated):
        return factors
    provenance = factors.provenance
    in_tier = replace(
        factors,
        provenance=replace(
            provenance,
            tier=TIER,
            tier_number=TIER_NUMBER,
            assumptions=(*provenance.assumptions, assumed.code),
            fact_ids={**provenance.fact_ids, "tokens": (assumed.fact.id,)},
            source_ids={**provenance.source_ids, assumed.fact.id: assumed.fact.sources},
        ),
    )
    low, mid, high = (
        _of_requests(read, written, activity.requests, in_tier)
        for read, written in zip(
            assumed.input_tokens.as_dict().values(), assumed.output_tokens.as_dict().values(), strict=True
        )
    )
    return Footprint((*low.low, *mid.mid, *high.high), mid.tokens, in_tier, mid.units)


def _of_requests(read: float, written: float, requests: int, factors: Factors) -> Footprint:
    """The footprint of equal requests, of so many tokens each."""
    each = attended_pairs(AdditiveTokens(round(read), 0, 0, round(written), 0))
    return footprint_of(
        AdditiveTokens(round(read * requests), 0, 0, round(written * requests), 0), factors, each * requests
    )


def assumed_tokens(registry: Registry, activity: Activity, day: date) -> AssumedTokens:
    """What one request is taken to read and write.

    Raises:
        UnknownFact: no activity fact goes by the name of the product, or none says how long a token is.
    """
    if activity.input_characters is not None or activity.output_characters is not None:
        length = registry.about(CharactersPerToken, SCRIPT, day)
        if length is None:
            msg = f"the registry has no length of a token for {SCRIPT} text on {day}"
            raise UnknownFact(msg)
        read, written = (_tokens(length, each or 0) for each in (activity.input_characters, activity.output_characters))
        return AssumedTokens(read, written, length, TOKENS_FROM_CHARACTERS)
    usual = registry.about(ActivityTokens, activity.product, day)
    if usual is None:
        known = ", ".join(sorted(registry.subjects("activity")))
        msg = f"no activity {activity.product!r} in registry {registry.version}; there are {known}"
        raise UnknownFact(msg)
    return AssumedTokens(usual.input_tokens, usual.output_tokens, usual, TOKENS_ASSUMED)


def _tokens(length: CharactersPerToken, characters: int) -> Interval:
    per_token = length.characters_per_token
    return Interval(characters / per_token.high, characters / per_token.mid, characters / per_token.low)
