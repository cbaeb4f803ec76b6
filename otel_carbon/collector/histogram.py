"""A histogram of fixed bounds, for what happens a few times for each request."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

from prometheus_client.core import HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Labels = tuple[tuple[str, str], ...]
DURATION_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SIZE_BOUNDS_ITEMS = (1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0, 25_000.0, 100_000.0)
SIZE_BOUNDS_BYTES = tuple(1024.0 * 4**power for power in range(9))
"""From 1 KiB to 64 MiB, which is the largest request."""


class Histogram:
    """Counts values by upper bounds; to be changed by one thread at a time."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """Sum of all values."""

    def observe(self, value: float) -> None:
        """Add a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def copy(self) -> Histogram:
        """One that changes no more with this."""
        copied = Histogram(self._bounds)
        copied._counts[:] = self._counts
        copied.total = self.total
        return copied

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bounds as text, and how many values are not above them."""
        bounds = [*(f"{bound:g}" if bound < 1e6 else str(int(bound)) for bound in self._bounds), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self._counts)), strict=True))


def histogram_family(name: str, documentation: str, samples: Mapping[Labels, Histogram]) -> HistogramMetricFamily:
    """A family of histograms by their labels; there is one at least."""
    label_names = [label for label, _ in next(iter(samples))]
    family = HistogramMetricFamily(name, documentation, labels=label_names)
    for labels, histogram in sorted(samples.items(), key=itemgetter(0)):
        family.add_metric([text for _, text in labels], histogram.buckets(), histogram.total)
    return family
