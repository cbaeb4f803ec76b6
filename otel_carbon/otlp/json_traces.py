"""Enriching OTLP traces in JSON as the JSON it is: attributes are appended, everything else stays."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from otel_carbon.errors import MalformedBody
from otel_carbon.otlp.json_codec import parse_json
from otel_carbon.spans.view import MappingAttributes, SpanView, cut_name, resource_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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
TOO_LATE_NS = 2**64
_ERROR_CODES = (2, "STATUS_CODE_ERROR")
_RESOURCE_SPANS = frozenset({"resourceSpans", "resource_spans"})


def enrich_json_requests(bodies: Sequence[bytes], enricher: Enricher) -> tuple[list[bytes], list[Outcome], int]:
    """Enrich requests, all their spans judged together; also returns what became of them and how many spans there were.

    A request to which nothing is added comes back as the same bytes.

    Raises:
        MalformedBody: one of them is no OTLP traces request in JSON.
    """
    documents = [parse_json(body) for body in bodies]
    spans: list[tuple[int, dict[str, Any]]] = []
    views: list[SpanView] = []
    for number, document in enumerate(documents):
        for span, view in _views(document):
            spans.append((number, span))
            views.append(view)
    found = enricher.enrich_together(views)
    changed: set[int] = set()
    for (number, span), outcome in zip(spans, found, strict=True):
        added = outcome.attributes(full=enricher.settings.full) if outcome else {}
        if added:
            changed.add(number)
            span["attributes"] = [*(span.get("attributes") or []), *map(_json_attribute, added, added.values())]
    outcomes = [outcome for outcome in found if outcome is not None]
    encoded = [_encoded(documents[i]) if i in changed else body for i, body in enumerate(bodies)]
    return encoded, outcomes, len(spans)


def _encoded(document: dict[str, Any]) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair exists only escaped
        return json.dumps(document, separators=(",", ":")).encode()
    except RecursionError as error:
        msg = "not an OTLP traces request in JSON: nested too deeply"
        raise MalformedBody(msg) from error


def _views(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], SpanView]]:
    if document and not _RESOURCE_SPANS & document.keys():
        msg = f"not an OTLP traces request in JSON: no resourceSpans, but {', '.join(sorted(document))[:80]}"
        raise MalformedBody(msg)
    seen = 0
    try:
        for resource_spans in _field(document, "resourceSpans") or []:
            resource = resource_view(_mapping((resource_spans.get("resource") or {}).get("attributes")))
            for scope_spans in _field(resource_spans, "scopeSpans") or []:
                scope = scope_spans.get("scope") or {}
                for span in scope_spans.get("spans") or []:
                    view = _view(span, scope, resource)
                    seen += 1
                    yield span, view
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        # Never the error's own text: it may quote what a user or a model said.
        msg = f"not an OTLP traces request in JSON: a field of or above span {seen + 1} is of the wrong kind"
        raise MalformedBody(msg) from error


def _field(message: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    """A field by its JSON name, or else by its protobuf name, which readers of protobuf's JSON accept too."""
    found = message.get(name)
    return message.get(_protobuf_name(name)) if found is None else found


@lru_cache(maxsize=32)
def _protobuf_name(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _view(span: dict[str, Any], scope: dict[str, Any], resource: ResourceView) -> SpanView:
    kind = span.get("kind") or 0
    return SpanView(
        _mapping(span.get("attributes")),
        cut_name(_text(scope.get("name"))),
        resource,
        bytes.fromhex(_field(span, "traceId") or ""),
        bytes.fromhex(_field(span, "spanId") or ""),
        bytes.fromhex(_field(span, "parentSpanId") or ""),
        _KINDS.get(kind, 0) if isinstance(kind, str) else int(kind),
        _time_ns(_field(span, "startTimeUnixNano")),
        _time_ns(_field(span, "endTimeUnixNano")),
        (span.get("status") or {}).get("code") in _ERROR_CODES,
        cut_name(_text(scope.get("version"))),
        _text(_field(span, "traceState")),
    )


def _text(text: Any) -> str:  # noqa: ANN401 - JSON
    if text is not None and not isinstance(text, str):
        msg = "a text that is none"
        raise TypeError(msg)
    return text or ""


def _time_ns(time: Any) -> int:  # noqa: ANN401 - JSON
    time_ns = int(time or 0)
    if not 0 <= time_ns < TOO_LATE_NS:
        msg = "a time that is no unsigned 64-bit number"
        raise ValueError(msg)
    return time_ns


def _mapping(attributes: list[dict[str, Any]] | None) -> MappingAttributes:
    return MappingAttributes(
        {_text(pair.get("key")): _python_value(pair.get("value") or {}) for pair in attributes or []}
    )


def _python_value(encoded: dict[str, Any]) -> object | None:
    """What `any_value.value_from_message` makes of the same value."""
    for kind, read in _READERS.items():
        inner = _field(encoded, kind)
        if inner is not None:
            return read(inner)
    return None


def _as_is(inner: Any) -> Any:  # noqa: ANN401 - JSON
    return inner


def _integer(inner: Any) -> object:  # noqa: ANN401 - JSON
    """64-bit integers are text in JSON, or numbers."""
    return inner if isinstance(inner, float) and not inner.is_integer() else int(inner)


def _array(inner: dict[str, Any]) -> object:
    return tuple(_python_value(item) for item in inner.get("values") or [])


def _pairs(inner: dict[str, Any]) -> object:
    return tuple((pair.get("key") or "", _python_value(pair.get("value") or {})) for pair in inner.get("values") or [])


_READERS: Mapping[str, Callable[[Any], object]] = {
    "stringValue": _as_is,
    "intValue": _integer,
    "doubleValue": float,
    "boolValue": _as_is,
    "bytesValue": b64decode,
    "arrayValue": _array,
    "kvlistValue": _pairs,
}


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
