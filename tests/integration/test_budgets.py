"""Budgets with real parts only: calls through the collector, a real Prometheus with our rules, and the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.rules import rules_text
from otel_carbon.budgets.windows import CalendarWindow, Period
from tests.support.collector_process import running_collector
from tests.support.otlp_sink import running_otlp_sink
from tests.support.prometheus_server import running_prometheus
from tests.support.sdk_calls import COUNTS, EMISSIONS_GCO2E, export_calls, http_exporter
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.prometheus_server import PrometheusServer

CALLS = 20
TOKENS = COUNTS.input + COUNTS.output
BUDGETS = f"""\
interval: 1s
budgets:
  - name: spent
    owner: shop
    scope: {{service: shop-assistant}}
    amount: {CALLS * TOKENS}
    unit: tokens
    window: month
  - name: half
    owner: shop
    scope: {{provider: openai}}
    amount: {2 * CALLS * EMISSIONS_GCO2E!r}
    unit: gCO2e
    window: 30d
  - name: nobody
    owner: shop
    scope: {{service: no-such-service}}
    amount: 1
    unit: L
    window: day
"""
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
CALENDAR = "".join(
    f"  - {{name: {period.value}-{number}, owner: o, scope: {{service: none}}, amount: 1, unit: L, "
    f"window: {period.value}, time_zone: {zone}, burn_rates: []}}\n"
    for number, zone in enumerate(ZONES)
    for period in Period
)
KNOWN = "otel_carbon_dropped_series_total and on () last_over_time(otel_carbon_dropped_series_total[1h] offset 5s)"


@dataclass(frozen=True, slots=True)
class Running:
    """Two servers that scrape one collector: one evaluates the rules of the budgets, one has none."""

    with_rules: PrometheusServer
    without_rules: PrometheusServer
    budget_file: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("budgets")
    budget_file, rule_file = folder / "budgets.yaml", folder / "rules.yaml"
    budget_file.write_text(BUDGETS, encoding="utf-8")
    calendar_file = folder / "calendar.yaml"
    calendar_file.write_text(BUDGETS + CALENDAR, encoding="utf-8")
    rule_file.write_text(rules_text(read_budgets(calendar_file).budgets, datetime.now(UTC)), encoding="utf-8")
    with ExitStack() as stack:
        sink = stack.enter_context(running_otlp_sink())
        collector = stack.enter_context(running_collector(folder, sink.http_endpoint))
        with_rules = stack.enter_context(running_prometheus(tmp_path_factory.mktemp("ruled"), (rule_file,)))
        without_rules = stack.enter_context(running_prometheus(tmp_path_factory.mktemp("plain")))
        servers = (with_rules, without_rules)
        for server in servers:
            server.scrape({"collector": collector.metrics_target})
        wait_until(lambda: with_rules.query(KNOWN), timeout_s=30, what="target that the rules know")
        without_rules.wait_for_fresh_scrape()
        export_calls(http_exporter(collector.http_endpoint), 1)
        without_rules.wait_for_fresh_scrape()
        export_calls(http_exporter(collector.http_endpoint), CALLS - 1)
        for server in servers:
            server.wait_for_fresh_scrape()
        yield Running(with_rules, without_rules, budget_file)


def _status(running: Running, server: PrometheusServer, *more: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "otel_carbon.cli", "budget", "status", str(running.budget_file)]
    done = subprocess.run(
        [*command, "--prometheus", server.url, *more],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )
    return done.returncode, done.stdout, done.stderr


def _by_name(running: Running, server: PrometheusServer) -> dict[str, dict[str, Any]]:
    code, out, err = _status(running, server, "--json")
    assert code in (1, 3), err
    return {each["budget"]: each for each in json.loads(out)["budgets"]}


def test_used_is_exactly_what_the_collector_counted(running: Running) -> None:
    server = running.with_rules
    assert server.value('sum(otel_carbon_tokens_total{service_name="shop-assistant"})') == CALLS * TOKENS
    wait_until(
        lambda: server.value('otel_carbon_budget_used{budget="spent"}') == CALLS * TOKENS,
        timeout_s=30,
        what="evaluation after the last scrape",
    )
    found = _by_name(running, server)
    known = {key: found["spent"][key] for key in ("unit", "limit", "used", "share", "remaining", "source", "spent")}
    assert known == {
        "unit": "tokens",
        "limit": CALLS * TOKENS,
        "used": CALLS * TOKENS,
        "share": 1.0,
        "remaining": 0.0,
        "source": "rules",
        "spent": True,
    }
    assert found["half"]["share"] == pytest.approx(0.5)


def test_a_spent_budget_fires_with_scope_limit_and_amount(running: Running) -> None:
    def fired() -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = running.with_rules.api("/api/v1/alerts")["alerts"]
        return [each for each in alerts if each["labels"].get("threshold") == "1"]

    (alert,) = wait_until(fired, timeout_s=30, what="alert")
    assert (alert["state"], alert["labels"]["budget"], alert["labels"]["severity"]) == ("firing", "spent", "page")
    assert alert["annotations"]["scope"] == 'service "shop-assistant"'
    assert alert["annotations"]["limit"] == f"{CALLS * TOKENS} tokens"
    assert alert["annotations"]["used"] == f"{CALLS * TOKENS} tokens"


def test_without_rules_it_is_estimated_from_the_counters_and_says_so(running: Running) -> None:
    found = _by_name(running, running.without_rules)

    assert {name: each["source"] for name, each in found.items()} == {
        "spent": "counters",
        "half": "counters",
        "nobody": None,
    }
    # `increase` does not see the first call, and stretches what it sees to the ends of its range.
    assert (CALLS - 1) * TOKENS <= found["spent"]["used"] <= 1.5 * CALLS * TOKENS


def test_a_scope_without_calls_is_unknown_and_not_zero(running: Running) -> None:
    code, out, err = _status(running, running.with_rules)

    assert (code, err) == (1, "")  # another budget is spent, which is said first
    (row,) = (line for line in out.splitlines() if line.startswith("nobody  "))
    assert "no data" in row
    assert "0 " not in row
    assert 'nobody: Prometheus has no calls of service "no-such-service" in this window' in out
    (row,) = (line for line in out.splitlines() if line.startswith("spent  "))
    assert "100.0  ██████████!" in row


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("period", Period)
def test_windows_begin_and_end_where_the_calendar_says(running: Running, period: Period, zone: str) -> None:
    labels = f'{{time_zone="{zone}",window="{period.value}"}}'
    start_s = running.with_rules.value(f"otel_carbon_budget:window_start_seconds{labels}")
    days = running.with_rules.value(f"otel_carbon_budget:window_days{labels}")

    window = CalendarWindow(period, zone)
    # The rules looked at the clock a moment before; whichever of both sides of a midnight that was, it is one window.
    now = datetime.now(UTC)
    possible = {window.bounds(now - timedelta(seconds=age_s)) for age_s in (0, 5)}
    spans = {(each.start.timestamp(), round((each.end - each.start).total_seconds() / 86_400)) for each in possible}
    assert (start_s, days) in spans
