"""The running totals as Observable counters of an OpenTelemetry meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation, get_meter

from otel_carbon import attributes as ours
from otel_carbon import metric_names
from otel_carbon.metrics.points import points_of
from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.metrics import CallbackOptions, MeterProvider

    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.totals import Totals


def register_instruments(totals: Totals, meter_provider: MeterProvider | None) -> None:
    """Create one Observable counter for each metric; readers call back into the totals when they collect."""
    meter = get_meter(ours.ROOT, VERSION, meter_provider, ours.SCHEMA_URL)
    for metric in metric_names.ALL:
        meter.create_observable_counter(metric.name, [_callback(totals, metric)], metric.unit, metric.description)


def _callback(totals: Totals, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(point.amount, point.attributes) for point in points_of(totals.snapshot(), metric)]

    return observe
