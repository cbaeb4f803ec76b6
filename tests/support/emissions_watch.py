"""Holds everything that the product emits in this process against the convention, whichever test made it do so."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon.metrics import exposition, points
from otel_carbon.otlp import file_enrichment
from otel_carbon.otlp.any_value import value_from_message
from otel_carbon.otlp.json_codec import traces_from_json
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.sdk import instruments
from otel_carbon.sdk.exporter import CarbonSpanExporter
from otel_carbon.sdk.processor import CarbonSpanProcessor
from tests.support.live_check import check_exposition, check_metric, check_span_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pytest
    from opentelemetry.sdk.trace import ReadableSpan

violations: list[str] = []


def watch_emissions(monkeypatch: pytest.MonkeyPatch) -> None:
    violations.clear()
    _after(monkeypatch, CarbonSpanProcessor, "on_end", lambda args, _result: _check_spans([args[1]]))
    _after(monkeypatch, CarbonSpanExporter, "_enriched", lambda _args, result: _check_spans(result))
    _after(monkeypatch, TracesEnricher, "enrich", lambda _args, result: check_body(result[0]))
    _after(monkeypatch, exposition.Exposition, "render", lambda _args, result: _check_page(result[0]))
    _after(monkeypatch, file_enrichment, "enrich_json_requests", lambda _args, result: _check_json(result[0]))
    _watch_points(monkeypatch)


def _check_json(bodies: list[bytes]) -> None:
    for body in bodies:
        check_body(traces_from_json(body))


def _after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, check: Callable[[Any, Any], None]) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        check(args, result)
        return result

    monkeypatch.setattr(owner, name, watched)


def _watch_points(monkeypatch: pytest.MonkeyPatch) -> None:
    original = points.points_of

    def watched(snapshot: Any, metric: Any) -> Any:
        found = list(original(snapshot, metric))
        violations.extend(check_metric(metric.name, metric.unit, "counter", [point.attributes for point in found]))
        return iter(found)

    monkeypatch.setattr(instruments, "points_of", watched)
    monkeypatch.setattr(exposition, "points_of", watched)


def _check_spans(spans: Sequence[ReadableSpan]) -> None:
    for span in spans:
        _check_attributes(span.attributes or {})


def check_body(body: bytes) -> None:
    """Hold a traces request against the convention, wherever it came from."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except Exception:
        return  # a test that sends what no decoder takes
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                _check_attributes({pair.key: _plain(value_from_message(pair.value)) for pair in span.attributes})


def _check_attributes(attributes: Mapping[str, object]) -> None:
    if any(key.startswith("otel_carbon.") for key in attributes):
        violations.extend(check_span_attributes(attributes))


def _check_page(page: bytes) -> None:
    violations.extend(check_exposition(page.decode()))


def _plain(value: object) -> object:
    inner: Iterable[Any] | None = getattr(value, "values", None)
    return value if inner is None or callable(inner) else tuple(value_from_message(item) for item in inner)
