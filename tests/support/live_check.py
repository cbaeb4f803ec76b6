"""Holds every span, metric and Prometheus page that the tests see against the convention in `semconv/`."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families as families_of_openmetrics
from prometheus_client.parser import text_string_to_metric_families as families_of_text

from tools.semconv_model import Model, Signal, load_model
from tools.semconv_python import CORE_GROUP, POINT_GROUP, prometheus_name
from tools.semconv_values import value_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.samples import Sample

SEMCONV = Path(__file__).resolve().parents[2] / "semconv"
COUNTER_KINDS = ("counter", "observable_counter", "monotonic_sum")
OVERFLOW = "other"
SCOPE_LABELS = ("otel_scope_name", "otel_scope_version", "otel_scope_schema_url")
RELATIVE_ROUNDING = 1e-4
"""Attributes may be rounded one by one, so sums and orders hold only up to this part of the figure."""


@functools.cache
def convention() -> Model:
    """The model as it stands in the YAML files, read once."""
    return load_model(SEMCONV)


def check_span_attributes(attributes: Mapping[str, object]) -> list[str]:
    """What is wrong with the `otel_carbon.*` attributes of one span, one sentence each."""
    model = convention()
    ours = {key: value for key, value in attributes.items() if key.startswith(model.name + ".")}
    return [*_unfit_values(ours, model), *_unfit_combination(ours, model), *_disordered_amounts(ours, model)]


def check_metric(
    name: str, unit: str, instrument: str, points: Iterable[Mapping[str, object] | Collection[str]]
) -> list[str]:
    """What is wrong with one metric; points are attribute mappings, or only their keys.

    `instrument` is one of `COUNTER_KINDS` for what adds up. Metrics of others are not judged.
    """
    model = convention()
    if not name.startswith(model.name + "."):
        return []
    metric = model.metrics.get(name)
    if metric is None:
        return [f"{name} is no metric of the convention"]
    problems = []
    if unit != metric.unit:
        problems.append(f"{name} must be in {metric.unit}, not {unit!r}")
    if instrument not in COUNTER_KINDS:
        problems.append(f"{name} must be a counter, not {instrument}")
    for point in points:
        problems += [f"{name}: {problem}" for problem in _unfit_point(metric, point, model)]
    return problems


def check_exposition(text: str) -> list[str]:
    """What is wrong with our families on a Prometheus page, in the plain text format or OpenMetrics."""
    parse = families_of_openmetrics if text.rstrip().endswith("# EOF") else families_of_text
    try:
        families = list(parse(text))
    except (ValueError, KeyError, IndexError) as error:
        return [f"the page cannot be parsed: {error}"]
    model = convention()
    known = {prometheus_name(metric): metric for metric in model.metrics.values()}
    ours = [family for family in families if family.name.startswith((model.name + "_", model.name + "."))]
    unknown = sorted(_spelt_names(text, model.name) - set(known))
    return [
        *(f"{name} is no metric of the convention" for name in unknown),
        *(problem for family in ours for problem in _unfit_family(family, known, model)),
    ]


def _spelt_names(text: str, root: str) -> set[str]:
    """Our sample names as they stand on the page: the parser would add a `_total` that is not there."""
    names = re.findall(rf'^(?:{{")?({root}[_.:][\w.:]*)', text, re.MULTILINE)
    return {name for name in names if not name.endswith("_created")}


def _unfit_values(ours: Mapping[str, object], model: Model) -> Iterator[str]:
    allowed = {reference.key for signal in model.span_refinements.values() for reference in signal.references}
    for key, value in ours.items():
        if key not in model.attributes:
            yield f"{key} is no attribute of the convention"
        elif key not in allowed:
            yield f"{key} is for metrics, not for spans"
        elif problem := value_problem(model.attributes[key], value):
            yield problem


def _unfit_combination(ours: Mapping[str, object], model: Model) -> Iterator[str]:
    root = model.name + "."
    status, reason = ours.get(root + "status"), root + "reason"
    if status is None:
        if set(ours) - {root + "tenant"}:
            yield f"a span with {', '.join(sorted(ours))} needs {root}status"
        return
    if status == "estimated":
        core = {reference.key for reference in model.groups[CORE_GROUP].references}
        yield from (f"an estimated span lacks {key}" for key in sorted(core - {reason} - set(ours)))
        if reason in ours:
            yield f"an estimated span has no {reason}, but here it is {ours[reason]!r}"
        return
    if reason not in ours:
        yield f"a span that is {status} lacks {reason}"
    amounts = [key for key in ours if key in model.attributes and model.attributes[key].type == "double"]
    yield from (f"a span that is {status} carries the amount {key}" for key in sorted(amounts))


def _disordered_amounts(ours: Mapping[str, object], model: Model) -> Iterator[str]:
    amounts = {key: value for key, value in ours.items() if isinstance(value, float) and math.isfinite(value)}
    for mid in model.attributes:
        ordered = [amounts[key] for key in (f"{mid}_low", mid, f"{mid}_high") if key in amounts]
        if len(ordered) > 1 and ordered != sorted(ordered):
            yield f"{mid}: low <= mid <= high does not hold for {ordered}"
    root = model.name + "."
    facility, it = amounts.get(root + "energy_kwh"), amounts.get(root + "it_energy_kwh")
    if facility is not None and it is not None and it > facility * (1 + RELATIVE_ROUNDING):
        yield f"{root}it_energy_kwh {it} exceeds the facility's {facility}"
    total = amounts.get(root + "emissions_gco2e")
    parts = [amounts.get(f"{root}emissions_{part}_gco2e") for part in ("operational", "embodied")]
    known = [part for part in parts if part is not None]
    if (
        total is not None
        and len(known) == len(parts)
        and not math.isclose(sum(known), total, rel_tol=RELATIVE_ROUNDING)
    ):
        yield f"{root}emissions_gco2e {total} is not operational plus embodied, {sum(known)}"


def _unfit_point(metric: Signal, point: Mapping[str, object] | Collection[str], model: Model) -> Iterator[str]:
    allowed = {reference.key: reference for reference in metric.references}
    yield from (f"the attribute {key} is not allowed" for key in sorted(set(point) - set(allowed)))
    required = {key for key, reference in allowed.items() if reference.level == "required"}
    yield from (f"the attribute {key} is missing" for key in sorted(required - set(point)))
    if not isinstance(point, Mapping):
        return
    foldable = {reference.key for reference in model.groups[POINT_GROUP].references}
    for key in (key for key in point if key in allowed):
        if not (key in foldable and point[key] == OVERFLOW) and (
            problem := value_problem(model.attribute(key), point[key])
        ):
            yield problem


def _unfit_family(family: Family, known: Mapping[str, Signal], model: Model) -> Iterator[str]:
    if family.type != "counter":
        yield f"{family.name} must be a counter, not {family.type}"
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for sample in family.samples:
        if sample.name.endswith("_created") and family.type == "counter":
            continue  # OpenMetrics: when the series began
        labels = {label: value for label, value in sample.labels.items() if value}  # an empty label is an absent one
        series = (sample.name, tuple(sorted(labels.items())))
        if series in seen:
            yield f"{sample.name}: the series {labels} stands twice"
        seen.add(series)
        if sample.name in known:
            faults = _unfit_sample(sample, labels, known[sample.name], model)
            yield from (f"{sample.name}: {problem}" for problem in faults)


def _unfit_sample(sample: Sample, labels: Mapping[str, str], metric: Signal, model: Model) -> Iterator[str]:
    keys = {_label(reference.key): reference.key for reference in metric.references}
    ours = {label: value for label, value in labels.items() if label in keys or label not in SCOPE_LABELS}
    yield from _unfit_point(metric, {keys.get(label, label): value for label, value in ours.items()}, model)
    if not (math.isfinite(sample.value) and sample.value >= 0):
        yield f"a counter cannot be {sample.value:g}"


def _label(key: str) -> str:
    return key.replace(".", "_")
