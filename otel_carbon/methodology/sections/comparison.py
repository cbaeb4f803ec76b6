"""Typical calls by several methods, and why they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.comparing import OURS, ComparisonOptions, compare
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import WH_PER_KWH
from otel_carbon.core.usage import TokenUsage
from otel_carbon.methodology.document import Link, Section, in_short, paragraph, table, words_of
from otel_carbon.methodology.tables import comparisons, prose
from otel_carbon.methods.ecologits_results import SOURCE_ID
from otel_carbon.methods.literature_tables import disclosures, fit_source
from otel_carbon.methods.result import CALL, QUERY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from otel_carbon.methodology.document import Cell
    from otel_carbon.methodology.tables import TypicalCall, TypicalModel
    from otel_carbon.methods.result import MethodResult
    from otel_carbon.registry.catalog import Registry

ECOLOGITS, FIT = "ecologits", "jegham_fit"
_LEFT_OUT = ("ecologits_package", "sci/")
"""The installed package repeats our computation of it or is absent; SCI is our own figure in other units."""


def comparison_section(registry: Registry, day: date) -> Section:
    """Typical calls of a handful of models by all methods that speak of them, in the providers' default places."""
    said = comparisons()
    columns = (
        ("call", "call"),
        ("model", "model"),
        ("ours_wh", "ours, Wh"),
        ("ecologits_wh", "EcoLogits, Wh"),
        ("jegham_wh", "Jegham et al. (fit), Wh"),
        ("published", "published energy"),
        ("ours_gco2e", "ours, gCO2e"),
        ("ecologits_gco2e", "EcoLogits, gCO2e"),
        ("published_gco2e", "published emissions"),
    )
    rows = tuple(_row(registry, day, call, model) for call in said.calls for model in said.models)
    reasons = tuple((name, why, _sources(name)) for name, why in said.differences.items())
    return Section(
        "comparison",
        "Typical calls by other methods",
        (
            paragraph(prose("comparison", calls=_tokens(said.calls))),
            table("typical_calls", "Typical calls", columns, rows),
            table(
                "differences", "Why they differ", (("method", "method"), ("why", "why"), ("source", "source")), reasons
            ),
        ),
    )


def _tokens(calls: Sequence[TypicalCall]) -> str:
    return "; ".join(
        f"{call.words}: {call.input_tokens:,} input, {call.output_tokens:,} output tokens" for call in calls
    )


def _row(registry: Registry, day: date, call: TypicalCall, model: TypicalModel) -> tuple[Cell, ...]:
    usage = TokenUsage(
        model.provider,
        model.model,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        at=day,
    )
    results = {
        result.method: result
        for result in compare(usage, registry, ComparisonOptions(ecologits_retired=True))
        if not result.method.startswith(_LEFT_OUT)
    }
    with_queries = call.key == comparisons().queries_compare_with
    own, ecologits, fit = results.pop(OURS), results.pop(ECOLOGITS), results.pop(FIT, None)
    published = [
        result
        for result in results.values()
        if result.functional_unit == CALL or (with_queries and result.functional_unit == QUERY)
    ]
    return (
        call.words,
        model.model,
        _wh(own),
        _wh(ecologits),
        _wh(fit) if fit else None,
        tuple(f"{each.method} {words_of(wh)} Wh" for each in published if (wh := _wh(each)) is not None),
        _gco2e(own),
        _gco2e(ecologits),
        tuple(f"{each.method} {words_of(grams)} gCO2e" for each in published if (grams := _gco2e(each)) is not None),
    )


def _wh(result: MethodResult) -> Interval | None:
    return in_short(result.energy_kwh.scaled(WH_PER_KWH)) if isinstance(result.energy_kwh, Interval) else None


def _gco2e(result: MethodResult) -> Interval | None:
    return in_short(result.emissions_gco2e) if isinstance(result.emissions_gco2e, Interval) else None


def _sources(method: str) -> Link | None:
    if method == ECOLOGITS:
        source = SOURCE_ID
    elif method == FIT:
        source = fit_source().source
    else:
        source = disclosures()[method].source
    return Link(source, f"#{source}")
