"""Four collectors with something wrong each, Prometheus and Alertmanager as committed but faster, and a webhook."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.rules import rules_text
from otel_carbon.cli.carbon_facts import month_of
from otel_carbon.registry.catalog import Registry
from tests.chaos.clock import libfaketime
from tests.endtoend.traffic import TOKENS
from tests.integration.collector_under_test import ScriptedBackend, scripted_backend
from tests.integration.durable_collector import DurableCollector, durable_exporter
from tests.support.alertmanager_server import AlertmanagerServer, running_alertmanager
from tests.support.components import require_component
from tests.support.deployed import alertmanager_config, prometheus_config
from tests.support.grid_tables import RETRIEVED, hours_of, table_of, written_table
from tests.support.prometheus_files import ALERTING_RULES, RECORDING_RULES, document
from tests.support.prometheus_server import PrometheusServer, prometheus_with
from tests.support.shortened import shortened_text
from tests.support.webhook import Webhook, running_webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTOR = 120
"""An hour of the rules is half a minute."""
BUDGET_CALLS = 20
"""Calls that a budget lasts for."""
MAIN, SECOND, STUCK, OLD = "otel-carbon", "second", "stuck", "old"
"""The jobs of the collectors."""
_BUDGETS = """\
budgets:
  - name: search
    owner: team-search
    scope: {{service: search}}
    amount: {amount}
    unit: tokens
    window: 1d
    burn_rates: [{{long: 1h, short: 5m, factor: 4, severity: page}}]
"""


@dataclass
class Alerting:
    """All that runs."""

    folder: Path
    webhook: Webhook
    prometheus: PrometheusServer
    alertmanager: AlertmanagerServer
    collectors: dict[str, DurableCollector]
    rejecting: ScriptedBackend
    """The backend of an exporter of the main collector, which answers 400 while it has a script."""
    away: ScriptedBackend
    """The only backend of the stuck collector."""

    def allow_calls(self, calls: int) -> None:
        """Set the amount of the budget."""
        _write_budget_rules(self.folder, calls)
        self.prometheus.reload()


@contextmanager
def running_alerting(folder: Path) -> Iterator[Alerting]:
    """Start everything; nothing is sent yet."""
    with ExitStack() as stack:
        webhook = stack.enter_context(running_webhook())
        rejecting = stack.enter_context(scripted_backend(*[(400, {}, b"")] * 100_000))
        away = stack.enter_context(scripted_backend(accepting=False))
        alertmanager = stack.enter_context(
            running_alertmanager(folder, shortened_text(alertmanager_config(webhook.url), FACTOR))
        )
        collectors = {name: _collector(folder, name, rejecting, away) for name in (MAIN, SECOND, STUCK, OLD)}
        for collector in collectors.values():
            stack.enter_context(collector)
        config = prometheus_config(
            {name: f"127.0.0.1:{collector.metrics}" for name, collector in collectors.items()},
            alertmanager=alertmanager.target,
            rule_files=_rule_files(folder),
        )
        prometheus = stack.enter_context(prometheus_with(folder, shortened_text(config, FACTOR)))
        yield Alerting(folder, webhook, prometheus, alertmanager, collectors, rejecting, away)


def _collector(folder: Path, name: str, rejecting: ScriptedBackend, away: ScriptedBackend) -> DurableCollector:
    mine = folder / name
    mine.mkdir()
    if name == MAIN:
        return DurableCollector(mine, {"otlp_http": {"endpoint": rejecting.endpoint}})
    if name == STUCK:
        queue = {"queue_size_bytes": 8192}
        retry = {"initial_interval": "100ms", "max_interval": "200ms", "max_elapsed_time": 0}
        return DurableCollector(
            mine, {"otlp_http": {"endpoint": away.endpoint, "retry_on_failure": retry, "sending_queue": queue}}
        )
    if name == OLD:
        table = table_of(hours_of("DEU", RETRIEVED.date(), {0: 300.0}))
        path = written_table(folder / "grid-table.csv", table)
        return DurableCollector(mine, {}, carbon={"grid_table": str(path)}, command_prefix=clock(days=400))
    return DurableCollector(mine, {"otlp_http": durable_exporter(rejecting.endpoint)})


def clock(days: int) -> tuple[str, ...]:
    """What runs a program so many days after the month of the bundled registry began."""
    library = libfaketime()
    require_component("libfaketime", found=library is not None, hint="apt-get install faketime")
    began = month_of(Registry.bundled().version)
    assert began is not None
    moment = (began + timedelta(days=days)).strftime("@%Y-%m-%d %H:%M:%S")
    return ("env", f"LD_PRELOAD={library}", f"FAKETIME={moment}", "FAKETIME_DONT_FAKE_MONOTONIC=1", "TZ=UTC")


def _rule_files(folder: Path) -> list[Path]:
    rules = folder / "rules"
    rules.mkdir()
    for path in (RECORDING_RULES, ALERTING_RULES):
        (rules / path.name).write_text(shortened_text(document(path), FACTOR), encoding="utf-8")
    return [*sorted(rules.iterdir()), _write_budget_rules(folder, BUDGET_CALLS)]


def _write_budget_rules(folder: Path, calls: int) -> Path:
    budgets, rules = folder / "budgets.yaml", folder / "budget-rules.yaml"
    budgets.write_text(_BUDGETS.format(amount=calls * TOKENS), encoding="utf-8")
    rules.write_text(rules_text(read_budgets(budgets).budgets, datetime.now(UTC)), encoding="utf-8")
    rules.write_text(shortened_text(document(rules), FACTOR), encoding="utf-8")
    return rules
