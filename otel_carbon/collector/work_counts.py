"""What processors and exporters have done: items, durations and sizes, a few additions for each request."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from otel_carbon.collector.histogram import (
    DURATION_BOUNDS_S,
    SIZE_BOUNDS_BYTES,
    SIZE_BOUNDS_ITEMS,
    Histogram,
    histogram_family,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from otel_carbon.collector.histogram import Labels
    from otel_carbon.collector.signals import Signal

ITEMS_IN_HELP = "Items that went into a processor."
ITEMS_OUT_HELP = "Items that came out of a processor; none is ever dropped there."


class ProcessorWork:
    """Of one processor and one signal."""

    __slots__ = ("_durations", "_lock", "items")

    def __init__(self) -> None:
        self._lock = Lock()
        self._durations = Histogram(DURATION_BOUNDS_S)
        self.items = 0
        """Items that went through."""

    def add(self, items: int, duration_s: float) -> None:
        """Count items of a request, or of all that was held, and how long they took, in seconds."""
        with self._lock:
            self.items += items
            self._durations.observe(duration_s)

    def durations(self) -> Histogram:
        """A copy, in seconds."""
        with self._lock:
            return self._durations.copy()


class ExporterWork:
    """Of one exporter; every attempt to send counts."""

    __slots__ = ("_item_sizes", "_lock", "_sizes_bytes", "in_flight")

    def __init__(self) -> None:
        self._lock = Lock()
        self._item_sizes = Histogram(SIZE_BOUNDS_ITEMS)
        self._sizes_bytes = Histogram(SIZE_BOUNDS_BYTES)
        self.in_flight = 0
        """Requests on their way."""

    def begin(self, items: int, size_bytes: int) -> None:
        """Count an attempt to send."""
        with self._lock:
            self.in_flight += 1
            self._item_sizes.observe(items)
            self._sizes_bytes.observe(size_bytes)

    def end(self) -> None:
        """Note that an attempt is over."""
        with self._lock:
            self.in_flight -= 1

    def sizes(self) -> tuple[Histogram, Histogram]:
        """Copies of the sizes in items and in bytes."""
        with self._lock:
            return self._item_sizes.copy(), self._sizes_bytes.copy()


def processor_families(work: Mapping[tuple[str, Signal], ProcessorWork]) -> Iterator[Metric]:
    """The families of all processors, by component id and signal."""
    if not work:
        return
    labels: dict[tuple[str, Signal], Labels] = {
        key: (("otel_signal", key[1].value), ("processor", key[0])) for key in work
    }
    for name, documentation in (
        ("otelcol_processor_incoming_items", ITEMS_IN_HELP),
        ("otelcol_processor_outgoing_items", ITEMS_OUT_HELP),
    ):
        family = CounterMetricFamily(name, documentation, labels=["otel_signal", "processor"])
        for key, one in work.items():
            family.add_metric([text for _, text in labels[key]], one.items)
        yield family
    durations = {labels[key]: one.durations() for key, one in work.items()}
    yield histogram_family(
        "otelcol_processor_internal_duration_seconds",
        "Seconds that a processor took for a request, or for all that was held.",
        durations,
    )


def exporter_families(work: Mapping[str, ExporterWork]) -> Iterator[Metric]:
    """The families of all exporters that send, by component id."""
    if not work:
        return
    in_flight = GaugeMetricFamily(
        "otelcol_exporter_in_flight_requests", "Requests on their way to a backend.", labels=["exporter"]
    )
    for exporter, one in work.items():
        in_flight.add_metric([exporter], one.in_flight)
    yield in_flight
    sizes = {(("exporter", exporter),): one.sizes() for exporter, one in work.items()}
    yield histogram_family(
        "otelcol_exporter_queue_batch_send_size",
        "Items of each attempt to send.",
        {labels: items for labels, (items, _) in sizes.items()},
    )
    yield histogram_family(
        "otelcol_exporter_queue_batch_send_size_bytes",
        "Bytes of each attempt to send, before compression.",
        {labels: in_bytes for labels, (_, in_bytes) in sizes.items()},
    )
