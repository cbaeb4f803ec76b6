"""Thirty days of the sample company's traffic, planned call by call from a seed, with the truth about it."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from otel_carbon.demo import span_trees
from otel_carbon.demo.scenarios import SERVICES, Twin
from otel_carbon.demo.span_trees import Part, PlannedCall, PlannedSpan, PlannedUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_carbon.demo.scenarios import ModelUse, ServiceScenario

DEFAULT_SEED = 20
DAYS = 30
_SATURDAY = 5
_NS_PER_S = 1_000_000_000
_MAX_INPUT_TOKENS = 120_000
_TOOLS = ("search_orders", "read_document", "look_up_customer", "run_query")


@dataclass(frozen=True, slots=True)
class ModelTruth:
    """What one model was truly asked, each call once; tokens of calls that report them."""

    calls: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect accountant would find in the plan; models are keyed by provider and model."""

    models: Mapping[tuple[str, str], ModelTruth]
    parts: Mapping[Part, int]

    @property
    def calls(self) -> int:
        """Distinct calls."""
        return self.parts[Part.CALL]

    @property
    def spans(self) -> int:
        """Spans of every kind."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class PlannedService:
    """A service and the traces it makes, in the order of their start."""

    scenario: ServiceScenario
    roots: tuple[PlannedSpan, ...]


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """All services from `first_day` to `last_day`, both included, in UTC."""

    first_day: date
    last_day: date
    services: tuple[PlannedService, ...]

    def spans(self) -> Iterator[PlannedSpan]:
        """Every planned span."""
        for service in self.services:
            for root in service.roots:
                yield from root.walk()


def plan_traffic(last_day: date, *, seed: int | str = DEFAULT_SEED, scale: float = 1.0) -> TrafficPlan:
    """Plan the thirty days up to and including `last_day`; equal arguments give equal plans.

    Args:
        last_day: the last day of traffic, UTC.
        seed: of all chance in it.
        scale: multiplies the number of requests; 1 is the demo's.
    """
    first_day = last_day - timedelta(days=DAYS - 1)
    services = tuple(_Planner(scenario, first_day, seed, scale).plan() for scenario in SERVICES)
    return TrafficPlan(first_day, last_day, services)


def truth_of(plan: TrafficPlan) -> Truth:
    """Count what the plan holds, from what each span was planned as."""
    parts: Counter[Part] = Counter(dict.fromkeys(Part, 0))
    calls: dict[tuple[str, str], list[PlannedCall]] = {}
    for span in plan.spans():
        parts[span.part] += 1
        if span.part is Part.CALL and span.call is not None:
            named = span.call.requested_model if span.call.error else span.call.model
            calls.setdefault((span.call.provider, named), []).append(span.call)
    return Truth({key: _model_truth(made) for key, made in sorted(calls.items())}, parts)


def _model_truth(calls: Sequence[PlannedCall]) -> ModelTruth:
    used = [call.usage for call in calls if call.usage is not None]
    return ModelTruth(
        len(calls), sum(usage.input_tokens for usage in used), sum(usage.output_tokens or 0 for usage in used)
    )


class _Planner:
    """Plans one service with dice of its own, so that services do not depend on each other."""

    def __init__(self, scenario: ServiceScenario, first_day: date, seed: int | str, scale: float) -> None:
        self._scenario = scenario
        self._first_day = first_day
        self._episodes = max(1, round(scenario.episodes * scale))
        self._dice = random.Random(f"{seed}/{scenario.name}")  # noqa: S311 - sample data, no secret
        self._free_at_ns = 0

    def plan(self) -> PlannedService:
        roots: list[PlannedSpan] = []
        for start_ns in self._starts_ns():
            # One request after another: two overlapping calls of equal size could pass for one call reported twice.
            made = self._episode(max(start_ns, self._free_at_ns))
            self._free_at_ns = max(span.end_ns for span in made) + _NS_PER_S
            roots += made
        return PlannedService(self._scenario, tuple(roots))

    def _starts_ns(self) -> list[int]:
        weights, weekend = self._scenario.hours.value
        days = [self._first_day + timedelta(days=n) for n in range(DAYS)]
        day_weights = [weekend if day.weekday() >= _SATURDAY else 1.0 for day in days]
        starts = []
        for day in self._dice.choices(days, day_weights, k=self._episodes):
            hour = self._dice.choices(range(len(weights)), weights)[0]
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            moment_s = int(midnight.timestamp()) + hour * 3600 + self._dice.randrange(3600)
            starts.append(moment_s * _NS_PER_S + self._dice.randrange(_NS_PER_S))
        return sorted(starts)

    def _episode(self, start_ns: int) -> list[PlannedSpan]:
        tenants = self._scenario.tenants
        tenant = self._dice.choices([name for name, _ in tenants], [weight for _, weight in tenants])[0]
        if self._chance(self._scenario.agent_share):
            root, others = self._agent_turn(start_ns, tenant)
        else:
            root, others = self._reported(self._call(start_ns, tenant))
        if self._chance(self._scenario.http_share):
            root = span_trees.http_span(f"/{self._scenario.name}", [root])
        return [root, *others]

    def _agent_turn(self, start_ns: int, tenant: str) -> tuple[PlannedSpan, list[PlannedSpan]]:
        """An agent that calls a model two to four times, with a tool between the calls."""
        calls: list[PlannedCall] = []
        children: list[PlannedSpan] = []
        elsewhere: list[PlannedSpan] = []
        for turn in range(self._dice.randint(2, 4)):
            if turn:
                tool_end_ns = start_ns + self._dice.randrange(40, 900) * 1_000_000
                children.append(span_trees.tool_span(self._dice.choice(_TOOLS), start_ns, tool_end_ns))
                start_ns = tool_end_ns + 10_000_000
            call = self._call(start_ns, tenant)
            span, others = self._reported(call)
            calls.append(call)
            children.append(span)
            elsewhere += others
            start_ns = call.end_ns + 10_000_000
        root = span_trees.agent_span(f"{self._scenario.name}-agent", children, calls)
        if self._scenario.in_workflow:
            root = span_trees.workflow_span(self._scenario.name, [root], calls)
        return root, elsewhere

    def _reported(self, call: PlannedCall) -> tuple[PlannedSpan, list[PlannedSpan]]:
        """The spans of a call: its own, and a twin in the same or another trace where two instrumentations run."""
        scenario, twin = self._scenario, self._scenario.twin
        if twin is Twin.NONE or not self._chance(scenario.twin_share):
            return span_trees.call_span(call, scenario.scope), []
        if twin is Twin.NESTED:
            return span_trees.around(call, span_trees.call_span(call, scenario.scope), scenario.twin_scope), []
        if call.error:
            return span_trees.call_span(call, scenario.scope), []
        with_id = twin is Twin.OTHER_TRACE
        span = span_trees.call_span(call, scenario.scope, with_id=with_id)
        return span, [span_trees.call_span(call, scenario.twin_scope, Part.DUPLICATE, with_id=with_id)]

    def _call(self, start_ns: int, tenant: str) -> PlannedCall:
        use = self._dice.choices(self._scenario.models, [model.share for model in self._scenario.models])[0]
        usage = self._usage(use)
        error = self._dice.choice(("timeout", "429", "503")) if self._chance(self._scenario.failed_share) else ""
        silent = self._chance(self._scenario.silent_share)
        latency_s = 0.25 + 0.011 * (usage.output_tokens or 0) + self._dice.random() * 0.4
        return PlannedCall(
            use.provider,
            use.requested,
            use.answered,
            use.operation,
            use.host,
            use.region,
            tenant,
            start_ns,
            start_ns + int(latency_s * _NS_PER_S),
            f"resp_{self._dice.getrandbits(80):020x}",
            None if error or silent else usage,
            error,
        )

    def _usage(self, use: ModelUse) -> PlannedUsage:
        input_tokens = min(_MAX_INPUT_TOKENS, self._around(use.input_tokens, 0.7))
        if use.output_tokens is None:
            return PlannedUsage(input_tokens, None)
        output_tokens = self._around(use.output_tokens, 0.6)
        read = write = reasoning = 0
        if self._chance(use.cached_share):
            read = int(input_tokens * self._dice.uniform(0.4, 0.9))
            write = int((input_tokens - read) * self._dice.uniform(0.0, 0.3))
        if use.reasons:
            reasoning = int(output_tokens * self._dice.uniform(0.2, 0.75))
        return PlannedUsage(input_tokens, output_tokens, read, write, reasoning)

    def _around(self, median: int, spread: float) -> int:
        return max(1, round(self._dice.lognormvariate(math.log(median), spread)))

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share
