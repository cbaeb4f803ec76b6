"""What a backend says of a batch that it took in part."""

from __future__ import annotations

import logging

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_carbon.collector.signals import Signal

MESSAGE_LIMIT_CHARACTERS = 300
"""Of what a backend says, in logs and errors."""
_logger = logging.getLogger(__name__)


def rejected_items(signal: Signal, answer: bytes, exporter: str) -> int:
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
        return 0
    if rejected or message:
        _logger.debug("%s: rejected %d items: %s", exporter, rejected, message[:MESSAGE_LIMIT_CHARACTERS])
    return max(0, rejected)
