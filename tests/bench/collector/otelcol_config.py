"""A configuration of the official Collector that adds the same figures by statements of its transform processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bench.collector.coefficients import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def otelcol_config(endpoint: str, backend: str | None, factors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Receive, enrich, and send on or forget.

    Args:
        endpoint: where to take OTLP/HTTP, `host:port`.
        backend: URL to send to; None forgets.
        factors: `ModelFactors` of each model, as mappings.
    """
    exporter = "nop" if backend is None else "otlphttp"
    settings = None if backend is None else {"endpoint": backend, "compression": "gzip"}
    pipeline = {"receivers": ["otlp"], "processors": ["transform"], "exporters": [exporter]}
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": endpoint}}}},
        "processors": {"transform": {"error_mode": "ignore", "trace_statements": list(_statements(factors))}},
        "exporters": {exporter: settings},
        "service": {"telemetry": {"metrics": {"level": "none"}}, "pipelines": {"traces": pipeline}},
    }


def _statements(factors: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A group for each model: its conditions are looked at once for a span, not once for each attribute."""
    for each in factors:
        statements = [f'set(span.attributes["{key}"], {_sum(of)})' for key, of in each["amounts"].items()]
        statements += [f'set(span.attributes["{key}"], "{text}")' for key, text in each["texts"].items()]
        provider = f'span.attributes["gen_ai.provider.name"] == "{each["provider"]}"'
        model = f'span.attributes["gen_ai.response.model"] == "{each["model"]}"'
        yield {"conditions": [f"{provider} and {model}"], "statements": statements}


def _sum(of_token: Sequence[float]) -> str:
    return " + ".join(
        f'{factor:.20f} * span.attributes["{tokens}"]' for factor, tokens in zip(of_token, TOKENS, strict=True)
    )
