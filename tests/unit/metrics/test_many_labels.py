"""More distinct label values than there is room for: totals add up, and memory does not grow with them."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from otel_carbon.booking import MAX_CONTEXTS
from otel_carbon.metrics.labels import OVERFLOW
from tests.unit.metrics.bookings import booking, calls

if TYPE_CHECKING:
    from otel_carbon.otlp.traces import TracesEnricher

MAX_SERIES = 200
CALLS_A_ROUND = MAX_CONTEXTS
"""Each round forgets what earlier ones have looked up; every second one ends with equally full caches."""
BLOCKS_A_CALL = 12
"""Pieces of memory that counting keeps of each call for some minutes, which have a bound of their own; labels that were
kept would take several times as many."""


def book_round(book: TracesEnricher, number: int) -> None:
    for first in range(number * CALLS_A_ROUND, (number + 1) * CALLS_A_ROUND, 64):
        numbers = range(first + 1, first + 65)
        labelled = {"otel_carbon.tenant": "tenant {number}", "gen_ai.response.model": "gpt-4o-{number}"}
        book.enrich_together([calls(numbers, service=f"service {first}", more=labelled)])


def test_memory_does_not_grow_with_further_label_values_and_totals_add_up() -> None:
    totals, book = booking(MAX_SERIES)
    held_blocks = []
    for number in range(3):
        book_round(book, number)
        gc.collect()
        held_blocks.append(sys.getallocatedblocks())
    assert held_blocks[2] - held_blocks[0] < CALLS_A_ROUND * BLOCKS_A_CALL
    snapshot = totals.snapshot()
    assert len(snapshot.rows) == MAX_SERIES + 1
    assert sum(snapshot.operations.values()) == 3 * CALLS_A_ROUND
    assert sum(count for key, count in snapshot.operations.items() if key.labels == OVERFLOW) == (
        3 * CALLS_A_ROUND - MAX_SERIES
    )
    assert snapshot.dropped_series == 3 * CALLS_A_ROUND - MAX_SERIES
    assert sum(row[9] for row in snapshot.rows.values()) == pytest.approx(3 * CALLS_A_ROUND * 800)
