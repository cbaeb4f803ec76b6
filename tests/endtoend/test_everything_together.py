"""Two applications overspend a budget: what is told, and that page, dashboards and counters say the same.

A real model answers them, one with our processor inside and one through the collector. Collector, Prometheus,
Alertmanager and budgets are set up by the committed deploy files.
"""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from otel_carbon.demo.playback import play_service
from otel_carbon.demo.traffic import plan_traffic
from otel_carbon.registry.catalog import Registry
from tests.endtoend.overspending import BUDGET, IN_PROCESS, THROUGH_COLLECTOR, UNIT, Overspending, overspent
from tests.support.clients import client_program, is_installed
from tests.support.dashboard_files import dashboard_files, queries_of, with_variables
from tests.support.dashboard_traffic import LAST_DAY
from tests.support.otlp_sink import running_otlp_sink
from tests.support.phoenix_server import CLIENT, Phoenix, running_phoenix
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.model_server import ModelServer
    from tests.support.otlp_sink import OtlpSink
    from tests.support.prometheus_server import PrometheusServer

SOON_S = 30.0
RECORDED_WITHIN_S = 180.0
DASHBOARDS = dashboard_files()
QUERIES = [query for name, dashboard in DASHBOARDS.items() for query in queries_of(name, dashboard)]
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
def with_samples(overspending: Overspending) -> PrometheusServer:
    """The same Prometheus once it has recorded the calls of sample services, too, which have regions and tenants."""
    prometheus = overspending.deployment.prometheus
    for service in plan_traffic(LAST_DAY, seed=1, scale=0.03).services:
        play_service(service, f"{overspending.deployment.collector.http_endpoint}/v1/traces", Registry.bundled())
    wait_until(lambda: recorded_all(prometheus), timeout_s=RECORDED_WITHIN_S, what="all that was counted, in the rules")
    return prometheus


def recorded_all(prometheus: PrometheusServer) -> bool:
    samples = f'{{service_name!~"{IN_PROCESS}|{THROUGH_COLLECTOR}"}}'
    counted = prometheus.value(f"sum(otel_carbon_operations_total{samples})")
    recorded = prometheus.value(f"sum(otel_carbon:operations:increase1h{samples})")
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
    assert overspending.deployment.used() == pytest.approx(sum(counted.values()), rel=1e-9)


def test_each_application_is_counted_in_one_place(overspending: Overspending) -> None:
    query = "sum by (job, service_name) (otel_carbon_operations_total)"
    found = {
        (each.labels["job"], each.labels["service_name"]) for each in overspending.deployment.prometheus.query(query)
    }
    assert found == {("applications", IN_PROCESS), ("otel-carbon", THROUGH_COLLECTOR)}


def test_page_totals_equal_promql_totals(overspending: Overspending) -> None:
    with urllib.request.urlopen(f"http://{overspending.deployment.collector.metrics_target}/api/totals") as answer:
        month = json.load(answer)["month"]
    for amount, (counter, per_unit) in {
        "energy_kwh": ("energy{}_joules", 3_600_000),
        "emissions_gco2e": ("emissions{}_grams", 1),
        "water_l": ("water{}_L", 1),
    }.items():
        for bound, part in {"low": "_low", "mid": "", "high": "_high"}.items():
            query = f'sum(otel_carbon_{counter.format(part)}_total{{job="otel-carbon"}})'
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
