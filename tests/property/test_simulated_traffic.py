"""Ten thousand traces of made-up traffic, counted as they arrive: the totals are those of the generator."""

from __future__ import annotations

import random

import pytest

from otel_carbon.core import reasons
from otel_carbon.counting.window import CountingWindow
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.accounts import AMOUNTS
from tests.property.simulated_traffic import Traffic, simulate
from tests.support.small_registry import small_registry


def counted(traffic: Traffic, sizes: tuple[int, int], seed: int = 1) -> Enricher:
    """What an enricher makes of the spans in requests of so many at least and at most."""
    enricher = Enricher(small_registry(), window=CountingWindow(lambda: 0.0))
    dice, spans = random.Random(seed), [span for _, span in traffic.spans]
    while spans:
        size = dice.randint(*sizes)
        enricher.enrich_together(spans[:size])
        del spans[:size]
    return enricher


def found(enricher: Enricher) -> tuple[int, int, int, int]:
    """Calls with usage, calls without, and the input and output tokens of all."""
    snapshot = enricher.totals.snapshot()
    silent = sum(count for key, count in snapshot.operations.items() if key.reason == reasons.NO_USAGE)
    failed = sum(count for key, count in snapshot.operations.items() if key.reason == reasons.FAILED_NO_USAGE)
    tokens = [int(sum(row[AMOUNTS + kind] for row in snapshot.rows.values())) for kind in range(5)]
    return sum(snapshot.operations.values()) - silent - failed, silent, sum(tokens[:3]), sum(tokens[3:])


def truth(traffic: Traffic) -> tuple[int, int, int, int]:
    return (
        len(traffic.calls),
        traffic.silent_calls,
        sum(call.input_tokens for call in traffic.calls),
        sum(call.output_tokens for call in traffic.calls),
    )


@pytest.mark.parametrize("sizes", [(1, 1), (1, 40), (512, 512)])
def test_totals_of_ten_thousand_traces_are_the_true_ones(sizes: tuple[int, int]) -> None:
    traffic = simulate(10_000, seed=20)
    assert len(traffic.spans) > 20_000
    assert found(counted(traffic, sizes)) == truth(traffic)


@pytest.mark.parametrize("seed", range(20))
def test_totals_are_the_true_ones_whatever_is_drawn(seed: int) -> None:
    traffic = simulate(400, seed)
    random.Random(seed).shuffle(traffic.spans)  # any order at all
    assert found(counted(traffic, (1, 20), seed)) == truth(traffic)
