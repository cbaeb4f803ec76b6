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

from tests.endtoend.overspending import BUDGET, IN_PROCESS, THROUGH_COLLECTOR, UNIT, Overspending, overspent
from tests.support.otlp_sink import running_otlp_sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.model_server import ModelServer
    from tests.support.otlp_sink import OtlpSink

SOON_S = 30.0


@pytest.fixture(scope="module")
def trace_backend() -> Iterator[OtlpSink]:
    with running_otlp_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def overspending(
    model_server: ModelServer, trace_backend: OtlpSink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Overspending]:
    with overspent(tmp_path_factory.mktemp("deployment"), model_server, trace_backend.http_endpoint) as seen:
        yield seen


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
