"""Spans of ours beside those of instrumentations: one of them counts, with all that either tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.core.tokens import KINDS
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.accounts import AMOUNTS
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.told_beside import MAX_SOURCES, tell_beside, told_beside
from tests.unit.spans.chat_spans import call_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.enricher import Outcome
    from otel_carbon.spans.counts import Counts

OURS = "otel_carbon.capture"
PARTS = {"gen_ai.usage.cache_read.input_tokens": 600, "gen_ai.usage.reasoning.output_tokens": 50}
IN_FULL = (1000 - 600, 600, 0, 200 - 50, 50)
SILENT: Mapping[str, object] = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
TOLD: Counts = (1000, 200, 600, None, 50)
OTHERS = [
    "opentelemetry.instrumentation.genai.openai",
    "opentelemetry.instrumentation.openai_v2",
    "opentelemetry.instrumentation.openai.v1",
    "com.anthropic.sdk.python",
    "my.own.code",
]


def enricher() -> Enricher:
    return Enricher(Registry.bundled())


def tokens(enriched: Enricher) -> tuple[float, ...]:
    rows = enriched.totals.snapshot().rows.values()
    return tuple(sum(row[AMOUNTS + i] for row in rows) for i in range(len(KINDS)))


def statuses(outcomes: list[Outcome | None]) -> list[str]:
    return [outcome.status if outcome else "" for outcome in outcomes]


@pytest.mark.parametrize("theirs", OTHERS)
@pytest.mark.parametrize("ours_first", [True, False])
def test_decided_together_ours_is_counted_wherever_it_stands(theirs: str, *, ours_first: bool) -> None:
    found = enricher()
    ours = call_span(1, PARTS, scope=OURS, times_ms=(1, 9))
    other = call_span(2, scope=theirs, times_ms=(0, 10))
    outcomes = found.enrich_together([ours, other] if ours_first else [other, ours])
    assert statuses(outcomes if ours_first else outcomes[::-1]) == ["estimated", "duplicate"]
    assert tokens(found) == IN_FULL


@pytest.mark.parametrize("theirs", OTHERS)
def test_one_by_one_ours_ends_first_and_is_counted(theirs: str) -> None:
    found = enricher()
    outcomes = [
        found.enrich(call_span(1, PARTS, scope=OURS, times_ms=(1, 9))),
        found.enrich(call_span(2, scope=theirs, times_ms=(0, 10))),
    ]
    assert (statuses(outcomes), tokens(found)) == (["estimated", "duplicate"], IN_FULL)


def test_a_refused_attempt_and_the_one_that_follows_are_two_calls_of_which_one_used_something() -> None:
    found = enricher()
    refused = call_span(1, {**SILENT, "error.type": "429"}, scope=OURS, times_ms=(0, 5))
    outcomes = [found.enrich(refused), found.enrich(call_span(2, PARTS, scope=OURS, times_ms=(6, 9), trace=2))]
    assert [(each.status, each.reason) for each in outcomes if each] == [
        ("unestimated", "failed_no_usage"),
        ("estimated", ""),
    ]


def told(attributes: Mapping[str, object], counts: Counts, scope: str = "my.own.code") -> tuple[Any, tuple[float, ...]]:
    """What becomes of a span beside which these counts were told, and the tokens booked."""
    found = enricher()
    outcome = found.enrich(call_span(1, attributes, scope=scope), counts)
    assert outcome is not None
    return outcome, tokens(found)


def codes(outcome: Outcome) -> set[str]:
    return set(outcome.reading.codes)


def test_parts_that_a_span_does_not_tell_are_taken_where_its_totals_agree() -> None:
    outcome, booked = told({}, TOLD)
    assert (outcome.status, booked) == ("estimated", IN_FULL)
    assert "parts_from_wire" in codes(outcome)


def test_all_is_taken_where_a_span_tells_nothing() -> None:
    outcome, booked = told(SILENT, TOLD)
    assert (outcome.status, booked) == ("estimated", IN_FULL)
    assert codes(outcome) == {"counts_from_wire"}


@pytest.mark.parametrize(
    "counts", [(1001, 200, 600, None, 50), (1000, 201, 600, None, 50), (1000, 200, 600, 500, None)]
)
def test_where_totals_disagree_or_parts_do_not_fit_the_span_is_believed(counts: Counts) -> None:
    assert told({}, counts)[1] == (1000, 0, 0, 200, 0)


def test_a_part_that_the_span_tells_stays_its_own() -> None:
    assert told({"gen_ai.usage.cache_read.input_tokens": 100}, TOLD)[1] == (1000 - 100, 100, 0, 200 - 50, 50)


def test_counts_that_say_nothing_new_change_nothing() -> None:
    outcome, booked = told(PARTS, TOLD)
    assert (booked, codes(outcome) & {"parts_from_wire", "counts_from_wire"}) == (IN_FULL, set())


def test_counts_that_do_not_fit_leave_a_span_without_usage_as_it_is() -> None:
    outcome, _ = told(SILENT, (100, 200, 600, None, None))
    assert (outcome.status, outcome.reason) == ("unestimated", "no_usage")


def test_a_workflow_takes_no_counts_of_a_call() -> None:
    outcome, booked = told({"gen_ai.operation.name": "invoke_workflow"}, TOLD)
    assert (outcome.status, booked) == ("aggregate", (0, 0, 0, 0, 0))


def test_what_is_told_beside_a_span_is_kept_on_the_object() -> None:
    class Span:
        """Any object that takes attributes."""

    span = Span()
    assert told_beside(span) is None
    tell_beside(span, lambda: TOLD)
    assert told_beside(span) == TOLD


def test_of_several_attempts_the_last_one_with_counts_is_taken() -> None:
    class Span:
        """Any object that takes attributes."""

    span = Span()
    tell_beside(span, lambda: TOLD)
    for _ in range(MAX_SOURCES):
        tell_beside(span, lambda: None)
    assert told_beside(span) == TOLD
    tell_beside(span, lambda: (1, 2, None, None, None))
    assert told_beside(span) == (1, 2, None, None, None)
    assert len(vars(span)["_otel_carbon_told"]) == MAX_SOURCES + 1
