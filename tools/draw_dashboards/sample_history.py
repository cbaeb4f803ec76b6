"""Days of sample traffic through a real collector, whose page is kept with the times at which it was to be scraped."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.demo.arrivals import Backend
from otel_carbon.demo.playback import play_service
from otel_carbon.demo.traffic import PlannedService, plan_traffic
from otel_carbon.registry.catalog import Registry
from tests.support.written_collector import running_written_collector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_carbon.demo.span_trees import PlannedSpan

SCRAPE_S = 300
"""Time between samples, in seconds of the history."""
_TARGET = 'job="otel-carbon",instance="collector:9464"'
_SCALE = 10.0
_NS_PER_S = 1_000_000_000
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: localhost:4317}}, http: {{endpoint: localhost:4318}}}}}}
processors:
  # Services with a span processor send no metrics here, so their spans are booked as well.
  carbon: {{already_enriched: count}}
exporters:
  otlp_http: {{endpoint: "{backend}"}}
  prometheus: {{endpoint: localhost:9464}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [carbon], exporters: [otlp_http, prometheus]}}
"""


def write_history(folder: Path, end_s: int, days: int) -> Path:
    """Play the sample company's last days, and write what a Prometheus would have scraped meanwhile.

    Args:
        folder: where files go.
        end_s: the moment of the last sample, in Unix seconds.
        days: how long before it the history begins.

    Returns:
        A file in OpenMetrics with a time on every sample.
    """
    path = folder / "history.txt"
    registry = Registry.bundled()
    with (
        Backend() as backend,
        running_written_collector(_CONFIG.format(backend=backend.url), folder) as collector,
        path.open("w", encoding="utf-8") as file,
    ):
        for moment_s, services in _slices(end_s, days):
            for service in services:
                play_service(service, f"{collector.http_endpoint}/v1/traces", registry)
            file.writelines(timed_samples(collector.metrics(), moment_s))
        file.write("# EOF\n")
    return path


def _slices(end_s: int, days: int) -> Iterator[tuple[int, list[PlannedService]]]:
    """The services at work between two scrapes, and the moment of the second one."""
    start_s = end_s - days * 86_400
    plan = plan_traffic(datetime.fromtimestamp(end_s, UTC).date(), scale=_SCALE)
    by_moment: dict[int, dict[int, list[PlannedSpan]]] = defaultdict(lambda: defaultdict(list))
    for number, service in enumerate(plan.services):
        for root in service.roots:
            moment_s = -(-root.end_ns // (_NS_PER_S * SCRAPE_S)) * SCRAPE_S
            if start_s < moment_s <= end_s:
                by_moment[moment_s][number].append(root)
    for moment_s in range(start_s, end_s + 1, SCRAPE_S):
        busy = by_moment.get(moment_s, {})
        yield moment_s, [replace(plan.services[number], roots=tuple(roots)) for number, roots in busy.items()]


def timed_samples(page: str, moment_s: int) -> Iterator[str]:
    """The samples of a page of metrics as lines in OpenMetrics, as if scraped at a moment in Unix seconds."""
    for line in page.splitlines():
        if found := _SAMPLE.match(line):
            name, labels, value = found.groups()
            yield f"{name}{{{','.join(filter(None, (labels, _TARGET)))}}} {value} {moment_s}\n"
