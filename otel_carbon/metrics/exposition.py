"""The totals as a Prometheus page, in its text format or as OpenMetrics, written in slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from otel_carbon import metric_names
from otel_carbon.metrics.pacing import Pacing
from otel_carbon.metrics.points import points_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric as Family

    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.pacing import Rest
    from otel_carbon.metrics.points import Part
    from otel_carbon.metrics.totals import Snapshot, Totals

COUNTER_SUFFIX = "_total"
OPENMETRICS_END = b"# EOF\n"
"""Only the last of several expositions that make one page has it."""
_SAMPLES_AT_A_TIME = 10
"""Written in one go: about 0.15 ms."""


class TotalsCollector(Collector):
    """Hands a snapshot of the totals to prometheus_client, one family for each metric of the convention.

    It pauses between slices, so that who books or answers meanwhile hardly waits for it.
    """

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Family]:
        """Yield the families in the order of the convention, all of one snapshot."""
        rest = Pacing().rest
        snapshot = self._totals.snapshot(rest)
        for metric in metric_names.ALL:
            yield _family(snapshot, metric, rest)
        rest()

    def describe(self) -> Iterable[Family]:
        """Name no family in advance: nothing else registers ours."""
        return []


class Exposition:
    """Renders a page for whatever a scraper accepts."""

    def __init__(self, totals: Totals) -> None:
        self._collector = TotalsCollector(totals)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, by the scraper's `Accept` header."""
        encode, content_type = choose_encoder(accept)
        return written(self.families(), encode, Pacing().rest), content_type

    def families(self) -> Iterable[Family]:
        """What a page would show, for who does not scrape it."""
        return self._collector.collect()


def written(families: Iterable[Family], encode: Callable[[Collector], bytes], rest: Rest) -> bytes:
    """A page of families as prometheus_client encodes them, some samples at a time."""
    pieces = [piece for family in families for piece in _pieces(family, encode, rest)]
    pieces.append(encode(_Some(())))
    rest()  # to join megabytes and to let go of them takes a slice each
    page = b"".join(pieces)
    rest()
    pieces.clear()
    rest()
    return page


class _Some(Collector):
    """What prometheus_client encodes at a time."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _pieces(family: Family, encode: Callable[[Collector], bytes], rest: Rest) -> Iterator[bytes]:
    """The lines of a family, some samples at a time: what describes it stands before the first ones only."""
    samples, family.samples = family.samples, []
    description = encode(_Some([family])).removesuffix(OPENMETRICS_END)
    yield description
    for first in range(0, len(samples), _SAMPLES_AT_A_TIME):
        family.samples = samples[first : first + _SAMPLES_AT_A_TIME]
        yield encode(_Some([family])).removesuffix(OPENMETRICS_END).removeprefix(description)
        rest()


def _family(snapshot: Snapshot, metric: Metric, rest: Rest) -> CounterMetricFamily:
    points = []
    keys: set[str] = set()
    for point in points_of(snapshot, metric):
        points.append(point)
        keys.update(point.attributes)
        rest()
    names = sorted(keys)
    family = CounterMetricFamily(
        metric.prometheus_name.removesuffix(COUNTER_SUFFIX),
        metric.description,
        labels=[label_name(key) for key in names],
    )
    for point in points:
        values = [point.attributes.get(key, "") for key in names]
        family.add_metric(values, point.amount, exemplar=_exemplar(point.example))
        rest()
    return family


def _exemplar(part: Part | None) -> Exemplar | None:
    """A call as OpenMetrics links a series to a trace; without a time, so that it is taken for one of the scrape.

    The time of the call would be that of the client, and one clock that is ahead would shut out all calls after it.
    """
    labels = None if part is None else part.call.labels()
    return None if part is None or labels is None else Exemplar(labels, part.amount)


def label_name(key: str) -> str:
    """An attribute key as Prometheus spells labels."""
    return key.replace(".", "_")
