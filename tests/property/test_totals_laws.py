"""Counters never fall, whatever is booked, however many contexts are let go of and labels refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_carbon import booking
from otel_carbon.counting.window import CountingWindow
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.labels import LabelBudget
from otel_carbon.metrics.totals import Totals
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.view import KIND_CLIENT, MappingAttributes, ResourceView, SpanView

DAY_NS = 86_400 * 10**9
START_NS = 1_790_000_000 * 10**9
REGISTRY = Registry.bundled()

calls = st.tuples(
    st.sampled_from(["gpt-4o", "claude-sonnet-4-5", "no-such-image-1"]),
    st.sampled_from(["shop", "mail", "search", "pay"]),
    st.integers(0, 3),
    st.integers(0, 100_000),
    st.integers(0, 10_000),
    st.integers(0, 500),
)


@pytest.fixture(autouse=True)
def few_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "MAX_CONTEXTS", 4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(booked=st.lists(calls, min_size=1, max_size=60), series=st.sampled_from([1, 3, 20]))
def test_no_counter_ever_falls(booked: list[tuple[str, str, int, int, int, int]], series: int) -> None:
    totals = Totals(LabelBudget(series))
    enricher = Enricher(REGISTRY, window=CountingWindow(lambda: 0.0), totals=totals)
    before = totals.snapshot()
    for number, (model, service, day, input_tokens, output_tokens, reasoning) in enumerate(booked, start=1):
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": input_tokens,
            "gen_ai.usage.output_tokens": output_tokens + reasoning,
            "gen_ai.usage.reasoning.output_tokens": reasoning,
        }
        resource = ResourceView(service, "", MappingAttributes({}))
        at_ns = START_NS + day * DAY_NS + number * 10**9
        view = SpanView(MappingAttributes(attributes), "my.app", resource, number, number, 0, KIND_CLIENT, at_ns, at_ns)
        enricher.enrich(view)
        after = totals.snapshot()
        for labels, row in before.rows.items():
            assert all(new >= old for new, old in zip(after.rows[labels], row, strict=True))
        assert all(after.operations[key] >= count for key, count in before.operations.items())
        before = after
    assert sum(before.operations.values()) == len(booked)
