"""The running totals as Observable counters of an OpenTelemetry meter."""

from __future__ import annotations

import threading
import weakref
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

_lock = threading.Lock()
_of_global_provider: list[Totals] = []
_global_instruments: list[object] = []
"""Held, as a provider that is configured anew makes them again only while somebody has them: Logfire's does."""
_by_provider: weakref.WeakKeyDictionary[MeterProvider, list[Totals]] = weakref.WeakKeyDictionary()


def register_instruments(totals: Totals, meter_provider: MeterProvider | None) -> None:
    """Have one Observable counter for each metric report the totals, beside others of the same meter provider.

    A meter has each instrument once; two sets would hide one another.
    """
    with _lock:
        together = _of_global_provider if meter_provider is None else _by_provider.setdefault(meter_provider, [])
        together.append(totals)
        if len(together) > 1:
            return
    meter = get_meter(ours.ROOT, VERSION, meter_provider, ours.SCHEMA_URL)
    instruments = [
        meter.create_observable_counter(metric.name, [_callback(together, metric)], metric.unit, metric.description)
        for metric in metric_names.ALL
    ]
    if meter_provider is None:
        _global_instruments.extend([meter, *instruments])


def _callback(together: list[Totals], metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        if len(together) == 1:
            return [Observation(point.amount, point.attributes) for point in points_of(together[0].snapshot(), metric)]
        return _summed(together, metric)

    return observe


def _summed(together: list[Totals], metric: Metric) -> Iterable[Observation]:
    """One observation for each label set, whichever of the totals it is in."""
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for totals in list(together):
        for point in points_of(totals.snapshot(), metric):
            key = tuple(sorted(point.attributes.items()))
            sums[key] = sums.get(key, 0) + point.amount
    return [Observation(amount, dict(key)) for key, amount in sums.items()]
