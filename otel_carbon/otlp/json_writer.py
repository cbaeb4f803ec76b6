"""Serialised OTLP requests as OTLP JSON: hex ids, enums as numbers, 64-bit integers as text."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import MalformedBody

if TYPE_CHECKING:
    from google.protobuf.message import Message

_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId"})


def json_from_traces(body: bytes) -> bytes:
    """A traces request as one line of OTLP JSON, without its line end; raises `MalformedBody`."""
    return _encoded(body, ExportTraceServiceRequest())


def json_from_metrics(body: bytes) -> bytes:
    """A metrics request as one line of OTLP JSON, without its line end; raises `MalformedBody`."""
    return _encoded(body, ExportMetricsServiceRequest())


def json_from_logs(body: bytes) -> bytes:
    """A logs request as one line of OTLP JSON, without its line end; raises `MalformedBody`."""
    return _encoded(body, ExportLogsServiceRequest())


def _encoded(body: bytes, request: Message) -> bytes:
    try:
        request.ParseFromString(body)
        document = json_format.MessageToDict(request, use_integers_for_enums=True)
    except (DecodeError, json_format.SerializeToJsonError, ValueError, RecursionError) as error:
        # Never the error's own text: it may quote what a user or a model said.
        msg = f"not an OTLP {type(request).__name__} that JSON can hold ({type(error).__name__})"
        raise MalformedBody(msg) from error
    _write_ids_in_hex(document)
    # Everything beyond ASCII is escaped, so that no reader takes a separator inside a text for the end of the line.
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _write_ids_in_hex(node: Any) -> None:  # noqa: ANN401 - JSON
    """Replace base64, which protobuf's JSON has; names of attributes are values in OTLP, so every such key is an id."""
    if isinstance(node, list):
        for inner in node:
            if isinstance(inner, dict | list):
                _write_ids_in_hex(inner)
        return
    for key, inner in node.items():
        if key in _ID_KEYS:
            node[key] = base64.b64decode(inner).hex()
        elif isinstance(inner, dict | list):
            _write_ids_in_hex(inner)
