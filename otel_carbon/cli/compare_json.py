"""The JSON of `otel-carbon compare --json`; its keys are fixed, scripts rely on them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from otel_carbon.core.interval import Interval
from otel_carbon.core.usage import COUNT_NAMES
from otel_carbon.methods.literature_tables import sources
from otel_carbon.methods.result import QUANTITIES, WHY_NOT_MID, spread_of, why_no_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.methods.result import Amount, MethodResult

    Json = str | int | float | list["Json"] | dict[str, "Json"] | None


def comparison_json(usage: TokenUsage, results: Sequence[MethodResult], estimated: bool) -> str:
    """The document of a comparison; amounts are unrounded.

    Args:
        usage: the call.
        results: what the methods say of it, ours first.
        estimated: whether any of them has an amount for the call.
    """
    call: dict[str, Json] = {"model": usage.model, "provider": usage.provider or None, "region": usage.region}
    call |= {name: getattr(usage, name) for name in COUNT_NAMES}
    cited = sorted({each for result in results for each in result.source_ids} & set(sources()))
    document: dict[str, Json] = {
        "status": "compared" if estimated else "unestimated",
        "call": call,
        "results": [_result(result) for result in results],
        "spread": {name: _spread(name, results) for name in QUANTITIES},
        "sources": {source_id: dict(asdict(sources()[source_id])) for source_id in cited},
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _result(result: MethodResult) -> Json:
    record: dict[str, Json] = {
        "method": result.method,
        "version": result.version,
        "boundary": result.boundary,
        "functional_unit": result.functional_unit,
        "counts": list(result.counts),
    }
    for name, amount in result.amounts().items():
        record |= amount_json(name, amount)
    return record | {
        "comparable": list(result.comparable),
        "admissible_as_mid": result.admissible,
        "not_mid_because": {code: WHY_NOT_MID[code] for code in result.not_mid_because},
        "source_ids": list(result.source_ids),
        "notes": list(result.notes),
    }


def amount_json(name: str, amount: Amount) -> dict[str, Json]:
    """An amount under its name, with the reason beside it where there is none."""
    if isinstance(amount, Interval):
        return {name: dict(amount.as_dict()), f"{name}_reason": None, f"{name}_reason_text": None}
    return {name: None, f"{name}_reason": amount.reason, f"{name}_reason_text": why_no_figure(amount)}


def _spread(quantity: str, results: Sequence[MethodResult]) -> Json:
    spread = spread_of(quantity, results)
    if spread is None:
        return None
    return {"lowest": spread.lowest, "highest": spread.highest, "ratio": spread.ratio, "methods": spread.count}
