"""Enriching OTLP traces in JSON as the JSON it is: attributes are appended, everything else stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_codec import parse_json
from otel_carbon.spans.view import MappingAttributes, SpanView, resource_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.enricher import Enricher, Outcome
    from otel_carbon.spans.view import ResourceView
    from otel_carbon.spans.write import AttributeValue

_KINDS = {
    "SPAN_KIND_INTERNAL": 1,
    "SPAN_KIND_SERVER": 2,
    "SPAN_KIND_CLIENT": 3,
    "SPAN_KIND_PRODUCER": 4,
    "SPAN_KIND_CONSUMER": 5,
}
_ERROR_CODES = (2, "STATUS_CODE_ERROR")


def enrich_json_requests(bodies: Sequence[bytes], enricher: Enricher) -> tuple[list[bytes], list[Outcome], int]:
    """Enrich requests, all their spans judged together; also returns what became of them and how many spans there were.

    Raises:
        MalformedBody: one of them is no OTLP traces request in JSON.
    """
    documents = [parse_json(body) for body in bodies]
    spans: list[dict[str, Any]] = []
    views: list[SpanView] = []
    for document in documents:
        for span, view in _views(document):
            spans.append(span)
            views.append(view)
    found = enricher.enrich_together(views)
    for span, outcome in zip(spans, found, strict=True):
        added = outcome.attributes(full=enricher.settings.full) if outcome else {}
        if added:
            span.setdefault("attributes", []).extend(_json_attribute(key, text) for key, text in added.items())
    outcomes = [outcome for outcome in found if outcome is not None]
    encoded = [json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() for document in documents]
    return encoded, outcomes, len(spans)


def _views(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], SpanView]]:
    try:
        for resource_spans in document["resourceSpans"]:
            resource = resource_view(_mapping((resource_spans.get("resource") or {}).get("attributes")))
            for scope_spans in resource_spans.get("scopeSpans") or []:
                scope = (scope_spans.get("scope") or {}).get("name") or ""
                for span in scope_spans.get("spans") or []:
                    yield span, _view(span, scope, resource)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        msg = f"not an OTLP traces request in JSON: {type(error).__name__} at {error}"
        raise MalformedBody(msg) from error


def _view(span: dict[str, Any], scope: str, resource: ResourceView) -> SpanView:
    kind = span.get("kind") or 0
    return SpanView(
        _mapping(span.get("attributes")),
        scope,
        resource,
        bytes.fromhex(span.get("traceId") or ""),
        bytes.fromhex(span.get("spanId") or ""),
        bytes.fromhex(span.get("parentSpanId") or ""),
        _KINDS.get(kind, 0) if isinstance(kind, str) else int(kind),
        int(span.get("startTimeUnixNano") or 0),
        int(span.get("endTimeUnixNano") or 0),
        (span.get("status") or {}).get("code") in _ERROR_CODES,
    )


def _mapping(attributes: list[dict[str, Any]] | None) -> MappingAttributes:
    return MappingAttributes({pair["key"]: _python_value(pair.get("value") or {}) for pair in attributes or []})


def _python_value(encoded: dict[str, Any]) -> object | None:
    for kind, inner in encoded.items():
        if kind == "intValue":
            return int(inner)  # 64-bit integers are text in JSON
        if kind == "doubleValue":
            return float(inner)
        if kind in ("stringValue", "boolValue"):
            return inner  # type: ignore[no-any-return]  # JSON text or truth value
        return json.dumps(inner)
    return None


def _json_attribute(key: str, value: AttributeValue) -> dict[str, Any]:
    if isinstance(value, str):
        encoded: dict[str, Any] = {"stringValue": value}
    elif isinstance(value, int):
        encoded = {"intValue": str(value)}
    elif isinstance(value, float):
        encoded = {"doubleValue": value}
    else:
        encoded = {"arrayValue": {"values": [{"stringValue": text} for text in value]}}
    return {"key": key, "value": encoded}
