"""A whole trace file enriched at once: encoding detected, all spans judged together, and summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_traces import enrich_json_requests
from otel_carbon.otlp.splice import find_spans
from otel_carbon.otlp.summary import summary_of
from otel_carbon.otlp.traces import TracesEnricher

if TYPE_CHECKING:
    from otel_carbon.enricher import Enricher

PROTOBUF = "protobuf"
JSON = "json"
JSON_LINES = "json-lines"


@dataclass(frozen=True, slots=True)
class EnrichedFile:
    """The enriched bytes in the encoding they came in, and the summary of what was found."""

    body: bytes
    encoding: str
    summary: dict[str, Any]


def enrich_file_bytes(body: bytes, enricher: Enricher) -> EnrichedFile:
    """Enrich an OTLP trace file: a protobuf request, a JSON request, or one JSON request a line.

    Raises:
        MalformedBody: the bytes are none of these; the message says what was tried.
    """
    encoding = detect_encoding(body)
    if encoding == PROTOBUF:
        enriched, outcomes = TracesEnricher(enricher).enrich(body)
        span_count = sum(len(scope.spans) for resource in find_spans(body) for scope in resource.scopes)
        return EnrichedFile(enriched, encoding, summary_of(outcomes, span_count, enricher.registry.version))
    requests = [line for line in body.splitlines() if line.strip()] if encoding == JSON_LINES else [body]
    enriched_requests, outcomes, span_count = enrich_json_requests(requests, enricher)
    end = b"\n" if encoding == JSON_LINES or body.endswith(b"\n") else b""
    return EnrichedFile(
        b"\n".join(enriched_requests) + end, encoding, summary_of(outcomes, span_count, enricher.registry.version)
    )


def detect_encoding(body: bytes) -> str:
    """Tell the encodings apart.

    Raises:
        MalformedBody: it is none that we read.
    """
    start = body.lstrip()[:1]
    if start == b"{":
        lines = [line for line in body.splitlines() if line.strip()]
        whole_on_each_line = len(lines) > 1 and all(
            line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in lines
        )
        return JSON_LINES if whole_on_each_line else JSON
    try:
        find_spans(body)
    except MalformedBody as error:
        msg = f"neither an OTLP protobuf request, nor OTLP JSON, nor JSON lines ({error})"
        raise MalformedBody(msg) from error
    return PROTOBUF
