"""Watch an exporter at work: requests in flight, their sizes, and whether the backend takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.collector.sender import RetryableExportError

if TYPE_CHECKING:
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.sender import Export
    from otel_carbon.collector.signals import Batch


class ObservedExport:
    """An `Export` that tells the collector's own metrics what it does; every attempt counts.

    Args:
        export: what sends.
        exporter: component id.
        metrics: is told.
    """

    def __init__(self, export: Export, exporter: str, metrics: SelfMetrics) -> None:
        self._export = export
        self._state = metrics.watch_backend(exporter)
        self._work = metrics.exporter_work(exporter)

    def send(self, batch: Batch) -> int:
        """Send one batch; see `Export.send`."""
        self._work.begin(batch.items, len(batch.body))
        try:
            rejected = self._export.send(batch)
        except RetryableExportError:
            self._state.note(is_failing=True)
            raise
        finally:
            self._work.end()
        self._state.note(is_failing=False)
        return rejected

    def close(self) -> None:
        """Give back connections."""
        self._export.close()
