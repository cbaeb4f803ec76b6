"""Two applications overspend a budget: what is told, and that page, dashboards and counters say the same.

A real model answers them, one with our processor inside and one through the collector. Collector, Prometheus,
Alertmanager and budgets are set up by the committed deploy files.
"""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.endtoend.overspending import BUDGET, IN_PROCESS, THROUGH_COLLECTOR, UNIT, Overspending, overspent
from tests.integration.collector_under_test import counter
from tests.support.clients import client_program, is_installed
from tests.support.dashboard_files import dashboard_files, queries_of, with_variables
from tests.support.dashboard_traffic import collector_config, send_traffic
from tests.support.grid_tables import hours_of, table_of, written_table
from tests.support.otlp_sink import running_otlp_sink
from tests.support.phoenix_server import CLIENT, Phoenix, running_phoenix
from tests.support.waiting import wait_until
from tests.support.written_collector import running_written_collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.model_server import ModelServer
    from tests.support.otlp_sink import OtlpSink
    from tests.support.prometheus_server import PrometheusServer
    from tests.support.written_collector import WrittenCollector

SOON_S = 30.0
RECORDED_WITHIN_S = 180.0
DASHBOARDS = dashboard_files()
QUERIES = [query for name, dashboard in DASHBOARDS.items() for query in queries_of(name, dashboard)]
FIRES = 'ALERTS{alertname="OtelCarbonBudgetThreshold",alertstate="firing"}'
SAMPLES = "samples"
BUILT_IN = {"__range": "1h", "__rate_interval": "5m", "__interval": "15s"}
"""What Grafana would put there for the last hour."""


@pytest.fixture(scope="module")
def trace_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix | OtlpSink]:
    """Phoenix where it is installed; only one test asks it for anything."""
    if is_installed(CLIENT):
        with running_phoenix(tmp_path_factory.mktemp("phoenix")) as phoenix:
            yield phoenix
    else:
        with running_otlp_sink() as sink:
            yield sink


@pytest.fixture(scope="module")
def overspending(
    model_server: ModelServer, trace_backend: Phoenix | OtlpSink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Overspending]:
    with overspent(tmp_path_factory.mktemp("deployment"), model_server, trace_backend.http_endpoint) as seen:
        yield seen


@pytest.fixture(scope="module")
def with_samples(
    overspending: Overspending, trace_backend: Phoenix | OtlpSink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """The same Prometheus once it has a collector with one of everything beside, and an alert that fires."""
    folder, deployment = tmp_path_factory.mktemp("samples"), overspending.deployment
    prometheus = deployment.prometheus
    table = written_table(folder / "grid.csv", table_of(hours_of("SE", date(2026, 11, 22), {0: 20.0})))
    with running_written_collector(collector_config(trace_backend.http_endpoint, str(table)), folder) as collector:
        deployment.scrape_also(SAMPLES, urllib.parse.urlsplit(collector.metrics_url).netloc)
        known = f'last_over_time(otel_carbon_dropped_series_total{{job="{SAMPLES}"}}[5m] offset 70s)'
        wait_until(lambda: prometheus.query(known), timeout_s=RECORDED_WITHIN_S, what="collector that the rules know")
        for seed in (1, 2):
            send_traffic(collector.http_endpoint, seed)
            wait_until(lambda: scraped_all(prometheus, collector), timeout_s=60, what="scrape of all calls")
        deployment.limit(overspending.limit)  # so that an alert fires again
        wait_until(lambda: recorded_all(prometheus), timeout_s=RECORDED_WITHIN_S, what="all calls in the rules")
        wait_until(lambda: prometheus.query(FIRES), timeout_s=60, what="firing alert")
        yield prometheus


def scraped_all(prometheus: PrometheusServer, collector: WrittenCollector) -> bool:
    counted = counter(collector.metrics(), "otel_carbon_operations_total")
    return prometheus.value(f'sum(otel_carbon_operations_total{{job="{SAMPLES}"}})') == counted


def recorded_all(prometheus: PrometheusServer) -> bool:
    counted = prometheus.value(f'sum(otel_carbon_operations_total{{job="{SAMPLES}"}})')
    recorded = prometheus.value(f'sum(otel_carbon:operations:increase1h{{job="{SAMPLES}"}})')
    return counted is not None and recorded == pytest.approx(counted)


def test_nothing_is_told_before_the_budget_is_spent(overspending: Overspending) -> None:
    assert overspending.before == []


def test_the_alert_arrives_soon(overspending: Overspending) -> None:
    assert overspending.took_s < SOON_S


def test_the_alert_names_scope_limit_and_amount(overspending: Overspending) -> None:
    labels, annotations = overspending.told["labels"], overspending.told["annotations"]
    assert (labels["budget"], labels["severity"], labels["owner"]) == (BUDGET, "page", "sustainability")
    assert annotations["scope"] == "all calls"
    assert annotations["limit"] == f"{overspending.limit:g} {UNIT}"
    amount = re.fullmatch(rf"([0-9.e-]+) {UNIT}", annotations["used"])
    assert amount is not None
    # As of the alert; what came in later made it at most what it is now. Four digits are told.
    used = overspending.deployment.used()
    assert overspending.limit * 0.999 <= float(amount[1]) <= used * 1.001
    assert annotations["description"].startswith(f"{annotations['used']} of {annotations['limit']} used, modelled")


def test_it_resolves_once_the_budget_is_raised(overspending: Overspending) -> None:
    assert overspending.resolved["status"] == "resolved"
    assert overspending.resolved["fingerprint"] == overspending.told["fingerprint"]


def test_the_budget_has_used_what_both_applications_called(overspending: Overspending) -> None:
    counted = overspending.deployment.counted()
    assert sorted(counted) == ["applications", "otel-carbon"]
    wait_until(
        lambda: overspending.deployment.used() == pytest.approx(sum(counted.values()), rel=1e-9),
        timeout_s=60,
        what=f"use of {sum(counted.values())}",
    )


def test_each_application_is_counted_in_one_place(overspending: Overspending) -> None:
    query = "sum by (job, service_name) (otel_carbon_operations_total)"
    found = {
        (each.labels["job"], each.labels["service_name"]) for each in overspending.deployment.prometheus.query(query)
    }
    assert found == {("applications", IN_PROCESS), ("otel-carbon", THROUGH_COLLECTOR)}


def test_page_totals_equal_promql_totals(overspending: Overspending) -> None:
    with urllib.request.urlopen(f"http://{overspending.deployment.collector.metrics_target}/api/totals") as answer:
        month = json.load(answer)["month"]
    for amount, (name, per_unit) in {
        "energy_kwh": ("energy{}_joules", 3_600_000),
        "emissions_gco2e": ("emissions{}_grams", 1),
        "water_l": ("water{}_L", 1),
    }.items():
        for bound, part in {"low": "_low", "mid": "", "high": "_high"}.items():
            query = f'sum(otel_carbon_{name.format(part)}_total{{job="otel-carbon"}})'
            total = overspending.deployment.prometheus.value(query)
            assert total is not None
            assert total > 0
            assert month[amount][bound] == pytest.approx(total / per_unit, rel=1e-6), (amount, bound)


def test_the_trace_behind_an_exemplar_is_in_the_trace_backend(
    overspending: Overspending, trace_backend: Phoenix | OtlpSink
) -> None:
    client_program(CLIENT, "phoenix")
    assert isinstance(trace_backend, Phoenix)
    series = 'otel_carbon_emissions_grams_total{job="otel-carbon"}'
    exemplars = wait_until(
        lambda: overspending.deployment.prometheus.exemplars(series), timeout_s=30, what=f"exemplar of {series}"
    )
    behind = {each.labels["trace_id"] for each in exemplars}
    stored = wait_until(
        lambda: {span["context"]["trace_id"]: span for span in trace_backend.spans("default")},
        timeout_s=30,
        what="spans in the trace backend",
    )
    assert behind - stored.keys() == set()
    assert {stored[each]["attributes"]["otel_carbon.status"] for each in behind} <= {"estimated", "duplicate"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_of_a_dashboard_returns_data(name: str, with_samples: PrometheusServer) -> None:
    queries = [query for query in QUERIES if query.dashboard == name]
    expressions = {str(query): with_variables(query.expression, DASHBOARDS[name], BUILT_IN) for query in queries}
    assert [query for query, promql in expressions.items() if not with_samples.query(promql)] == []
