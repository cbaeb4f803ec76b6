"""Run in an environment of clients: make calls one by one, and print what was counted of each as a line of JSON.

    python -m tests.clients.run_calls CALLS URL [capture] [INSTRUMENTATION...] [-- CALL...]

`CALLS` is a module of `tests.clients`, an instrumentation a name in its `INSTRUMENTATIONS`.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otel_carbon

if TYPE_CHECKING:
    from collections.abc import Callable

HTTP = {
    "aiohttp": "opentelemetry.instrumentation.aiohttp_client:AioHttpClientInstrumentor",
    "httpx": "opentelemetry.instrumentation.httpx:HTTPXClientInstrumentor",
    "httpx2": "opentelemetry.instrumentation.httpx:HTTPX2ClientInstrumentor",
}


class Watch:
    """Spans and counters since the last look."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        metrics.set_meter_provider(MeterProvider([self.reader]))
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(self.provider)
        self._before: dict[str, dict[str, float]] = {"operations": {}, "tokens": {}}

    def look(self) -> dict[str, Any]:
        """What has been added to the counters, and the spans that ended, since the last look."""
        totals = {"operations": self._sums("otel_carbon.operations"), "tokens": self._sums("otel_carbon.tokens")}
        added = {
            name: {key: value - self._before[name].get(key, 0) for key, value in sums.items()}
            for name, sums in totals.items()
        }
        self._before = totals
        spans = [_shown(span) for span in self.exporter.get_finished_spans()]
        self.exporter.clear()
        return {**{name: {k: v for k, v in each.items() if v} for name, each in added.items()}, "spans": spans}

    def _sums(self, counter: str) -> dict[str, float]:
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        found: dict[str, float] = {}
        for metric in (metric for scope in scopes for metric in scope.metrics if metric.name == counter):
            data_points: Any = metric.data.data_points
            for point in data_points:
                attributes = dict(point.attributes or {})
                key = str(attributes.get("otel_carbon.status") or attributes["otel_carbon.token.type"])
                found[key] = found.get(key, 0) + point.value
        return found


def _shown(span: Any) -> dict[str, Any]:
    attributes = dict(span.attributes)
    kept = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model")
    return {
        "name": span.name,
        "scope": span.instrumentation_scope.name,
        "status": attributes.get("otel_carbon.status", ""),
        "reason": attributes.get("otel_carbon.reason", ""),
        **{key: attributes[key] for key in kept if key in attributes},
        "is_below": span.parent is not None,
        "leaks": "zanzibar" in span.to_json(),
    }


def make(call: Callable[[str], Any], url: str) -> str:
    """Make a call; returns the name of the error that it raised, empty when it went well."""
    try:
        if inspect.iscoroutinefunction(call):
            asyncio.run(call(url))
        else:
            call(url)
    except Exception as error:  # an error may be what the call is for
        return type(error).__name__
    finally:
        gc.collect()  # a stream that nobody closes ends with its last reference
    return ""


def main(calls: str, url: str, *rest: str) -> None:
    """Make the calls of a module as the arguments say."""
    modes, _, chosen = "\n".join(rest).partition("--")
    logging.basicConfig(level=logging.ERROR)
    watch = Watch()
    names = modes.split()
    otel_carbon.instrument(watch.provider, capture="capture" in names)
    module = importlib.import_module(f"tests.clients.{calls}")
    for name in names:
        path = {**HTTP, **module.INSTRUMENTATIONS}.get(name)
        if path:
            package, _, attribute = path.partition(":")
            getattr(importlib.import_module(package), attribute)().instrument()
    for name, call in module.CALLS.items():
        if not chosen or name in chosen.split():
            error = make(call, url)
            sys.stdout.write(json.dumps({"call": name, "error": error, **watch.look()}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
