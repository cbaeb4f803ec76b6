"""How the collector is, from its own metric families: the same figures as on `/metrics`, and what needs attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric

Document = dict[str, Any]
ALMOST_FULL = 0.8
"""The share of a queue or a disk from which on it is worth a word."""
_OUTCOMES = ("success", "refused", "failure")


class Families:
    """Samples by name."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in families:
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append((sample.labels, float(sample.value)))

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of a name that have these labels."""
        return sum(value for found, value in self._samples.get(name, ()) if labels.items() <= found.items())

    def value(self, name: str) -> float | None:
        """The only sample of a name, or None."""
        found = self._samples.get(name)
        return found[0][1] if found else None

    def labels_of(self, name: str, label: str) -> list[str]:
        """The values of a label of all samples of a name, in order."""
        return sorted({labels[label] for labels, _ in self._samples.get(name, ())})


def health(families: Iterable[Metric], dropped_series: int) -> Document:
    """The collector's state as the page's JSON has it.

    Args:
        families: what `SelfMetrics` collects.
        dropped_series: how many times a new label set was summed up under `other`.
    """
    known = Families(families)
    exporters = [_exporter(known, name) for name in known.labels_of("otelcol_exporter_queue_capacity", "exporter")]
    requests = {each: known.total("otelcol_receiver_requests_total", outcome=each) for each in _OUTCOMES}
    versions = known.labels_of("otel_carbon_build_info", "registry_version")
    return {
        "version": VERSION,
        "registry_version": versions[-1] if versions else "",
        "registry_age_days": known.value("otel_carbon_registry_age_days"),
        "grid_table_age_days": known.value("otel_carbon_grid_table_age_days"),
        "uptime_s": known.value("otelcol_process_uptime_seconds_total"),
        "memory_bytes": known.value("otelcol_process_memory_rss_bytes"),
        "requests": requests,
        "exporters": exporters,
        "attention": list(_attention(known, exporters, dropped_series)),
    }


def _exporter(known: Families, name: str) -> Document:
    capacity = known.total("otelcol_exporter_queue_capacity", exporter=name)
    held = known.total("otelcol_exporter_queue_size", exporter=name)
    failing = known.total("otel_carbon_collector_exporter_failing", exporter=name)
    return {
        "name": name,
        "failing": bool(failing),
        "queue_share": held / capacity if capacity else 0.0,
        "sent_spans": int(known.total("otelcol_exporter_sent_spans_total", exporter=name)),
        "lost_spans": int(
            known.total("otelcol_exporter_send_failed_spans_total", exporter=name)
            + known.total("otelcol_exporter_enqueue_failed_spans_total", exporter=name)
        ),
    }


def _attention(known: Families, exporters: Iterable[Document], dropped_series: int) -> Iterator[str]:
    """What somebody should look at, a sentence each."""
    for exporter in exporters:
        name = exporter["name"]
        if exporter["failing"]:
            yield f"{name}: its backend refuses what it is sent, or is not there."
        if exporter["queue_share"] >= ALMOST_FULL:
            yield f"{name}: its queue is {exporter['queue_share']:.0%} full."
        if exporter["lost_spans"]:
            yield f"{name}: {exporter['lost_spans']:,} spans were dropped or refused since the start."
    refused = known.total("otelcol_receiver_refused_spans_total")
    if refused:
        yield f"{refused:,.0f} spans were refused for now since the start; their senders keep them and try again."
    failed = known.total("otel_carbon_collector_processor_failures_total")
    if failed:
        yield f"{failed:,.0f} requests passed without figures because processing them failed; see the log."
    yield from _attention_of_disk(known)
    if known.total("otel_carbon_collector_counting_dropped_total"):
        yield "Counting forgot calls for lack of room; a duplicate may have counted as a call."
    if dropped_series:
        yield 'There are more label sets than the label budget has room for; further ones are summed up as "other".'


def _attention_of_disk(known: Families) -> Iterator[str]:
    if known.total("otel_carbon_collector_storage_failing"):
        yield "The disk of the durable queue takes nothing, so requests are refused; see the log."
    elif known.total("otel_carbon_collector_storage_write_failures_total"):
        yield "The disk of the durable queue took nothing at times since the start; see the log."
    capacity = known.total("otel_carbon_collector_storage_capacity")
    share = known.total("otel_carbon_collector_storage_size") / capacity if capacity else 0.0
    if share >= ALMOST_FULL:
        yield f"The disk space of the durable queue is {share:.0%} full."
