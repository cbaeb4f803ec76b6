"""What is booked of metrics requests, for tests that send some."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.otlp.metrics import UsageFromMetrics
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.metrics.labels import SeriesLabels

TOKEN_USAGE = "gen_ai.client.token.usage"
CLAUDE = "claude_code.token.usage"
SONNET = "claude-sonnet-4-5-20250929"


class Collector:
    """What is booked of requests to a collector that started long ago."""

    def __init__(self, usage_source: Mapping[str, str] | None = None, **settings: object) -> None:
        sources = usage_source or {"*": "metrics"}
        self.enricher = Enricher(Registry.bundled(), EnrichSettings(usage_source=sources, **settings))  # type: ignore[arg-type]  # as given
        self.usage = UsageFromMetrics(self.enricher, lambda: 1)

    def take(self, *bodies: bytes) -> None:
        for body in bodies:
            self.usage(body)

    @property
    def rows(self) -> dict[SeriesLabels, list[float]]:
        return self.enricher.totals.snapshot().rows

    def tokens(self) -> AdditiveTokens:
        return AdditiveTokens(*(int(sum(row[AMOUNTS + i] for row in self.rows.values())) for i in range(5)))

    def amount(self, position: int) -> float:
        return math.fsum(row[position] for row in self.rows.values())

    def calls(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for key, count in self.enricher.totals.snapshot().operations.items():
            found[key.status, key.reason] = found.get((key.status, key.reason), 0) + count
        return found

    def outcomes(self) -> dict[str, int]:
        return {outcome: count for outcome, count in self.usage.numbers().points.items() if count}


def booked(*bodies: bytes, **settings: object) -> Collector:
    collector = Collector(**settings)  # type: ignore[arg-type]  # as given
    collector.take(*bodies)
    return collector


def in_and_out(collector: Collector) -> tuple[int, int, int]:
    """Input tokens, output tokens and calls."""
    tokens = collector.tokens()
    return sum(tokens[:3]), sum(tokens[3:]), sum(collector.calls().values())
