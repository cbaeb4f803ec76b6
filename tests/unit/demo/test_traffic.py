"""The plan of the sample traffic: the same each time, true about itself, and rich enough to be a test."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from otel_carbon.demo.scenarios import LABS, SERVICES, SUPPORT_ASSISTANT
from otel_carbon.demo.span_trees import Part, PlannedCall, PlannedUsage, agent_span, around, call_span
from otel_carbon.demo.traffic import (
    DAYS,
    ModelTruth,
    PlannedService,
    TrafficPlan,
    plan_traffic,
    truth_of,
)

LAST_DAY = date(2026, 11, 22)
MIDDAY_NS = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.fixture(scope="module")
def plan() -> TrafficPlan:
    return plan_traffic(LAST_DAY)


def call(input_tokens: int, output_tokens: int, model: str = "m-1", error: str = "") -> PlannedCall:
    usage = None if error else PlannedUsage(input_tokens, output_tokens)
    return PlannedCall(
        "openai", model, model, "chat", "api.openai.com", "", "", MIDDAY_NS, MIDDAY_NS + 1, "resp_1", usage, error
    )


def test_equal_arguments_give_equal_plans(plan: TrafficPlan) -> None:
    assert plan_traffic(LAST_DAY) == plan


def test_another_seed_gives_another_plan(plan: TrafficPlan) -> None:
    assert plan_traffic(LAST_DAY, seed=1) != plan


def test_a_call_seen_twice_and_rolled_up_is_one_call() -> None:
    first, second = call(100, 10), call(200, 30)
    seen_twice = around(first, call_span(first, "inner"), "outer")
    agent = agent_span("helper", [seen_twice, call_span(second, "inner")], [first, second])
    truth = truth_of(TrafficPlan(LAST_DAY, LAST_DAY, (PlannedService(LABS, (agent,)),)))
    assert truth.models == {("openai", "m-1"): ModelTruth(calls=2, input_tokens=100 + 200, output_tokens=10 + 30)}
    assert truth.parts == {Part.CALL: 2, Part.DUPLICATE: 1, Part.ROLL_UP: 1, Part.STEP: 0, Part.PLAIN: 0}
    assert truth.spans == 4


def test_a_failed_call_counts_as_a_call_without_tokens() -> None:
    root = call_span(call(100, 10, error="timeout"), "inner")
    truth = truth_of(TrafficPlan(LAST_DAY, LAST_DAY, (PlannedService(LABS, (root,)),)))
    assert truth.models == {("openai", "m-1"): ModelTruth(calls=1, input_tokens=0, output_tokens=0)}


def test_a_roll_up_carries_the_sum_of_its_calls() -> None:
    calls = [call(100, 10), call(200, 30)]
    agent = agent_span("helper", [call_span(each, "inner") for each in calls], calls)
    assert agent.response == {"gen_ai.usage.input_tokens": 300, "gen_ai.usage.output_tokens": 40}


def test_the_plan_is_about_ten_thousand_spans_of_every_part(plan: TrafficPlan) -> None:
    truth = truth_of(plan)
    assert 6_000 <= truth.spans <= 12_000
    assert all(truth.parts[part] >= 200 for part in Part)


def test_spans_start_within_the_thirty_days(plan: TrafficPlan) -> None:
    days = {datetime.fromtimestamp(span.start_ns / 1e9, UTC).date() for span in plan.spans()}
    assert days == {LAST_DAY - timedelta(days=n) for n in range(DAYS)}


@pytest.mark.parametrize("offset", range(7))
def test_no_traffic_slips_past_midnight_of_the_last_day_whatever_the_weekday(offset: int) -> None:
    last_day = LAST_DAY + timedelta(days=offset)
    midnight = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), UTC)
    assert max(span.start_ns for span in plan_traffic(last_day).spans()) < midnight.timestamp() * 1e9


def test_children_lie_within_their_parents(plan: TrafficPlan) -> None:
    for span in plan.spans():
        assert span.start_ns < span.end_ns
        assert all(span.start_ns <= child.start_ns < child.end_ns <= span.end_ns for child in span.children)


def test_cached_and_reasoning_tokens_are_parts_of_their_wholes(plan: TrafficPlan) -> None:
    used = [span.call.usage for span in plan.spans() if span.call and span.call.usage]
    assert all(use.cache_read_tokens + use.cache_write_tokens <= use.input_tokens for use in used)
    assert all(use.reasoning_tokens <= (use.output_tokens or 0) for use in used)
    assert sum(1 for use in used if use.cache_read_tokens) > 100
    assert sum(1 for use in used if use.reasoning_tokens) > 100


def test_working_days_are_busier_than_weekends_for_office_services(plan: TrafficPlan) -> None:
    office = next(service for service in plan.services if service.scenario is SUPPORT_ASSISTANT)
    weekdays = [datetime.fromtimestamp(root.start_ns / 1e9, UTC).weekday() for root in office.roots]
    saturdays_and_sundays = sum(1 for weekday in weekdays if weekday >= 5)
    assert saturdays_and_sundays < len(weekdays) * 0.15


def test_half_of_the_services_enrich_in_process() -> None:
    assert sum(1 for scenario in SERVICES if scenario.in_process) == len(SERVICES) // 2


def test_a_smaller_scale_makes_fewer_requests() -> None:
    small = plan_traffic(LAST_DAY, scale=0.05)
    assert truth_of(small).spans < 1_000
