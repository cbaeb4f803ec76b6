"""A budget that two applications overspend: everything that is deployed, and what was seen while it happened."""

from __future__ import annotations

import json
import math
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.alertmanager_server import running_alertmanager
from tests.support.client_app import ClientApp, ClientAppSettings, running_client_app
from tests.support.collector_process import COMMAND
from tests.support.deployed import (
    DeployedCollector,
    alertmanager_config,
    budgets_text,
    prometheus_config,
    running_deployed_collector,
)
from tests.support.prometheus_files import ALERTING_RULES, RECORDING_RULES
from tests.support.prometheus_history import write_history
from tests.support.prometheus_server import PrometheusServer, prometheus_with
from tests.support.waiting import wait_until
from tests.support.webhook import FIRING, RESOLVED, Webhook, running_webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.model_server import ModelServer

IN_PROCESS, THROUGH_COLLECTOR = "in-process", "through-collector"
BUDGET = "all-inference"
"""That of the committed file which is about all calls."""
UNIT = "gCO2e"
_CALLS = ("openai_plain", "openai_long_prompt", "anthropic_plain")
_ROUNDS_OVER = 3
"""Rounds of calls that are surely more than half of the first one, although prompts come from the cache by then."""
_FAR_AWAY = 1e6
_INTERVAL_S = 10
"""Of the committed budgets."""
_TIMEOUT_S = 120.0
THRESHOLD = "OtelCarbonBudgetThreshold"


@dataclass
class Deployment:
    """All that runs."""

    folder: Path
    applications: dict[str, ClientApp]
    collector: DeployedCollector
    prometheus: PrometheusServer
    webhook: Webhook

    def call(self) -> None:
        """Have each application call the model a few times, and send its spans."""
        for application in self.applications.values():
            for name in _CALLS:
                application.make_call(name)
            application.export()

    def used(self) -> float:
        """What the budget has used, in its unit; 0 before any call."""
        return self.prometheus.value(f'otel_carbon_budget_used{{budget="{BUDGET}",unit="{UNIT}"}}') or 0.0

    def counted(self) -> dict[str, float]:
        """What the counters of each job stand at, in the unit of the budget, which is about the upper bound."""
        found = self.prometheus.query("sum by (job) (otel_carbon_emissions_high_grams_total)")
        return {each.labels["job"]: each.value for each in found}

    def scrape_also(self, job: str, target: str) -> None:
        """Scrape another collector, too, in a job of its own that is set up like the first."""
        config = json.loads(self.prometheus.config_path.read_text(encoding="utf-8"))
        first = config["scrape_configs"][0]
        config["scrape_configs"].append({**first, "job_name": job, "static_configs": [{"targets": [target]}]})
        self.prometheus.config_path.write_text(json.dumps(config), encoding="utf-8")
        self.prometheus.reload()

    def limit(self, amount: float) -> None:
        """Give the budget another limit, as its owner would: change the file, make the rules, reload."""
        write_budget_rules(self.folder, amount)
        self.prometheus.reload()


@contextmanager
def running_deployment(folder: Path, model_server: ModelServer, trace_backend: str) -> Iterator[Deployment]:
    """Start all of it from the committed files."""
    with ExitStack() as stack:
        webhook = stack.enter_context(running_webhook())
        collector = stack.enter_context(running_deployed_collector(folder, trace_backend))
        settings = {
            service: ClientAppSettings(
                model_url=model_server.url,
                otlp_endpoint=collector.http_endpoint,
                carbon="before_exporter" if service == IN_PROCESS else "none",
                service_name=service,
            )
            for service in (IN_PROCESS, THROUGH_COLLECTOR)
        }
        applications = {
            service: stack.enter_context(running_client_app(each, folder)) for service, each in settings.items()
        }
        alertmanager = stack.enter_context(running_alertmanager(folder, json.dumps(alertmanager_config(webhook.url))))
        config = prometheus_config(
            {"otel-carbon": collector.metrics_target, "applications": applications[IN_PROCESS].metrics_target()},
            alertmanager=alertmanager.target,
            rule_files=[RECORDING_RULES, ALERTING_RULES, write_budget_rules(folder, _FAR_AWAY)],
        )
        write_history(folder / "tsdb", hours_without_calls(folder / "before.txt"))
        prometheus = stack.enter_context(prometheus_with(folder, json.dumps(config)))
        yield Deployment(folder, applications, collector, prometheus, webhook)


def hours_without_calls(path: Path) -> Path:
    """What the rules of the budget record while nothing is called, for a tenth of a week, as its forecast needs."""
    end_s = int(time.time()) - _INTERVAL_S
    series = f'otel_carbon_budget:increase{{budget="{BUDGET}",unit="{UNIT}"}}'
    ages_s = range(7 * 86_400 // 10, 0, -_INTERVAL_S)
    path.write_text("".join(f"{series} 0 {end_s - age_s}\n" for age_s in ages_s) + "# EOF\n", encoding="utf-8")
    return path


def write_budget_rules(folder: Path, amount: float) -> Path:
    """The rules of the committed budgets, made by the command, with another limit for the one about all calls."""
    budgets, rules = folder / "budgets.yaml", folder / "budget-rules.yaml"
    budgets.write_text(budgets_text(BUDGET, amount, UNIT), encoding="utf-8")
    command: list[str | Path] = [COMMAND, "budget", "rules", budgets, "--output", rules]
    subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)
    return rules


@dataclass(frozen=True)
class Overspending:
    """What was seen: the alert, how long it took, and that it ended."""

    deployment: Deployment
    limit: float
    before: list[dict[str, Any]]
    """What had been told before."""
    told: dict[str, Any]
    took_s: float
    resolved: dict[str, Any]


@contextmanager
def overspent(folder: Path, model_server: ModelServer, trace_backend: str) -> Iterator[Overspending]:
    """Call until the budget is spent, wait for the alert, raise the budget, wait for its end."""
    with running_deployment(folder, model_server, trace_backend) as deployment:
        known = "count(last_over_time(otel_carbon_dropped_series_total[5m] offset 10s)) == 2"
        wait_until(lambda: deployment.prometheus.query(known), timeout_s=_TIMEOUT_S, what="targets that the rules know")
        deployment.call()
        wait_until(lambda: len(deployment.counted()) == 2, timeout_s=_TIMEOUT_S, what="calls of both applications")
        calls_gco2e = sum(deployment.counted().values())
        wait_until(
            lambda: math.isclose(deployment.used(), calls_gco2e, rel_tol=1e-9),
            timeout_s=_TIMEOUT_S,
            what="the same in the budget",
        )
        limit = float(f"{1.5 * calls_gco2e:.3g}")
        deployment.limit(limit)
        before = list(deployment.webhook.told)
        for _ in range(_ROUNDS_OVER):
            deployment.call()
        began_s = time.monotonic()
        told = deployment.webhook.wait_for(THRESHOLD, FIRING, timeout_s=_TIMEOUT_S, threshold="1")
        took_s = time.monotonic() - began_s
        deployment.limit(_FAR_AWAY)
        resolved = deployment.webhook.wait_for(THRESHOLD, RESOLVED, timeout_s=_TIMEOUT_S, threshold="1")
        yield Overspending(deployment, limit, before, told, took_s, resolved)
