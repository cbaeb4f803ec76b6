"""Whether an answer is one that OTLP knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

PROTOBUF, JSON = "application/x-protobuf", "application/json"
RETRYABLE = frozenset({429, 503})
"""What overload may be answered with; nothing else in the five hundreds is ours to say."""
GRPC_CODES = frozenset({"OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNIMPLEMENTED"})
STATUS_DETAILS_KEY = "grpc-status-details-bin"
_DETAILS = (error_details_pb2.BadRequest, error_details_pb2.RetryInfo)
"""Kinds of details that a Status may carry; JSON can be read only when they are known."""
_RESPONSES: Mapping[str, type[Message]] = {
    "traces": ExportTraceServiceResponse,
    "metrics": ExportMetricsServiceResponse,
    "logs": ExportLogsServiceResponse,
}


def http_complaint(signal: str, asked_type: str, status: int, told_type: str, body: bytes) -> str | None:
    """What is wrong with an answer by HTTP; None if nothing is.

    Args:
        signal: traces, metrics or logs.
        asked_type: content type of the request.
        status: of HTTP.
        told_type: content type of the answer.
        body: of the answer.
    """
    if status != 200 and not 400 <= status < 500 and status not in RETRYABLE:
        return f"HTTP {status}"
    media_type = asked_type.partition(";")[0].strip().lower()
    if media_type in {PROTOBUF, JSON} and told_type != media_type:
        return f"HTTP {status} to {media_type} came as {told_type!r}"
    if told_type not in {PROTOBUF, JSON}:
        return f"HTTP {status} came as {told_type!r}"
    message: Any = _RESPONSES[signal]() if status == 200 else status_pb2.Status()
    try:
        if told_type == JSON:
            json_format.ParseDict(json.loads(body), message)
        else:
            message.ParseFromString(body)
    except (ValueError, json_format.ParseError, DecodeError) as error:
        return f"HTTP {status} with a body that is no {message.DESCRIPTOR.name}: {error}"
    if status != 200 and not (message.code and message.message):
        return f"HTTP {status} with a Status that says nothing"
    return None


def grpc_complaint(code: str, metadata: Mapping[str, Any], answer: bytes, signal: str) -> str | None:
    """What is wrong with an answer by gRPC; None if nothing is.

    Args:
        code: name of the gRPC code.
        metadata: what came behind the answer.
        answer: the message, empty where there is none.
        signal: traces, metrics or logs.
    """
    if code not in GRPC_CODES:
        return f"gRPC {code}"
    try:
        if code == "OK":
            _RESPONSES[signal]().ParseFromString(answer)
            return None
        status = status_pb2.Status.FromString(metadata[STATUS_DETAILS_KEY])
    except KeyError:
        return f"gRPC {code} without {STATUS_DETAILS_KEY}"
    except DecodeError as error:
        return f"gRPC {code} with a message that cannot be read: {error}"
    return None if status.message else f"gRPC {code} with a Status that says nothing"
