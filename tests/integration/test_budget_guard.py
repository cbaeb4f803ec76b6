"""The guard beside the span processor, on spans of the real SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from otel_carbon import CarbonSpanProcessor
from otel_carbon.budgets.guard import BudgetGuard
from otel_carbon.budgets.read import read_budgets
from tests.support.sdk_calls import EMISSIONS_GCO2E, MODEL
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.util.types import AttributeValue

    from otel_carbon.budgets.spent import Crossing


def test_calls_of_an_application_are_held_against_its_budget(tmp_path: Path) -> None:
    path = tmp_path / "budgets.yaml"
    path.write_text(
        "budgets:\n"
        f"  - {{name: app, owner: me, scope: {{provider: openai}}, amount: {2.5 * EMISSIONS_GCO2E!r}, unit: gCO2e, "
        "window: month, thresholds: [0.7, 1.0]}\n",
        encoding="utf-8",
    )
    processor = CarbonSpanProcessor(meter_provider=MeterProvider(shutdown_on_exit=False))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("opentelemetry.instrumentation.genai.openai")
    told: list[Crossing] = []
    guard = BudgetGuard(
        processor.totals, read_budgets(path).budgets.budgets, told.append, check_interval_s=0.01
    ).start()

    def call() -> None:
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.model": MODEL,
            "gen_ai.usage.input_tokens": 800,
            "gen_ai.usage.output_tokens": 300,
            "server.address": "api.openai.com",
        }
        tracer.start_span("chat", attributes=attributes, kind=SpanKind.CLIENT).end()

    call()
    call()  # 2 of 2.5: 80 %
    wait_until(lambda: told, timeout_s=10, what="first threshold")
    call()
    guard.stop()

    assert [crossing.share for crossing in told] == [0.7, 1.0]
    assert abs(told[1].used / EMISSIONS_GCO2E - 3) < 1e-9
