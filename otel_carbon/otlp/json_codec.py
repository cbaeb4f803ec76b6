"""OTLP in JSON: ids are hex there, not base64 as in protobuf's own JSON."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.errors import BodyTooLarge, MalformedBody

if TYPE_CHECKING:
    from google.protobuf.message import Message

_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
MAX_DEPTH = 100
MAX_NODES = 4_000_000
"""Braces and brackets; a request of 64 MiB has fewer, and in memory the smallest take fifty times their length."""


def traces_from_json(body: bytes) -> bytes:
    """An OTLP traces request in JSON as protobuf bytes; raises `MalformedBody` or `BodyTooLarge`."""
    return _encoded(body, ExportTraceServiceRequest())


def metrics_from_json(body: bytes) -> bytes:
    """An OTLP metrics request in JSON as protobuf bytes; raises `MalformedBody` or `BodyTooLarge`."""
    return _encoded(body, ExportMetricsServiceRequest())


def logs_from_json(body: bytes) -> bytes:
    """An OTLP logs request in JSON as protobuf bytes; raises `MalformedBody` or `BodyTooLarge`."""
    return _encoded(body, ExportLogsServiceRequest())


def parse_json(body: bytes) -> dict[str, Any]:
    """The JSON object that a request is.

    Raises:
        MalformedBody: the bytes are no JSON object.
        BodyTooLarge: they hold more objects and lists than are read.
    """
    if body.count(b"{") + body.count(b"[") > MAX_NODES:
        msg = f"the body holds more than {MAX_NODES} objects and lists"
        raise BodyTooLarge(msg)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise MalformedBody(msg) from error
    if not isinstance(document, dict):
        msg = "not an OTLP request: JSON, but no object"
        raise MalformedBody(msg)
    return document


def _encoded(body: bytes, request: Message) -> bytes:
    try:
        document = _with_base64_ids(parse_json(body), MAX_DEPTH)
        json_format.ParseDict(document, request, ignore_unknown_fields=True)
        return request.SerializeToString()
    except (MalformedBody, BodyTooLarge):
        raise
    except (json_format.ParseError, ValueError, TypeError, AttributeError, OverflowError, SystemError) as error:
        # Beside its own error protobuf raises these: OverflowError for 1e999 where a whole number belongs,
        # SystemError for a key that holds half of a surrogate pair.
        # Never the error's own text: it may quote what a user or a model said.
        msg = f"not an OTLP {type(request).__name__} in JSON: a field is of the wrong kind ({type(error).__name__})"
        raise MalformedBody(msg) from error


def _with_base64_ids(node: Any, depth: int) -> Any:  # noqa: ANN401 - JSON
    if depth == 0:
        msg = f"nested deeper than {MAX_DEPTH} levels"
        raise MalformedBody(msg)
    if isinstance(node, dict):
        return {
            key: _base64_id(inner) if key in _ID_KEYS else _with_base64_ids(inner, depth - 1)
            for key, inner in node.items()
        }
    if isinstance(node, list):
        return [_with_base64_ids(inner, depth - 1) for inner in node]
    return node


def _base64_id(hex_id: Any) -> str | None:  # noqa: ANN401 - JSON
    if hex_id is None:
        return None  # in protobuf's JSON null is an absent field
    try:
        return base64.b64encode(bytes.fromhex(hex_id)).decode()
    except (ValueError, TypeError, binascii.Error):
        msg = "an id is no hex text"
        raise MalformedBody(msg) from None
