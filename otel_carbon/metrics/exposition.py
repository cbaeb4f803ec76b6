"""The totals as a Prometheus page, in its text format or as OpenMetrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from otel_carbon import metric_names
from otel_carbon.metrics.points import points_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric as Family

    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.totals import Snapshot, Totals

COUNTER_SUFFIX = "_total"


class TotalsCollector(Collector):
    """Hands a snapshot of the totals to prometheus_client, one family for each metric of the convention."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def collect(self) -> Iterable[Family]:
        """Yield the families in the order of the convention."""
        snapshot = self._totals.snapshot()
        return [_family(snapshot, metric) for metric in metric_names.ALL]

    def describe(self) -> Iterable[Family]:
        """Name no family in advance: nothing else registers ours."""
        return []


class Exposition:
    """Renders a page for whatever a scraper accepts; further collectors may be put beside our totals."""

    def __init__(self, totals: Totals, *beside: Collector) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (TotalsCollector(totals), *beside):
            self._registry.register(collector)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, by the scraper's `Accept` header."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def families(self) -> Iterable[Family]:
        """What a page would show, for who does not scrape it."""
        return self._registry.collect()


def _family(snapshot: Snapshot, metric: Metric) -> CounterMetricFamily:
    points = list(points_of(snapshot, metric))
    keys = sorted({key for point in points for key in point.attributes})
    family = CounterMetricFamily(
        metric.prometheus_name.removesuffix(COUNTER_SUFFIX),
        metric.description,
        labels=[label_name(key) for key in keys],
    )
    for point in points:
        family.add_metric([point.attributes.get(key, "") for key in keys], point.amount)
    return family


def label_name(key: str) -> str:
    """An attribute key as Prometheus spells labels."""
    return key.replace(".", "_")
