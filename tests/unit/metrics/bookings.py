"""Totals to render: a fixed snapshot with round numbers, and real bookings of drawn-up calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.counting.window import CountingWindow
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.labels import LabelBudget, SeriesLabels
from otel_carbon.metrics.pacing import never_rest
from otel_carbon.metrics.totals import MatchKey, OperationKey, SeenSpan, Snapshot, Totals
from otel_carbon.metrics.unseen import Unseen
from otel_carbon.otlp.traces import TracesEnricher
from otel_carbon.registry.catalog import Registry
from tests.unit.otlp.messages import NOTHING, inference_span, request_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.metrics.pacing import Rest

GPT = SeriesLabels("openai", "gpt-4o", "mix-openai", "token_physical", "none", "shop", "production")
CLAUDE = SeriesLabels("anthropic", "claude", "USA", "token_physical", "red", "shop", "")
UNKNOWN = SeriesLabels("openai", "no-such-image-1", "", "", "none", "shop", "production")
FIXED = Snapshot(
    rows={
        GPT: [3600.0, 1800.0, 7200.0, 0.25, 0.125, 0.5, 0.002, 0.001, 0.004, 800, 100, 0, 300, 50],
        CLAUDE: [1.5, 1.0, 2.0, 1e-05, 5e-06, 2e-05, 0.0, 0.0, 0.0, 10, 0, 5, 20, 0],
        UNKNOWN: [0.0] * 9 + [40, 0, 0, 2, 0],
    },
    operations={
        OperationKey(GPT, "estimated", ""): 3,
        OperationKey(CLAUDE, "estimated", ""): 1,
        OperationKey(UNKNOWN, "unestimated", "model_not_registered"): 2,
    },
    spans={
        SeenSpan("openai", "otel-genai", "counted"): 4,
        SeenSpan("langchain", "openllmetry", "duplicate"): 3,
        SeenSpan("", "gen-ai", "genai_other"): 1,
    },
    dropped_series=7,
    unseen={
        OperationKey(GPT, "estimated", ""): Unseen(9.0, 10800.0, 0.75),
        OperationKey(UNKNOWN, "unestimated", "model_not_registered"): Unseen(18.0, 0.0, 0.0),
    },
    matches={MatchKey(GPT, "exact"): 2, MatchKey(GPT, "family"): 1, MatchKey(CLAUDE, "generic"): 1},
)


class FixedTotals(Totals):
    """Totals that stand at `FIXED`."""

    def snapshot(self, rest: Rest = never_rest) -> Snapshot:  # noqa: ARG002 -- it has nothing to wait for
        return FIXED


def booking(max_series: int = 2000) -> tuple[Totals, TracesEnricher]:
    """Totals, and what books requests on them."""
    totals = Totals(LabelBudget(max_series))
    enricher = Enricher(Registry.bundled(), window=CountingWindow(lambda: 0.0), totals=totals)
    return totals, TracesEnricher(enricher)


def calls(
    numbers: Iterable[int],
    *,
    scope: str = "tests",
    service: str = "shop",
    more: Mapping[str, str | float] = NOTHING,
    trace_state: str = "",
) -> bytes:
    """A request with one call for each number, which `{number}` in a text stands for."""
    spans = [
        inference_span(number, more={key: _text(value, number) for key, value in more.items()}) for number in numbers
    ]
    for span in spans:
        span.trace_state = trace_state
    return request_of(*spans, scope=scope, service=service).SerializeToString()


def _text(value: str | float, number: int) -> str | float:
    return value.format(number=number) if isinstance(value, str) else value
