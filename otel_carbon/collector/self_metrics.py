"""What the collector says about itself, under the names that dashboards for the upstream collector know."""

from __future__ import annotations

import time
from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from otel_carbon.collector.fact_metrics import fact_families
from otel_carbon.collector.pipeline_status import BackendState
from otel_carbon.collector.process_memory import resident_bytes
from otel_carbon.collector.refusal_reasons import Reason
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.work_counts import ExporterWork, ProcessorWork, exporter_families, processor_families
from otel_carbon.metrics.exposition import written
from otel_carbon.metrics.pacing import Pacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prometheus_client.metrics_core import Metric

    from otel_carbon.collector.byte_queue import SendingQueue
    from otel_carbon.collector.fact_metrics import CarbonFacts
    from otel_carbon.collector.hold import Hold
    from otel_carbon.collector.memory_limiter import MemoryLimiter
    from otel_carbon.collector.refusal_reasons import CountRefusal
    from otel_carbon.collector.storage.file_storage import FileStorage

_COUNTER_HELP = {
    "otelcol_receiver_accepted_{items}": "Items taken over: every exporter queue has them, or room for what is held.",
    "otelcol_receiver_refused_{items}": "Items refused for now because a queue was full; the client keeps them.",
    "otelcol_exporter_sent_{items}": "Items the backend accepted.",
    "otelcol_exporter_send_failed_{items}": "Items the backend rejected, or that were given up.",
    "otelcol_exporter_enqueue_failed_{items}": "Items refused because this exporter's queue was full.",
    "otelcol_receiver_failed_{items}": "Items of requests that could not be processed and were answered with an error.",
    "otelcol_receiver_requests": "Export requests by outcome: success, refused (queue full) or failure (bad request).",
    "otel_carbon_collector_processor_failures": "Requests forwarded unprocessed because a processor failed.",
    "otel_carbon_collector_receiver_refusals": "Requests and connections that a receiver refused, by reason.",
    "otel_carbon_collector_hold_decisions": "Times that all held requests were decided, by cause: time, size or stop.",
}

Labels = tuple[tuple[str, str], ...]


class CarbonNumbers(NamedTuple):
    """What the carbon processor counts about the metrics that it reads.

    Attributes:
        usage_points: data points of usage metrics by what became of them.
        usage_series: cumulative series that are remembered.
        usage_series_dropped: series that were forgotten to make room.
        usage_tokens_waiting: cached and reasoning tokens that came before the total they are part of.
    """

    usage_points: Mapping[str, int]
    usage_series: int
    usage_series_dropped: int
    usage_tokens_waiting: int


class SelfMetrics(Collector):
    """Counters and queue gauges of one collector, rendered by `prometheus_client`.

    Counts are plain integers under one lock, taken a few times for each request and never for each span.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._totals: defaultdict[str, defaultdict[Labels, int]] = defaultdict(lambda: defaultdict(int))
        self._processors: dict[tuple[str, Signal], ProcessorWork] = {}
        self._exporters: dict[str, ExporterWork] = {}
        self.backends: dict[str, BackendState] = {}
        """The states of exporters that send, by component id."""
        self._facts: list[CarbonFacts] = []
        self._queues: list[SendingQueue] = []
        self._holds: list[Hold] = []
        self._limiters: list[MemoryLimiter] = []
        self._storages: list[FileStorage] = []
        self._carbon: list[Callable[[], CarbonNumbers]] = []
        self._counting: dict[str, Callable[[], int]] = {}
        self._started_s = time.monotonic()

    def watch_receiver(self, receiver: str, transport: str, signal: Signal) -> None:
        """Show a receiver's counters from the start, at 0."""
        self.accepted(receiver, transport, signal, 0)
        self.refused(receiver, transport, signal, 0)
        self.failed(receiver, transport, signal, 0)
        for outcome in ("success", "refused", "failure"):
            labels = {"receiver": receiver, "transport": transport, "outcome": outcome}
            self._add("otelcol_receiver_requests", None, 0, **labels)

    def processor_work(self, processor: str, signal: Signal) -> ProcessorWork:
        """Where a processor counts what goes through it; shown from now on."""
        self._add("otel_carbon_collector_processor_failures", None, 0, processor=processor)
        with self._lock:
            return self._processors.setdefault((processor, signal), ProcessorWork())

    def exporter_work(self, exporter: str) -> ExporterWork:
        """Where an exporter counts what it sends; shown from now on."""
        with self._lock:
            return self._exporters.setdefault(exporter, ExporterWork())

    def watch_backend(self, exporter: str) -> BackendState:
        """Show whether an exporter's backend takes what it is sent; the exporter notes it in what is returned."""
        state = self.backends[exporter] = BackendState()
        return state

    def watch_facts(self, facts: CarbonFacts) -> None:
        """Show which facts the carbon processor computes with, and how old they are."""
        self._facts.append(facts)

    def watch_queue(self, queue: SendingQueue) -> None:
        """Show an exporter's queue and its counters from the start: of one that begins above 0, growth is not seen."""
        self._queues.append(queue)
        for signal in Signal:
            self.sent(queue.exporter, signal, 0)
            self.send_failed(queue.exporter, signal, 0)
            self.enqueue_failed(queue.exporter, signal, 0)

    def watch_carbon(self, numbers: Callable[[], CarbonNumbers]) -> None:
        """Show what a carbon processor makes of the metrics that it reads."""
        self._carbon.append(numbers)

    def watch_counting(self, processor: str, dropped_entries: Callable[[], int]) -> None:
        """Show how much a carbon processor has forgotten of what it had counted, for lack of room."""
        self._counting[processor] = dropped_entries

    def watch_hold(self, hold: Hold) -> None:
        """Show how much a hold has, and how much it takes."""
        self._holds.append(hold)

    def watch_limiter(self, limiter: MemoryLimiter) -> None:
        """Show what a memory limiter does."""
        self._limiters.append(limiter)

    def watch_storage(self, storage: FileStorage) -> None:
        """Show how full a durable queue is, and whether it can be written to."""
        self._storages.append(storage)

    def accepted(self, receiver: str, transport: str, signal: Signal, items: int) -> None:
        """Count items that every exporter queue accepted, or a hold before them."""
        self._add("otelcol_receiver_accepted_{items}", signal, items, receiver=receiver, transport=transport)

    def refused(self, receiver: str, transport: str, signal: Signal, items: int) -> None:
        """Count items that were refused because a queue was full."""
        self._add("otelcol_receiver_refused_{items}", signal, items, receiver=receiver, transport=transport)

    def failed(self, receiver: str, transport: str, signal: Signal, items: int) -> None:
        """Count items of a request that could not be processed and was answered with an error."""
        self._add("otelcol_receiver_failed_{items}", signal, items, receiver=receiver, transport=transport)

    def request(self, receiver: str, transport: str, outcome: str) -> None:
        """Count one request by its outcome: `success`, `refused` or `failure`."""
        self._add("otelcol_receiver_requests", None, 1, receiver=receiver, transport=transport, outcome=outcome)

    def refusal_counter(self, receiver: str, transport: str) -> CountRefusal:
        """Count what a receiver refuses, and show every reason from the start, at 0."""
        name, labels = "otel_carbon_collector_receiver_refusals", {"receiver": receiver, "transport": transport}
        for reason in Reason:
            self._add(name, None, 0, reason=reason.value, **labels)

        def count(reason: Reason) -> None:
            self._add(name, None, 1, reason=reason.value, **labels)

        return count

    def sent(self, exporter: str, signal: Signal, items: int) -> None:
        """Count items that a backend accepted."""
        self._add("otelcol_exporter_sent_{items}", signal, items, exporter=exporter)

    def send_failed(self, exporter: str, signal: Signal, items: int) -> None:
        """Count items that a backend rejected or that were given up."""
        self._add("otelcol_exporter_send_failed_{items}", signal, items, exporter=exporter)

    def enqueue_failed(self, exporter: str, signal: Signal, items: int) -> None:
        """Count items that an exporter's queue had no room for."""
        self._add("otelcol_exporter_enqueue_failed_{items}", signal, items, exporter=exporter)

    def processor_failed(self, processor: str) -> None:
        """Count one request that passed unprocessed because a processor raised."""
        self._add("otel_carbon_collector_processor_failures", None, 1, processor=processor)

    def held_decided(self, processor: str, cause: str) -> None:
        """Count that everything held was decided, because of its age (`time`), its `size` or a `stop`."""
        self._add("otel_carbon_collector_hold_decisions", None, 1, processor=processor, cause=cause)

    def render(self, *, openmetrics: bool = False) -> bytes:
        """Write all families in the Prometheus text format, or in OpenMetrics with its closing `# EOF`."""
        return written(self.collect(), generate_openmetrics if openmetrics else generate_latest, Pacing().rest)

    def collect(self) -> Iterator[Metric]:
        """Yield the families; called by `prometheus_client`."""
        with self._lock:
            totals = {name: dict(samples) for name, samples in sorted(self._totals.items())}
        for name, samples in totals.items():
            yield _counter_family(name, samples)
        with self._lock:
            processors, exporters = dict(self._processors), dict(self._exporters)
        yield from processor_families(processors)
        yield from exporter_families(exporters)
        if self.backends:
            yield self._backend_family()
        yield from self._queue_families()
        if self._holds:
            yield from self._hold_families()
        if self._counting:
            yield self._counting_family()
        if self._limiters:
            yield from _limiter_families(self._limiters)
        if self._storages:
            yield from _storage_families(self._storages)
        for numbers in self._carbon:
            yield from _usage_families(numbers())
        yield from fact_families(self._facts)
        yield from self._process_families()

    def _backend_family(self) -> GaugeMetricFamily:
        failing = GaugeMetricFamily(
            "otel_carbon_collector_exporter_failing",
            "1 while a backend refuses what it is sent, or is not there.",
            labels=["exporter"],
        )
        for exporter, state in self.backends.items():
            failing.add_metric([exporter], int(state.is_failing))
        return failing

    def _add(self, template: str, signal: Signal | None, count: int, **labels: str) -> None:
        name = template.format(items=signal.items_name) if signal else template
        with self._lock:
            self._totals[name][tuple(sorted(labels.items()))] += count

    def _queue_families(self) -> Iterator[Metric]:
        size = GaugeMetricFamily("otelcol_exporter_queue_size", "Bytes queued or being sent.", labels=["exporter"])
        capacity = GaugeMetricFamily(
            "otelcol_exporter_queue_capacity", "Bound of the queue in bytes.", labels=["exporter"]
        )
        for queue in self._queues:
            size.add_metric([queue.exporter], queue.held_bytes)
            capacity.add_metric([queue.exporter], queue.capacity_bytes)
        yield from (size, capacity)

    def _hold_families(self) -> Iterator[Metric]:
        size = GaugeMetricFamily(
            "otel_carbon_collector_hold_size", "Bytes held or being decided.", labels=["processor"]
        )
        capacity = GaugeMetricFamily(
            "otel_carbon_collector_hold_capacity", "Bound of what is held, in bytes.", labels=["processor"]
        )
        for hold in self._holds:
            size.add_metric([hold.processor_id], hold.held_bytes)
            capacity.add_metric([hold.processor_id], hold.settings.capacity_bytes)
        yield from (size, capacity)

    def _counting_family(self) -> CounterMetricFamily:
        dropped = CounterMetricFamily(
            "otel_carbon_collector_counting_dropped",
            "What counting forgot for lack of room, oldest first; above 0, a duplicate may have counted as a call.",
            labels=["processor"],
        )
        for processor, dropped_entries in self._counting.items():
            dropped.add_metric([processor], dropped_entries())
        return dropped

    def _process_families(self) -> Iterator[Metric]:
        uptime_s = time.monotonic() - self._started_s
        yield CounterMetricFamily("otelcol_process_uptime_seconds", "Seconds since the start.", value=uptime_s)
        yield CounterMetricFamily(
            "otelcol_process_cpu_seconds", "CPU seconds, user and system.", value=time.process_time()
        )
        used_bytes = resident_bytes()
        if used_bytes is not None:
            yield GaugeMetricFamily("otelcol_process_memory_rss_bytes", "Resident memory in bytes.", value=used_bytes)


def _usage_families(numbers: CarbonNumbers) -> Iterator[Metric]:
    prefix = "otel_carbon_collector_usage"
    points = CounterMetricFamily(
        f"{prefix}_points", "Data points of services counted from their metrics, by outcome.", labels=["outcome"]
    )
    for outcome, count in numbers.usage_points.items():
        points.add_metric([outcome], count)
    yield points
    yield GaugeMetricFamily(f"{prefix}_series", "Cumulative series remembered.", value=numbers.usage_series)
    yield CounterMetricFamily(
        f"{prefix}_series_dropped",
        "Series forgotten to make room; what they add until they are heard of twice again is not counted.",
        value=numbers.usage_series_dropped,
    )
    yield GaugeMetricFamily(
        f"{prefix}_tokens_waiting",
        "Cached and reasoning tokens whose total has not come yet.",
        value=numbers.usage_tokens_waiting,
    )


def _limiter_families(limiters: Sequence[MemoryLimiter]) -> Iterator[Metric]:
    prefix, labels = "otelcol_processor_memory_limiter", ["processor"]
    refused = CounterMetricFamily(f"{prefix}_refused_requests", "Requests refused as memory was short.", labels=labels)
    collections = CounterMetricFamily(f"{prefix}_gc", "Times that garbage was collected for it.", labels=labels)
    limit = GaugeMetricFamily(f"{prefix}_limit_bytes", "Memory from which on requests are refused.", labels=labels)
    for limiter in limiters:
        refused.add_metric([limiter.processor_id], limiter.refused_requests)
        collections.add_metric([limiter.processor_id], limiter.collections)
        limit.add_metric([limiter.processor_id], limiter.limits.soft_bytes)
    yield from (refused, collections, limit)


def _storage_families(storages: Sequence[FileStorage]) -> Iterator[Metric]:
    prefix, labels = "otel_carbon_collector_storage", ["extension"]
    size = GaugeMetricFamily(f"{prefix}_size", "Bytes of requests on the disk, or on the way there.", labels=labels)
    capacity = GaugeMetricFamily(f"{prefix}_capacity", "Bound of that, in bytes.", labels=labels)
    failing = GaugeMetricFamily(f"{prefix}_failing", "1 while the disk takes nothing.", labels=labels)
    failures = CounterMetricFamily(f"{prefix}_write_failures", "Times that the disk took nothing.", labels=labels)
    replaced = CounterMetricFamily(f"{prefix}_replaced", "Databases set aside as they were damaged.", labels=labels)
    lost = CounterMetricFamily(f"{prefix}_lost_requests", "Requests that damage of the disk has cost.", labels=labels)
    for storage in storages:
        replaced.add_metric([storage.storage_id], storage.disk.replaced)
        lost.add_metric([storage.storage_id], storage.disk.lost_requests)
        size.add_metric([storage.storage_id], storage.held_bytes)
        capacity.add_metric([storage.storage_id], storage.capacity_bytes)
        failing.add_metric([storage.storage_id], int(storage.is_failing))
        failures.add_metric([storage.storage_id], storage.failures)
    yield from (size, capacity, failing, failures, replaced, lost)


def _counter_family(name: str, samples: Mapping[Labels, int]) -> CounterMetricFamily:
    label_names = [label for label, _ in next(iter(samples))]
    family = CounterMetricFamily(name, _help(name), labels=label_names)
    for labels, total in sorted(samples.items()):
        family.add_metric([value for _, value in labels], total)
    return family


def _help(name: str) -> str:
    for signal in Signal:
        name = name.replace(f"_{signal.items_name}", "_{items}")
    return _COUNTER_HELP[name]
