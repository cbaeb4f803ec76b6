"""Whether the pipeline found the truth: the plan against what arrived, and that against the counters."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from otel_carbon import attributes as ours
from otel_carbon import metric_names
from otel_carbon.core.units import joules_from_kwh
from otel_carbon.demo.span_trees import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.demo.figures import Figures
    from otel_carbon.demo.traffic import Truth

RELATIVE_TOLERANCE = 1e-9
"""Sums of the same numbers in another order may differ by this much."""


def differences_from_truth(figures: Figures, truth: Truth) -> tuple[str, ...]:
    """What the arrived spans say otherwise than the plan, one sentence each; empty when all agrees."""
    expected = {
        "spans": (figures.spans, truth.spans),
        "calls": (figures.overall.calls, truth.calls),
        "duplicate spans": (figures.spans_with_status(ours.STATUS_DUPLICATE), truth.parts[Part.DUPLICATE]),
        "roll-up spans": (figures.spans_with_status(ours.STATUS_AGGREGATE), truth.parts[Part.ROLL_UP]),
        "tool and web spans": (figures.other_spans, truth.parts[Part.STEP] + truth.parts[Part.PLAIN]),
    }
    found = [f"{what}: {got:,} found, {true:,} planned" for what, (got, true) in expected.items() if got != true]
    return (*found, *_model_differences(figures, truth))


def differences_from_counters(figures: Figures, exposition: str) -> tuple[str, ...]:
    """What a scrape of `/metrics` says otherwise than the arrived spans, one sentence each."""
    counters = counter_totals(exposition)
    found = []
    for name, amount in _expected_counters(figures):
        counted = counters.get(name, 0.0)
        if not math.isclose(counted, amount, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12):
            found.append(f"{name}: {counted!r} counted, {amount!r} on the spans")
    return tuple(found)


def counter_totals(exposition: str) -> dict[str, float]:
    """Every counter of a Prometheus exposition, summed over its labels."""
    sums: dict[str, list[float]] = defaultdict(list)
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            sums[sample.name].append(sample.value)
    return {name: math.fsum(samples) for name, samples in sums.items()}


def _model_differences(figures: Figures, truth: Truth) -> Iterator[str]:
    arrived = {(row.name[0], row.name[1]): (row.calls, row.input_tokens, row.output_tokens) for row in figures.models}
    planned = {name: (model.calls, model.input_tokens, model.output_tokens) for name, model in truth.models.items()}
    nothing = (0, 0, 0)
    for name in sorted(arrived.keys() | planned.keys()):
        found, true = arrived.get(name, nothing), planned.get(name, nothing)
        if found != true:
            yield f"{'/'.join(name)}: calls, input and output tokens {found} found, {true} planned"


def _expected_counters(figures: Figures) -> Iterator[tuple[str, float]]:
    overall = figures.overall
    yield metric_names.OPERATIONS.prometheus_name, float(overall.calls)
    yield metric_names.TOKENS.prometheus_name, float(overall.input_tokens + overall.output_tokens)
    if overall.amounts is None:
        return
    energy, emissions, water = overall.amounts.energy_kwh, overall.amounts.emissions_gco2e, overall.amounts.water_l
    yield metric_names.ENERGY.prometheus_name, joules_from_kwh(energy.mid)
    yield metric_names.ENERGY_LOW.prometheus_name, joules_from_kwh(energy.low)
    yield metric_names.ENERGY_HIGH.prometheus_name, joules_from_kwh(energy.high)
    yield metric_names.EMISSIONS.prometheus_name, emissions.mid
    yield metric_names.EMISSIONS_LOW.prometheus_name, emissions.low
    yield metric_names.EMISSIONS_HIGH.prometheus_name, emissions.high
    yield metric_names.WATER.prometheus_name, water.mid
    yield metric_names.WATER_LOW.prometheus_name, water.low
    yield metric_names.WATER_HIGH.prometheus_name, water.high
