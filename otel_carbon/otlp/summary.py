"""What was found in spans that were judged together, as one JSON object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from otel_carbon import attributes as ours
from otel_carbon.core.interval import Interval, total
from otel_carbon.core.reasons import FAILED_NO_USAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_carbon.core.footprint import Footprint
    from otel_carbon.enricher import Outcome
    from otel_carbon.spans.counts import Counts

_TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")
_FIELDS = ("energy_kwh", "emissions_gco2e", "water_l")


def summary_of(outcomes: Sequence[Outcome], span_count: int, registry_version: str) -> dict[str, Any]:
    """Counts of spans by what they are, tokens of each call once, and amounts with their bounds.

    `inference_calls` are the distinct model calls found, `with_usage` those of them with usable token counts;
    a request that failed without usage ran no model and is neither. A span delivered twice is listed as a duplicate.
    A span that was judged before counts under the status that it carries; amounts are of spans estimated here.
    """
    first = [outcome for outcome in outcomes if outcome.verdict != ours.VERDICT_REPEATED]
    by_status = Counter(_status(outcome) for outcome in first)
    unestimated = [outcome for outcome in first if _status(outcome) == ours.STATUS_UNESTIMATED]
    calls = [outcome for outcome in first if _is_call(outcome)]
    with_usage = [outcome for outcome in calls if outcome.reading.tokens is not None]
    footprints = [outcome.footprint for outcome in first if outcome.footprint is not None]
    why_none = ours.VERDICT_ALREADY_ENRICHED if by_status[ours.STATUS_ESTIMATED] else "nothing_estimated"
    return {
        "spans": span_count,
        "estimated": by_status[ours.STATUS_ESTIMATED],
        "unestimated_by_reason": dict(sorted(Counter(map(_reason, unestimated)).items())),
        "aggregate": by_status[ours.STATUS_AGGREGATE],
        "duplicate": by_status[ours.STATUS_DUPLICATE] + len(outcomes) - len(first),
        "genai_other": sum(outcome.verdict == ours.VERDICT_GENAI_OTHER for outcome in first),
        "already_enriched": sum(outcome.verdict == ours.VERDICT_ALREADY_ENRICHED for outcome in first),
        "not_genai": span_count - len(outcomes),
        "inference_calls": len(calls) - sum(outcome.upgrades for outcome in calls),
        "with_usage": len(with_usage),
        "tokens": _tokens(outcome.reading.counts for outcome in with_usage),
        **{name: _amount(footprints, name) for name in _FIELDS},
        **({} if footprints else {f"{name}_reason": why_none for name in _FIELDS}),
        "models": _models(calls),
        "registry_version": registry_version,
    }


def _status(outcome: Outcome) -> str:
    return outcome.status or outcome.reading.profile.judged


def _reason(outcome: Outcome) -> str:
    """Why a span has no figure; of one judged before only what its own attributes tell."""
    problem = outcome.reading.problem
    return outcome.reason or (problem.reason if problem is not None else ours.VERDICT_ALREADY_ENRICHED)


def _is_call(outcome: Outcome) -> bool:
    status = _status(outcome)
    return status == ours.STATUS_ESTIMATED or (
        status == ours.STATUS_UNESTIMATED and _reason(outcome) != FAILED_NO_USAGE
    )


def _amount(footprints: Sequence[Footprint], name: str) -> dict[str, float] | None:
    amounts: list[Interval] = [getattr(footprint, name) for footprint in footprints]
    return total(amounts).as_dict() if amounts else None


def _tokens(counts: Iterable[Counts | None]) -> dict[str, int]:
    """Sums of the totals that are known, and of their parts."""
    known = [each for each in counts if each is not None]
    return {name: sum(each[i] or 0 for each in known) for i, name in enumerate(_TOKENS)}


def _models(calls: Sequence[Outcome]) -> list[dict[str, Any]]:
    by_model: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in calls:
        profile = outcome.reading.profile
        by_model.setdefault((profile.provider, profile.model), []).append(outcome)
    return [
        {
            "provider": provider or None,
            "model": model or None,
            "calls": len(of_model),
            "tokens": _tokens(outcome.reading.counts for outcome in of_model),
        }
        for (provider, model), of_model in sorted(by_model.items())
    ]
