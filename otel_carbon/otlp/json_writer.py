"""Serialised OTLP requests as OTLP JSON: hex ids, enums as numbers, 64-bit integers as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_fields import message_writer
from otel_carbon.otlp.undecoded_attributes import with_undecoded_attributes

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor


def json_from_traces(body: bytes) -> bytes:
    """A traces request as one line of OTLP JSON, without its line end; raises `MalformedBody`."""
    return _encoded(body, ExportTraceServiceRequest.DESCRIPTOR)


def json_from_metrics(body: bytes) -> bytes:
    """A metrics request as one line of OTLP JSON, without its line end; raises `MalformedBody`."""
    return _encoded(body, ExportMetricsServiceRequest.DESCRIPTOR)


def json_from_logs(body: bytes) -> bytes:
    """A logs request as one line of OTLP JSON, without its line end; raises `MalformedBody`."""
    return _encoded(body, ExportLogsServiceRequest.DESCRIPTOR)


def _encoded(body: bytes, kind: Descriptor) -> bytes:
    undecoded = with_undecoded_attributes(kind)
    try:
        text = message_writer(undecoded.DESCRIPTOR)(undecoded.FromString(body))
    except (DecodeError, ValueError, RecursionError) as error:
        # Never the error's own text: it may quote what a user or a model said.
        msg = f"not an OTLP {kind.name} that JSON can hold ({type(error).__name__})"
        raise MalformedBody(msg) from error
    # Everything beyond ASCII is escaped, so that no reader takes a separator inside a text for the end of the line.
    return text.encode("ascii")
