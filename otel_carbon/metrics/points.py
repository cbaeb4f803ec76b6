"""The points of each metric, named and labelled the same on every way into Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon import metric_names
from otel_carbon.core.tokens import KINDS
from otel_carbon.core.units import JOULES_PER_KWH
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.metrics.totals import OperationKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.core.footprint import Footprint
    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.examples import Example
    from otel_carbon.metrics.labels import SeriesLabels
    from otel_carbon.metrics.totals import Snapshot

LABEL_KEYS = (
    "gen_ai.provider.name",
    "gen_ai.response.model",
    ours.REGION,
    ours.TIER,
    ours.TENANT,
    "service.name",
    "deployment.environment.name",
)
"""The attribute keys of the fields of `SeriesLabels`, in order."""


_AMOUNT_METRICS = (
    metric_names.ENERGY,
    metric_names.ENERGY_LOW,
    metric_names.ENERGY_HIGH,
    metric_names.EMISSIONS,
    metric_names.EMISSIONS_LOW,
    metric_names.EMISSIONS_HIGH,
    metric_names.WATER,
    metric_names.WATER_LOW,
    metric_names.WATER_HIGH,
)
_UNSEEN_METRICS = (
    metric_names.SAMPLING_UNSEEN_OPERATIONS,
    metric_names.SAMPLING_UNSEEN_ENERGY,
    metric_names.SAMPLING_UNSEEN_EMISSIONS,
)
"""The metrics of the fields of `Unseen`, in order."""
_POSITION = {metric.name: position for position, metric in enumerate(_AMOUNT_METRICS)}


class Part(NamedTuple):
    """What one call has added to a point."""

    call: Example
    amount: float


class Point(NamedTuple):
    """One cumulative value with its attributes; labels that are empty are left out.

    `example` is a recent call that is part of it; bounds have none, as the call of the amount between them tells all.
    """

    attributes: dict[str, str]
    amount: float
    example: Part | None = None


def points_of(snapshot: Snapshot, metric: Metric) -> Iterator[Point]:
    """The points of one metric in a snapshot, in a stable order."""
    position = _POSITION.get(metric.name)
    if position is not None:
        yield from _amount_points(snapshot, position)
    elif metric is metric_names.TOKENS:
        yield from _token_points(snapshot)
    elif metric is metric_names.OPERATIONS:
        for key, count in sorted(snapshot.operations.items()):
            call = snapshot.examples.get(key)
            yield Point(_operation_attributes(key), count, None if call is None else Part(call, 1))
    elif metric is metric_names.MATCHED_OPERATIONS:
        yield from _matched_points(snapshot)
    elif metric in _UNSEEN_METRICS:
        yield from _unseen_points(snapshot, metric)
    elif metric is metric_names.SPANS:
        yield from _span_points(snapshot)
    elif metric is metric_names.DROPPED_SERIES:
        yield Point({}, snapshot.dropped_series)


def attributes_of(labels: SeriesLabels) -> dict[str, str]:
    """Labels as point attributes; an unknown one is absent."""
    return {key: text for key, text in zip(LABEL_KEYS, labels, strict=True) if text}


def _operation_attributes(key: OperationKey) -> dict[str, str]:
    extra = {ours.STATUS: key.status, ours.REASON: key.reason}
    return attributes_of(key.labels) | {name: text for name, text in extra.items() if text}


def _matched_points(snapshot: Snapshot) -> Iterator[Point]:
    for matched, count in sorted(snapshot.matches.items()):
        yield Point(attributes_of(matched.labels) | {ours.MATCH: matched.match}, count)


def _span_points(snapshot: Snapshot) -> Iterator[Point]:
    for span, count in sorted(snapshot.spans.items()):
        labels = {ours.OBSERVED_SCOPE: span.scope, ours.DIALECT: span.dialect, ours.VERDICT: span.verdict}
        yield Point({key: text for key, text in labels.items() if text or key == ours.OBSERVED_SCOPE}, count)


def _unseen_points(snapshot: Snapshot, metric: Metric) -> Iterator[Point]:
    """What sampling dropped, extrapolated: of calls by status and reason, of amounts where there are any."""
    position = _UNSEEN_METRICS.index(metric)
    for key, unseen in sorted(snapshot.unseen.items()):
        if metric is metric_names.SAMPLING_UNSEEN_OPERATIONS:
            yield Point(_operation_attributes(key), unseen.calls)
        elif key.status == ours.STATUS_ESTIMATED:
            yield Point(attributes_of(key.labels), unseen[position])


def _amount_points(snapshot: Snapshot, position: int) -> Iterator[Point]:
    amount_of = _AMOUNT_OF_CALL.get(position)
    for labels, row in sorted(snapshot.rows.items()):
        if labels.tier:  # rows without a tier hold calls without a figure
            call = snapshot.examples.get(OperationKey(labels, ours.STATUS_ESTIMATED, ""))
            part = None
            if amount_of is not None and call is not None and call.footprint is not None:
                part = Part(call, amount_of(call.footprint))
            yield Point(attributes_of(labels), row[position], part)


def _token_points(snapshot: Snapshot) -> Iterator[Point]:
    calls = {key.labels: call for key, call in snapshot.examples.items() if call.tokens is not None}
    for labels, row in sorted(snapshot.rows.items()):
        call = calls.get(labels)
        for number, (kind, count) in enumerate(zip(KINDS, row[AMOUNTS:], strict=True)):
            if count:
                yield Point(attributes_of(labels) | {ours.TOKEN_TYPE: kind}, count, _part_in_tokens(call, number))


def _part_in_tokens(call: Example | None, number: int) -> Part | None:
    """The tokens of one kind, if the call has any."""
    if call is None or call.tokens is None or not call.tokens[number]:
        return None
    return Part(call, call.tokens[number])


def _energy_j(footprint: Footprint) -> float:
    return footprint.energy_kwh.mid * JOULES_PER_KWH


def _emissions_gco2e(footprint: Footprint) -> float:
    return footprint.emissions_gco2e.mid


def _water_l(footprint: Footprint) -> float:
    return footprint.water_l.mid


_AMOUNT_OF_CALL = {0: _energy_j, 3: _emissions_gco2e, 6: _water_l}
"""What a call has added, by the position of the amount in a row."""
