"""Arrived spans and figures for the demo's unit tests."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.demo.arrivals import ArrivedSpan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.demo.arrivals import AttributeValue

NOON_NS = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
DAY_NS = 86_400 * 1_000_000_000
COEFFICIENT = "energy/openai/gpt-4o@2026-11"
GRID = "grid/USA-SRVC/location-lifecycle@2023"


def estimated(
    gco2e: float,
    *,
    model: str = "gpt-4o",
    tenant: str = "",
    day: int = 0,
    more: Mapping[str, str] = MappingProxyType({}),
) -> ArrivedSpan:
    """An estimated call: bounds are half and double the mid, 1 g is 2 Wh and 4 mL; 100 tokens in, 10 out."""
    attributes: dict[str, AttributeValue] = {
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        ours.STATUS: ours.STATUS_ESTIMATED,
        ours.COEFFICIENT_ID: COEFFICIENT,
        ours.GRID_ID: GRID,
        ours.SITE_ID: "site/aws-us-east-1@2024",
        ours.REGION: "us-east-1",
        ours.REGION_EVIDENCE: "reported",
        ours.REGISTRY_VERSION: "2026.11.0+000000000000",
        ours.ASSUMPTIONS: ("size_guessed",),
    }
    for key, factor in ((ours.EMISSIONS_GCO2E, 1.0), (ours.ENERGY_KWH, 0.002), (ours.WATER_L, 0.004)):
        attributes |= {key: gco2e * factor, f"{key}_low": gco2e * factor / 2, f"{key}_high": gco2e * factor * 2}
    if tenant:
        attributes[ours.TENANT] = tenant
    return ArrivedSpan("svc", "scope", "chat", NOON_NS + day * DAY_NS, attributes | dict(more))


def judged(status: str, reason: str, *, model: str = "gpt-4o") -> ArrivedSpan:
    """A span without a figure."""
    attributes = {"gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    return ArrivedSpan("svc", "scope", "chat", NOON_NS, attributes | {ours.STATUS: status, ours.REASON: reason})


def plain() -> ArrivedSpan:
    """A web request."""
    return ArrivedSpan("svc", "http", "POST /", NOON_NS, {"http.route": "/"})
