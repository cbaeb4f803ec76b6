"""The running totals as Observable counters of an OpenTelemetry meter."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation, get_meter

from otel_carbon import attributes as ours
from otel_carbon import metric_names
from otel_carbon.metrics.labels import OTHER
from otel_carbon.metrics.points import LABEL_KEYS, points_of
from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.metrics import CallbackOptions, MeterProvider

    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.totals import Totals

    _Labels = tuple[tuple[str, str], ...]

MAX_POINTS = 1800
"""Points that one metric reports, and a few more for what is beyond: the SDK takes 2,000 attribute sets an instrument,
and of further ones it keeps no attribute at all."""
_SUMMED_UP = frozenset((*LABEL_KEYS, ours.OBSERVED_SCOPE))
"""Attributes that become `other` beyond that; the others have a few values only."""
_logger = logging.getLogger(__name__)
TEMPORALITY_PREFERENCE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_lock = threading.Lock()
_of_global_provider: list[Totals] = []
_global_instruments: list[object] = []
"""Held, as a provider that is configured anew makes them again only while somebody has them: Logfire's does."""
_reports: weakref.WeakSet[_Report] = weakref.WeakSet()
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
    reports = {metric: _Report(together, metric) for metric in metric_names.ALL}
    instruments = [
        meter.create_observable_counter(metric.name, [report], metric.unit, metric.description)
        for metric, report in reports.items()
    ]
    if not _reports and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_begin_anew_in_child)
    _reports.update(reports.values())
    if meter_provider is None:
        _global_instruments.extend([meter, *instruments])


class _Report:
    """Observes one metric over all totals of a meter provider.

    After a fork totals begin at zero, which is right for a child that reports running totals under an id of its own.
    One that reports differences goes on subtracting what its parent had reported last: that is added until it ends.
    """

    __slots__ = ("__weakref__", "_admitted", "_base", "_metric", "_together", "_told", "_warned")

    def __init__(self, together: list[Totals], metric: Metric) -> None:
        self._together = together
        self._metric = metric
        self._told: dict[_Labels, float] = {}
        self._base: dict[_Labels, float] = {}
        self._admitted: set[_Labels] = set()
        self._warned = False

    def __call__(self, _options: CallbackOptions) -> Iterable[Observation]:
        """The observations of now, one for each label set."""
        if _reports_differences(os.environ):
            sums = self._sums()
            self._told |= {key: amount + self._base.get(key, 0) for key, amount in sums.items()}
            return [Observation(self._told[key], dict(key)) for key in sums]
        return [Observation(amount, dict(key)) for key, amount in self._sums().items()]

    def _sums(self) -> dict[_Labels, float]:
        sums: dict[_Labels, float] = {}
        for totals in list(self._together):
            snapshot = totals.snapshot()
            if self._metric is metric_names.DROPPED_SERIES and snapshot.dropped_series:
                self._warn("more label sets than there is room for in a process")
            for point in points_of(snapshot, self._metric):
                key = self._admit(tuple(sorted(point.attributes.items())))
                sums[key] = sums.get(key, 0) + point.amount
        return sums

    def _admit(self, key: _Labels) -> _Labels:
        """The attributes to report under: once there are too many, new ones are summed up, and the old ones stay."""
        if key in self._admitted:
            return key
        if len(self._admitted) < MAX_POINTS:
            self._admitted.add(key)
            return key
        self._warn(f"more than {MAX_POINTS} series")
        return tuple((name, OTHER if name in _SUMMED_UP else text) for name, text in key)

    def _warn(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            _logger.warning(
                "%s: %s; calls with further tenants, models, regions or services are reported under `other`, and sums "
                "stay complete. Let the attribute that names tenants have fewer values, or count in the collector, "
                "which has room for more",
                self._metric.name,
                what,
            )

    def begin_anew(self) -> None:
        """Go on in a forked child."""
        self._base = dict(self._told)


def _reports_differences(environ: Mapping[str, str]) -> bool:
    """Whether exporters are asked for differences of observed counters; `lowmemory` asks for running totals of them."""
    return environ.get(TEMPORALITY_PREFERENCE, "").strip().lower() == "delta"


def _begin_anew_in_child() -> None:
    for report in list(_reports):
        report.begin_anew()
