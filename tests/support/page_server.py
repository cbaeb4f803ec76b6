"""The built-in page on a real server, over real totals, with a clock that a test sets."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from otel_carbon.collector.byte_queue import ByteQueue
from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.exporters.prometheus import PrometheusExporter
from otel_carbon.collector.page.application import BuiltInPage
from otel_carbon.collector.page.watch import TotalsWatch
from otel_carbon.collector.self_metrics import SelfMetrics
from otel_carbon.counting.window import CountingWindow
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.exposition import Exposition
from otel_carbon.metrics.totals import Totals
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from tests.unit.otlp.messages import NOTHING, inference_span, request_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_carbon.budgets.model import Budget

BEGIN = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


@dataclass(slots=True)
class SetClock:
    """A wall clock and a monotonic one, that go on together when a test says so."""

    at: datetime = BEGIN

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()

    def pass_by(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@dataclass(slots=True)
class Counting:
    """Real totals, what books on them, and the clock that days are told by."""

    clock: SetClock = field(default_factory=SetClock)
    totals: Totals = field(default_factory=Totals)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    traces: TracesEnricher = field(init=False)

    def __post_init__(self) -> None:
        window = CountingWindow(self.clock.monotonic_s)
        self.traces = TracesEnricher(Enricher(Registry.bundled(), EnrichSettings(), window, self.totals))

    def book(
        self, calls: int = 1, *, service: str = "shop", more: Mapping[str, str | float] = NOTHING, trace_state: str = ""
    ) -> None:
        """Book calls that differ in all that calls are told apart by."""
        spans = [inference_span(next(self.numbers), more=more) for _ in range(calls)]
        for span in spans:
            span.trace_state = trace_state
        self.traces.enrich(request_of(*spans, service=service).SerializeToString())

    def watch(self, budgets: Sequence[Budget] = ()) -> TotalsWatch:
        """What the page looks with."""
        return TotalsWatch(
            self.totals, budgets, name="prometheus", now=self.clock.now, monotonic_s=self.clock.monotonic_s
        )


@contextmanager
def page_server(counting: Counting, watch: TotalsWatch, metrics: SelfMetrics | None = None) -> Iterator[str]:
    """Serve the page and `/metrics`; yields the URL without a slash at its end."""
    own = metrics or SelfMetrics()
    if metrics is None:
        own.watch_queue(ByteQueue("otlp_http", 1000))
        own.watch_backend("otlp_http")
    exporter = PrometheusExporter(
        Endpoint("127.0.0.1", 0),
        key="exporters.prometheus.endpoint",
        render=Exposition(counting.totals).render,
        self_metrics=own,
        page=BuiltInPage(watch, own, counting.clock.monotonic_s),
    )
    exporter.start()
    try:
        yield f"http://{exporter.endpoint}"
    finally:
        exporter.begin_stop(1.0)
        exporter.finish_stop(1.0)
