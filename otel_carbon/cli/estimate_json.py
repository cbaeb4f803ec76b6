"""The JSON of `otel-carbon estimate --json`; its keys are fixed, scripts rely on them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.activity import TOKENS_ASSUMED, assumed_tokens
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.core.steps import steps_of
from otel_carbon.methods.cascade import why_chosen

if TYPE_CHECKING:
    from otel_carbon.activity import Activity
    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.core.steps import Step
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.registry.catalog import Registry

    Json = str | int | float | list["Json"] | dict[str, "Json"] | None

AMOUNTS = (
    "energy_kwh",
    "it_energy_kwh",
    "emissions_gco2e",
    "emissions_operational_gco2e",
    "emissions_embodied_gco2e",
    "emissions_market_gco2e",
    "water_l",
    "water_on_site_l",
    "water_electricity_l",
)
PROVENANCE = (
    "tier",
    "tier_number",
    "method",
    "coefficient_id",
    "match",
    "grid_id",
    "site_id",
    "provider",
    "region",
    "region_evidence",
    "registry_version",
    "registry_digest",
)
NO_MARKET_FACTOR = "no_market_factor"
ASSESSED_AS_A_WHOLE = "assessed_as_a_whole"


def estimate_json(
    outcome: Footprint | Unestimated,
    usage: TokenUsage,
    registry: Registry,
    assumptions: tuple[str, ...],
    activity: Activity | None = None,
) -> str:
    """The document of an estimate, or of why there is none; amounts are unrounded.

    Args:
        outcome: the estimate's result.
        usage: what was estimated.
        registry: what it was estimated with.
        assumptions: codes of all that was assumed.
        activity: what was known instead of tokens.
    """
    if isinstance(outcome, Footprint):
        document = _estimated(outcome, usage, assumptions)
        if activity is not None:
            document["activity"] = _activity(activity, registry)
    else:
        document = _unestimated(outcome, usage, registry)
    document["registry_as_of"] = registry.known_on.isoformat() if registry.known_on else None
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _activity(activity: Activity, registry: Registry) -> Json:
    """What was known, and the tokens of one request that were taken for it."""
    assumed = assumed_tokens(registry, activity, activity.at or datetime.now(UTC).date())
    return {
        "requests": activity.requests,
        "product": activity.product if assumed.code == TOKENS_ASSUMED else None,
        "input_characters": activity.input_characters,
        "output_characters": activity.output_characters,
        "input_tokens_per_request": _bounds(assumed.input_tokens),
        "output_tokens_per_request": _bounds(assumed.output_tokens),
        "fact_id": assumed.fact.id,
    }


def _estimated(footprint: Footprint, usage: TokenUsage, assumptions: tuple[str, ...]) -> dict[str, Json]:
    document: dict[str, Json] = {"status": "estimated", "reason": None, "model": usage.model}
    for name in AMOUNTS:
        why_none = NO_MARKET_FACTOR if footprint.factors.assessed is None else ASSESSED_AS_A_WHOLE
        document |= _amount(name, getattr(footprint, name), why_none)
    provenance = footprint.provenance
    document |= {name: getattr(provenance, name) for name in PROVENANCE}
    document["method_reason"] = why_chosen(provenance.method)
    document["confidence"] = footprint.confidence
    document["assumptions"] = list(assumptions)
    document["steps"] = [_step(step) for step in steps_of(footprint)]
    return document


def _unestimated(outcome: Unestimated, usage: TokenUsage, registry: Registry) -> dict[str, Json]:
    document: dict[str, Json] = {"status": "unestimated", "reason": outcome.reason, "reason_text": str(outcome)}
    document["model"] = usage.model
    for name in AMOUNTS:
        document |= _amount(name, None, outcome.reason)
    document |= dict.fromkeys(PROVENANCE)
    document |= {"provider": usage.provider or None, "region": usage.region}
    document |= {"registry_version": registry.version, "registry_digest": registry.digest}
    document |= {"method_reason": None, "confidence": None, "assumptions": [], "steps": []}
    return document


def _amount(name: str, amount: Interval | None, reason: str) -> dict[str, Json]:
    if amount is None:
        return {name: None, f"{name}_reason": reason}
    return {name: _bounds(amount)}


def _step(step: Step) -> Json:
    return {
        "name": step.name,
        "formula": step.formula,
        "inputs": {
            name: _bounds(entry) if isinstance(entry, Interval) else entry for name, entry in step.inputs.items()
        },
        "result": _bounds(step.result),
        "unit": step.unit,
        "fact_ids": list(step.fact_ids),
        "source_ids": list(step.source_ids),
    }


def _bounds(amount: Interval) -> dict[str, Json]:
    return {"low": amount.low, "mid": amount.mid, "high": amount.high}
