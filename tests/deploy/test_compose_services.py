"""compose.yaml with real programs: sample traffic is counted, traced, scraped and alerted on by its own files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.compose_services import composed
from tests.support.deploy_files import DEPLOY, documents
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.compose_services import ComposedServices

TIMEOUT_S = 90.0
SERVICES = ("alert-webhook", "alertmanager", "jaeger", "collector", "prometheus", "sample-traffic")
"""All of the file but Grafana, which cannot be had as a program here."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedServices]:
    with composed(tmp_path_factory.mktemp("compose"), *SERVICES) as services:
        yield services


def get(url: str, **parameters: str) -> Any:
    """The JSON at an address; None while nobody answers there."""
    try:
        return httpx.get(url, params=parameters, timeout=10).raise_for_status().json()
    except (httpx.TransportError, httpx.HTTPStatusError):
        return None


def prometheus(running: ComposedServices, path: str, **parameters: str) -> Any:
    answer = get(running.url("prometheus", 9090) + "/api/v1/" + path, **parameters)
    return answer and answer["data"]


def value(running: ComposedServices, promql: str) -> float:
    """The one value of a query; 0 while there is none."""
    answer = prometheus(running, "query", query=promql)
    return float(answer["result"][0]["value"][1]) if answer and answer["result"] else 0.0


def test_prometheus_sees_the_calls_of_the_sample_services(running: ComposedServices) -> None:
    wait_until(
        lambda: value(running, 'sum(otel_carbon_operations_total{job="otel-carbon"})') > 0,
        timeout_s=TIMEOUT_S,
        what="scraped calls",
    )
    assert value(running, 'sum(otel_carbon_emissions_grams_total{deployment_environment_name="demo"})') > 0


def test_every_rule_of_ours_and_of_the_budgets_is_evaluated(running: ComposedServices) -> None:
    def rules() -> list[Any]:
        data = prometheus(running, "rules")
        found = [rule for group in data["groups"] for rule in group["rules"]] if data else []
        return found if found and all(rule["health"] != "unknown" for rule in found) else []

    found = wait_until(rules, timeout_s=TIMEOUT_S, what="evaluated rules")
    assert {rule["health"] for rule in found} == {"ok"}
    names = {rule["name"] for rule in found}
    assert {"otel_carbon:emissions_kilograms:increase1h", "otel_carbon_budget_limit", "OtelCarbonCoverageDrop"} <= names


def test_prometheus_has_found_the_alertmanager(running: ComposedServices) -> None:
    def active() -> list[Any]:
        data = prometheus(running, "alertmanagers")
        return data["activeAlertmanagers"] if data else []

    (found,) = wait_until(active, timeout_s=TIMEOUT_S, what="an Alertmanager")
    assert found["url"].startswith(running.url("alertmanager", 9093))


def test_an_alert_reaches_the_log_of_alerts_in_one_line(running: ComposedServices) -> None:
    alert = {
        "labels": {"alertname": "OtelCarbonBudgetThreshold", "severity": "page", "budget": "sample\nbudget"},
        "annotations": {"summary": "over its limit\nby 3 kg"},
        "startsAt": datetime.now(UTC).isoformat(),
    }
    url = running.url("alertmanager", 9093) + "/api/v2/alerts"
    assert httpx.post(url, json=[alert], timeout=10).status_code == 200
    line = r"firing: OtelCarbonBudgetThreshold: over its limit\nby 3 kg"
    log = running.processes["alert-webhook"]
    wait_until(lambda: line in log.stderr(), timeout_s=TIMEOUT_S, what="the alert's line")


def test_spans_with_footprints_are_in_jaeger(running: ComposedServices) -> None:
    jaeger = running.url("jaeger", 16686) + "/api/"

    def traces() -> list[Any]:
        services = (get(jaeger + "services") or {}).get("data") or []
        found = (get(jaeger + "traces", service=service, limit="20") for service in services)
        return [trace for answer in found if answer for trace in answer["data"]]

    def with_footprint() -> bool:
        tags = [tag for trace in traces() for span in trace["spans"] for tag in span["tags"]]
        return any(tag["key"] == "otel_carbon.emissions_gco2e" and tag["value"] > 0 for tag in tags)

    wait_until(with_footprint, timeout_s=TIMEOUT_S, what="spans with footprints")


def test_the_page_of_the_collector_shows_where_the_budgets_stand(running: ComposedServices) -> None:
    url = running.url("collector", 9464)
    assert "<title>" in httpx.get(url + "/").text
    wait_until(lambda: get(url + "/api/totals"), timeout_s=TIMEOUT_S, what="totals of the page")
    (budgets,) = documents((DEPLOY / "budgets.yaml").read_text(encoding="utf-8"))
    shown = json.dumps(get(url + "/api/totals"))
    assert [each["name"] for each in budgets["budgets"] if f'"{each["name"]}"' not in shown] == []


def test_what_waits_is_in_the_volume_of_the_collector(running: ComposedServices) -> None:
    running.wait_until_healthy("collector")
    assert (running.folder / "volumes/collector-data/queue.sqlite3").is_file()
