"""A whole trace file enriched at once: encoding detected, all spans judged together, and summed up."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.delimited import delimited, looks_delimited, records_in
from otel_carbon.otlp.json_traces import enrich_json_requests
from otel_carbon.otlp.limits import GZIP_MAGIC, gunzip
from otel_carbon.otlp.splice import find_spans
from otel_carbon.otlp.summary import summary_of
from otel_carbon.otlp.traces import TracesEnricher

if TYPE_CHECKING:
    from otel_carbon.enricher import Enricher, Outcome

PROTOBUF = "protobuf"
JSON = "json"
JSON_LINES = "json-lines"
DELIMITED = "delimited-protobuf"


@dataclass(frozen=True, slots=True)
class EnrichedFile:
    """The enriched bytes in the encoding they came in, and the summary of what was found."""

    body: bytes
    encoding: str
    summary: dict[str, Any]


def enrich_file_bytes(body: bytes, enricher: Enricher) -> EnrichedFile:
    """Enrich an OTLP trace file: a request in protobuf or JSON, one JSON request a line, or the collector's own files.

    A file to which nothing is added comes back as the same bytes. A gzip file is read too; what is added to it
    comes out uncompressed.

    Raises:
        MalformedBody: the bytes are none of these; the message says what was tried.
        BodyTooLarge: a gzip file expands beyond `DEFAULT_LIMIT_BYTES`.
    """
    plain = gunzip(body) if body.startswith(GZIP_MAGIC) else body
    encoding = detect_encoding(plain)
    enrich = {PROTOBUF: _protobuf, DELIMITED: _delimited}.get(encoding, _json)
    enriched, outcomes, span_count = enrich(plain, encoding, enricher)
    unchanged = not any(outcome.attributes(full=enricher.settings.full) for outcome in outcomes)
    summary = summary_of(outcomes, span_count, enricher.registry.version)
    return EnrichedFile(body if unchanged else enriched, encoding, summary)


def _protobuf(body: bytes, _encoding: str, enricher: Enricher) -> tuple[bytes, list[Outcome], int]:
    enriched, outcomes = TracesEnricher(enricher).enrich(body)
    return enriched, outcomes, _span_count(body)


def _delimited(body: bytes, _encoding: str, enricher: Enricher) -> tuple[bytes, list[Outcome], int]:
    records = list(records_in(body))
    enriched = TracesEnricher(enricher).enrich_together(records)
    outcomes = [outcome for _, of_record in enriched for outcome in of_record]
    return b"".join(delimited(record) for record, _ in enriched), outcomes, sum(map(_span_count, records))


def _span_count(body: bytes) -> int:
    return sum(len(scope.spans) for resource in find_spans(body) for scope in resource.scopes)


def _json(body: bytes, encoding: str, enricher: Enricher) -> tuple[bytes, list[Outcome], int]:
    text = body.removeprefix(BOM_UTF8)
    requests = _lines(text) if encoding == JSON_LINES else [text]
    enriched, outcomes, span_count = enrich_json_requests(requests, enricher)
    end = b"\n" if encoding == JSON_LINES or body.endswith(b"\n") else b""
    return b"\n".join(enriched).removesuffix(b"\n") + end, outcomes, span_count


def detect_encoding(body: bytes) -> str:
    """Tell the encodings apart.

    Raises:
        MalformedBody: it is none that we read.
    """
    text = body.removeprefix(BOM_UTF8).strip()
    if not text:
        raise MalformedBody("the file is empty")
    if text.startswith(b"{"):
        lines = _lines(text)
        whole_on_each_line = len(lines) > 1 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
        return JSON_LINES if whole_on_each_line else JSON
    if looks_delimited(body):
        return DELIMITED
    try:
        if find_spans(body):
            return PROTOBUF
        problem = "it holds no ResourceSpans"
    except MalformedBody as error:
        problem = str(error)
    msg = f"neither an OTLP protobuf request, nor OTLP JSON, nor JSON lines ({problem})"
    raise MalformedBody(msg)


def _lines(text: bytes) -> list[bytes]:
    return [line.strip() for line in text.split(b"\n") if line.strip()]
