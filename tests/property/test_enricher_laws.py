"""Laws of enriching as a whole: totals are the sum of what was handed out, and batching changes nothing."""

from __future__ import annotations

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_carbon import attributes as ours
from otel_carbon.core.tokens import KINDS
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.registry.catalog import Registry
from tests.property.span_forests import NO_CALL, ForestSpan, forests
from tests.unit.spans.chat_spans import call_span

if TYPE_CHECKING:
    from otel_carbon.enricher import Outcome
    from otel_carbon.spans.view import SpanView

some = settings(max_examples=100, deadline=None)
BOOKED = (ours.VERDICT_COUNTED, ours.VERDICT_UNESTIMATED)
MIDS_AT = {"energy_kwh": 0, "emissions_gco2e": 3, "water_l": 6}
JOULES_PER_KWH = 3.6e6

counts = st.none() | st.integers(0, 5000) | st.sampled_from([-1, True, "many", 2**40])
calls = st.fixed_dictionaries(
    {
        "gen_ai.request.model": st.sampled_from(["gpt-4o", "gpt-4o-mini", "nobodys-image-1", None]),
        "gen_ai.usage.input_tokens": counts,
        "gen_ai.usage.output_tokens": counts,
        "gen_ai.usage.cache_read.input_tokens": st.none() | st.integers(0, 3000),
        "gen_ai.operation.name": st.sampled_from(["chat", "embeddings", "execute_tool", "plan", None]),
        ours.TENANT: st.sampled_from(["a", "b", None]),
    }
)
spans = st.builds(call_span, st.integers(1, 8), calls, trace=st.integers(1, 3), scope=st.sampled_from(["sdk", "other"]))


@some
@given(st.lists(st.lists(spans, max_size=6), max_size=5))
def test_totals_are_the_sum_of_the_outcomes(batches: list[list[SpanView]]) -> None:
    enricher = Enricher(Registry.bundled())
    judged = [outcome for batch in batches for outcome in enricher.enrich_together(batch)]
    outcomes = [outcome for outcome in judged if outcome]
    booked = [outcome for outcome in outcomes if outcome.verdict in BOOKED]
    snapshot = enricher.totals.snapshot()
    verdicts = Counter(outcome.verdict if outcome else ours.VERDICT_NOT_READ for outcome in judged)
    assert verdicts == Counter(_seen(enricher))  # each of these spans names a provider at least
    assert sum(snapshot.operations.values()) == len(booked)
    for position, kind in enumerate(KINDS):
        expected = sum(outcome.reading.tokens[position] for outcome in booked if outcome.reading.tokens)
        assert sum(row[AMOUNTS + position] for row in snapshot.rows.values()) == expected, kind
    for name, position in MIDS_AT.items():
        mids = [getattr(outcome.footprint, name).mid for outcome in booked if outcome.footprint]
        unit = JOULES_PER_KWH if name == "energy_kwh" else 1.0
        assert math.fsum(row[position] for row in snapshot.rows.values()) == pytest.approx(
            math.fsum(mids) * unit, rel=1e-9
        )


def _seen(enricher: Enricher) -> dict[str, int]:
    found: Counter[str] = Counter()
    for span, count in enricher.totals.snapshot().spans.items():
        found[span.verdict] += count
    return found


@some
@given(forests())
def test_spans_as_they_end_are_judged_like_the_batch_they_make(forest: list[ForestSpan]) -> None:
    views = [_view(span) for span in forest]
    single, together = Enricher(Registry.bundled()), Enricher(Registry.bundled())
    one_by_one = [single.enrich(view) for view in views]
    assert one_by_one == together.enrich_together(views)
    assert single.totals.snapshot().operations == together.totals.snapshot().operations
    true_calls = {span.call for span in forest} - {NO_CALL}
    assert sum(single.totals.snapshot().operations.values()) == len(true_calls)


def _view(span: ForestSpan) -> SpanView:
    attributes: dict[str, object] = {
        "gen_ai.operation.name": "invoke_workflow" if span.call == NO_CALL else "embeddings",
        "gen_ai.request.model": "nobodys-image-1",  # without a figure, so that outcomes can be compared
        "gen_ai.response.id": span.response_id or None,
        "gen_ai.usage.input_tokens": span.tokens[0],
        "gen_ai.usage.output_tokens": span.tokens[1],
    }
    start_ns, end_ns = span.times_ns
    times_ms = (start_ns, end_ns)  # the unit does not matter, their order does
    return call_span(span.number, attributes, trace=span.trace, parent=span.parent, scope=span.scope, times_ms=times_ms)


def _booked_calls(outcomes: list[Outcome | None]) -> int:
    return sum(outcome is not None and outcome.verdict in BOOKED for outcome in outcomes)


def test_threads_with_shared_and_own_spans_end_with_exact_totals() -> None:
    enricher = Enricher(Registry.bundled())
    threads, own, shared = 8, 100, 60

    def run(thread: int) -> int:
        mine = [call_span(number, trace=100 + thread) for number in range(1, own + 1)]
        common = [call_span(number, trace=99) for number in range(1, shared + 1)]
        found = [enricher.enrich(span) for span in mine] + enricher.enrich_together(common)
        return _booked_calls(found)

    with ThreadPoolExecutor(threads) as pool:
        booked = sum(pool.map(run, range(threads)))
    snapshot = enricher.totals.snapshot()
    assert booked == sum(snapshot.operations.values()) == threads * own + shared
    assert sum(row[AMOUNTS] for row in snapshot.rows.values()) == (threads * own + shared) * 1000
    assert _seen(enricher) == {"counted": threads * own + shared, "repeated": (threads - 1) * shared}
