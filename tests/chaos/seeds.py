"""Well-formed bodies to start from: recordings, and requests of all three signals that hold every kind of field."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.load import traces_request
from tests.support.corpus import captures

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

LARGEST_SEED_BYTES = 24 * 1024
SIGNALS = ("traces", "metrics", "logs")
REQUESTS: dict[str, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_KINDS = {
    "text": {"stringValue": "x"},
    "yes": {"boolValue": True},
    "count": {"intValue": "7"},
    "share": {"doubleValue": 0.5},
    "raw": {"bytesValue": "AAEC"},
    "list": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}},
    "map": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
    "gen_ai.usage.input_tokens": {"intValue": "12"},
    "gen_ai.usage.output_tokens": {"doubleValue": 34.0},
    "gen_ai.request.model": {"stringValue": "gpt-4o"},
    "gen_ai.system": {"stringValue": "openai"},
    "llm.token_count.prompt": {"intValue": "12"},
    "otel_carbon.status": {"stringValue": "estimated"},
}
_ATTRIBUTES = [{"key": key, "value": value} for key, value in _KINDS.items()]
_RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]}
_SCOPE = {"name": "com.anthropic.claude_code", "version": "1", "attributes": _ATTRIBUTES[:2]}
_POINT = {"attributes": [{"key": "type", "value": {"stringValue": "input"}}, *_ATTRIBUTES[:2]],
          "startTimeUnixNano": "1790000000000000000", "timeUnixNano": "1790000001000000000"}  # fmt: skip


@cache
def protobuf_seeds(signal: str) -> tuple[bytes, ...]:
    """Bodies of one signal in protobuf, none larger than `LARGEST_SEED_BYTES`."""
    recorded = [body for each in captures() for body in getattr(each, signal)]
    made = [_as_protobuf(signal)]
    if signal == "traces":
        made += [traces_request(4, share, seed=1) for share in (0.0, 0.5, 1.0)]
    return (*made, *(body for body in recorded if len(body) <= LARGEST_SEED_BYTES), b"")


@cache
def json_seeds(signal: str) -> tuple[bytes, ...]:
    """Bodies of one signal in OTLP JSON."""
    generated = json.dumps(_GENERATED[signal]).encode()
    return (generated, b"{}", *(as_json(signal, body) for body in protobuf_seeds(signal)[1:12] if body))


def as_json(signal: str, body: bytes) -> bytes:
    """A body in OTLP JSON, whose ids are hex where protobuf's own JSON has base64."""
    document = json_format.MessageToDict(REQUESTS[signal].FromString(body))
    return json.dumps(_with_ids(document, lambda text: b64decode(text).hex())).encode()


def _as_protobuf(signal: str) -> bytes:
    document = _with_ids(_GENERATED[signal], lambda text: b64encode(bytes.fromhex(text)).decode())
    return json_format.ParseDict(document, REQUESTS[signal]()).SerializeToString()


def _with_ids(node: Any, written: Callable[[str], str]) -> Any:
    if isinstance(node, list):
        return [_with_ids(each, written) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: written(value) if key in _IDS else _with_ids(value, written) for key, value in node.items()}


def _metric(name: str, kind: str, point: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "unit": "tokens", kind: {"dataPoints": [{**_POINT, **point}], **more}}


_SPAN = {
    "traceId": "0102030405060708090a0b0c0d0e0f10",
    "spanId": "0102030405060708",
    "parentSpanId": "0807060504030201",
    "name": "chat",
    "kind": 3,
    "traceState": "ot=th:8",
    "startTimeUnixNano": "1790000000000000000",
    "endTimeUnixNano": "1790000001000000000",
    "attributes": _ATTRIBUTES,
    "events": [{"timeUnixNano": "1", "name": "gen_ai.choice", "attributes": _ATTRIBUTES}],
    "links": [{"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708"}],
    "status": {"code": 2, "message": "no"},
}
_GENERATED: dict[str, dict[str, Any]] = {
    "traces": {"resourceSpans": [{"resource": _RESOURCE, "scopeSpans": [{"scope": _SCOPE, "spans": [_SPAN]}]}]},
    "metrics": {
        "resourceMetrics": [
            {
                "resource": _RESOURCE,
                "scopeMetrics": [
                    {
                        "scope": _SCOPE,
                        "metrics": [
                            _metric("claude_code.token.usage", "sum", {"asInt": "5"}, aggregationTemporality=1),
                            _metric("claude_code.token.usage", "sum", {"asDouble": 5.5}, aggregationTemporality=2),
                            _metric("gauge", "gauge", {"asInt": "1"}),
                            _metric("gen_ai.client.token.usage", "histogram",
                                    {"count": "2", "sum": 9, "bucketCounts": ["1", "1"], "explicitBounds": [4]},
                                    aggregationTemporality=2),
                            _metric("exponential", "exponentialHistogram", {"count": "1", "scale": 1}),
                            _metric("summary", "summary", {"count": "1", "sum": 2}),
                        ],
                    }
                ],
            }
        ]
    },
    "logs": {
        "resourceLogs": [
            {
                "resource": _RESOURCE,
                "scopeLogs": [
                    {
                        "scope": _SCOPE,
                        "logRecords": [
                            {"timeUnixNano": "1", "severityNumber": 9, "body": each, "attributes": _ATTRIBUTES}
                            for each in _KINDS.values()
                        ],
                    }
                ],
            }
        ]
    },
}  # fmt: skip
