"""Metrics as OpenTelemetry's own SDK sends them, with totals or deltas, collected when a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import Aggregation, ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

DELTA, CUMULATIVE = AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE
CLAUDE_CODE = "com.anthropic.claude_code"
"""The name of Claude Code's meter."""


class SdkMeter:
    """A process with instruments; `body` collects what they have recorded as an encoded request."""

    def __init__(
        self,
        service: str,
        *,
        temporality: AggregationTemporality = CUMULATIVE,
        scope: str = CLAUDE_CODE,
        exponential: bool = False,
        resource: Mapping[str, str] | None = None,
    ) -> None:
        aggregations: dict[type, Aggregation] = (
            {Histogram: ExponentialBucketHistogramAggregation()} if exponential else {}
        )
        self._reader = InMemoryMetricReader(
            preferred_temporality={Counter: temporality, Histogram: temporality},
            preferred_aggregation=aggregations,
        )
        self._provider = MeterProvider(
            [self._reader], Resource({"service.name": service, **(resource or {})}), shutdown_on_exit=False
        )
        self._meter = self._provider.get_meter(scope)
        self.temporality = temporality

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._provider.shutdown()

    def add(self, name: str, tokens: float, **attributes: str) -> None:
        """Add to a counter; `__` in an attribute's name is a dot."""
        self._meter.create_counter(name, unit="tokens").add(tokens, _dotted(attributes))

    def record(self, name: str, tokens: float, **attributes: str) -> None:
        """Record in a histogram; `__` in an attribute's name is a dot."""
        self._meter.create_histogram(name, unit="{token}").record(tokens, _dotted(attributes))

    def body(self) -> bytes:
        """What has been recorded, as an `ExportMetricsServiceRequest`."""
        collected = self._reader.get_metrics_data()
        assert collected is not None
        encoded: bytes = encode_metrics(collected).SerializeToString()
        return encoded


def _dotted(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("__", "."): text for name, text in attributes.items()}
