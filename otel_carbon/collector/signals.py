"""The three kinds of telemetry, and one received request of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

BATCH_OVERHEAD_BYTES = 256


class Signal(Enum):
    """A kind of telemetry; the value is its name in `service.pipelines` and in the HTTP path."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"

    @property
    def items_name(self) -> str:
        """What its items are called in the `otelcol_*` metric names."""
        return _ITEMS_NAMES[self]

    @property
    def http_path(self) -> str:
        """The OTLP/HTTP path."""
        return f"/v1/{self.value}"

    @property
    def without_pipeline(self) -> str:
        """What a receiver answers when nothing takes this signal from it."""
        return f"no {self.value} pipeline is configured for this receiver; add one to service.pipelines"

    @property
    def grpc_service(self) -> str:
        """The OTLP/gRPC service that takes this signal by its method `Export`."""
        return _GRPC_SERVICES[self]


_ITEMS_NAMES = {Signal.TRACES: "spans", Signal.METRICS: "metric_points", Signal.LOGS: "log_records"}

_GRPC_SERVICES = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One OTLP export request on its way to an exporter.

    Attributes:
        signal: what kind of telemetry it is.
        body: the serialized `Export...ServiceRequest`.
        items: how many spans, metric points or log records it holds.
        stored_id: what a durable queue calls it; 0 where it is in memory only.
    """

    signal: Signal
    body: bytes
    items: int
    stored_id: int = 0

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, roughly; without the overhead, tiny requests would slip through a byte bound."""
        return len(self.body) + BATCH_OVERHEAD_BYTES
