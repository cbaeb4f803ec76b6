"""What a backend says of a batch that it took in part."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_carbon.collector.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.collector.exporters.redaction import Redaction
    from otel_carbon.collector.signals import Batch

INTERVAL_S = 60.0
"""How long one exporter says nothing more of what was rejected; the counters go on."""
_NEVER_S = float("-inf")
_logger = logging.getLogger(__name__)


class Rejection(NamedTuple):
    """How many items of a batch were rejected, and what a backend says of it; either may be nothing."""

    items: int
    message: str


class Rejections:
    """Tells the log what one backend rejects: the first time at once, then once in a minute, all that came meanwhile.

    Args:
        exporter: component id.
        clock_s: a monotonic clock, in seconds.
    """

    def __init__(self, exporter: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._exporter = exporter
        self._clock_s = clock_s
        self._lock = Lock()
        self._told_s = _NEVER_S
        self._untold_items = 0
        self._untold_answers = 0
        self._last_message = ""

    def note(self, batch: Batch, answer: bytes, redaction: Redaction) -> int:
        """Read the answer to a batch; returns how many of its items were rejected."""
        rejection = read_rejection(batch.signal, answer)
        items = min(rejection.items, batch.items)  # some backends reject more than there was
        if items or rejection.message:
            self._note(items, redaction.clean(rejection.message))
        return items

    def close(self) -> None:
        """Tell what was not told yet."""
        with self._lock:
            if self._untold_answers:
                self._tell()

    def _note(self, items: int, message: str) -> None:
        with self._lock:
            self._untold_items += items
            self._untold_answers += 1
            self._last_message = message
            if self._clock_s() - self._told_s >= INTERVAL_S:
                self._tell()

    def _tell(self) -> None:
        _logger.warning(
            "%s: the backend rejected %d items of %d batches that it took; they are counted as failed: %s",
            *(self._exporter, self._untold_items, self._untold_answers, self._last_message or "it does not say why"),
        )
        self._told_s = self._clock_s()
        self._untold_items = self._untold_answers = 0


def read_rejection(signal: Signal, answer: bytes) -> Rejection:
    """Read a partial success; an answer in another form (JSON, nothing) rejects nothing."""
    try:
        match signal:
            case Signal.TRACES:
                traces = ExportTraceServiceResponse.FromString(answer).partial_success
                rejected, message = traces.rejected_spans, traces.error_message
            case Signal.METRICS:
                metrics = ExportMetricsServiceResponse.FromString(answer).partial_success
                rejected, message = metrics.rejected_data_points, metrics.error_message
            case Signal.LOGS:
                logs = ExportLogsServiceResponse.FromString(answer).partial_success
                rejected, message = logs.rejected_log_records, logs.error_message
    except DecodeError:
        return Rejection(0, "")
    return Rejection(max(0, rejected), message)
