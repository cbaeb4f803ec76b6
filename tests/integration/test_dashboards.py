"""Every query of every dashboard, asked of a real Prometheus that scrapes our collector and evaluates our rules."""

from __future__ import annotations

import math
import time
import urllib.parse
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_carbon.budgets.promql import SETTLED_S
from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.rules import rules_text
from tests.support.components import require_prometheus, require_prometheus3
from tests.support.dashboard_files import dashboard_files, label_values_queries, queries_of, with_variables
from tests.support.dashboard_traffic import EACH_STANDS_FOR, SAMPLED_CALLS, collector_config, send_traffic
from tests.support.grid_tables import hours_of, table_of, written_table
from tests.support.otlp_sink import running_otlp_sink
from tests.support.prometheus_history import write_history
from tests.support.prometheus_server import running_prometheus
from tests.support.waiting import wait_until
from tests.support.written_collector import running_written_collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.dashboard_files import PanelQuery
    from tests.support.otlp_sink import OtlpSink
    from tests.support.prometheus_server import PrometheusServer

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "rules" / "otel-carbon.yaml"
DASHBOARDS = dashboard_files()
QUERIES = [query for name, dashboard in DASHBOARDS.items() for query in queries_of(name, dashboard)]
TRACE_LABEL = "trace_id"
"""What `exemplarTraceIdDestinations` of the provisioned data source reads."""
BUILT_IN = {"__range": "600s", "__rate_interval": "30s", "__interval": "1s"}
"""What Grafana would put there for the last ten minutes, at a scrape every quarter of a second."""
INTERVAL_S = 5
"""Of the rules, instead of a minute."""
INTERVAL_OF_RULES_S = 60
BUDGETS = f"""\
interval: {INTERVAL_S}s
budgets:
  - {{name: everything, owner: sustainability, scope: {{}}, amount: 1, unit: gCO2e, window: month}}
  - {{name: research, owner: team, scope: {{service: research-agents}}, amount: 1000000000, unit: tokens, window: day}}
"""
FORECAST_NEEDS_S = 360
"""A tenth of the hour that the pace of a day is taken over."""
HELD = "sum(otel_carbon_collector_hold_size)"
KNOWN = (
    "otel_carbon_dropped_series_total"
    f" and on () last_over_time(otel_carbon_dropped_series_total[1h] offset {INTERVAL_S + SETTLED_S + 1}s)"
)


@dataclass(frozen=True, slots=True)
class Running:
    """A Prometheus that has seen all of the traffic, and the backend that the traces went to."""

    prometheus: PrometheusServer
    backend: OtlpSink


@pytest.fixture(scope="module", params=[require_prometheus, require_prometheus3], ids=["installed", "current"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program = request.param()
    folder = tmp_path_factory.mktemp("dashboards")
    with ExitStack() as stack:
        sink = stack.enter_context(running_otlp_sink())
        table = written_table(folder / "grid.csv", table_of(hours_of("SE", date(2026, 11, 22), {0: 20.0})))
        config = collector_config(sink.http_endpoint, str(table))
        collector = stack.enter_context(running_written_collector(config, folder))
        home = tmp_path_factory.mktemp("prometheus")
        write_history(home / "tsdb", minutes_without_calls(folder / "before.txt"))
        server = stack.enter_context(running_prometheus(home, rule_files(folder), program))
        server.scrape({"collector": urllib.parse.urlsplit(collector.metrics_url).netloc})
        wait_until(lambda: server.query(KNOWN), timeout_s=30, what="target that the rules know")
        for seed in (1, 2):
            send_traffic(collector.http_endpoint, seed)
            server.wait_for_fresh_scrape()
            wait_until(lambda: server.value(HELD) == 0, timeout_s=30, what="decision on all that was held")
            server.wait_for_fresh_scrape()
        wait_for_rules(server)
        yield Running(server, sink)


@pytest.fixture
def prometheus(running: Running) -> PrometheusServer:
    return running.prometheus


def rule_files(folder: Path) -> tuple[Path, ...]:
    """Our recording rules, evaluated every few seconds instead of each minute, and those of budgets."""
    recording, budgets, budget_rules = (folder / name for name in ("recording.yaml", "budgets.yaml", "rules.yaml"))
    recording.write_text(faster(RULES.read_text(encoding="utf-8")), encoding="utf-8")
    budgets.write_text(BUDGETS, encoding="utf-8")
    budget_rules.write_text(rules_text(read_budgets(budgets).budgets, datetime.now(UTC)), encoding="utf-8")
    return recording, budget_rules


def faster(rules: str) -> str:
    """The recording rules with another interval."""
    whole = INTERVAL_OF_RULES_S + SETTLED_S
    assert "interval: 1m" in rules
    assert f"offset {whole}s" in rules
    rules = rules.replace(f"offset {whole}s", f"offset {INTERVAL_S + SETTLED_S}s")
    return rules.replace("interval: 1m", f"interval: {INTERVAL_S}s")


def minutes_without_calls(path: Path) -> Path:
    """What the rules of a budget record while nothing is called, for as long as a forecast needs."""
    start_s = int(time.time()) - FORECAST_NEEDS_S
    series = 'otel_carbon_budget:increase{budget="research",unit="tokens"}'
    lines = (f"{series} 0 {start_s + age_s}\n" for age_s in range(0, FORECAST_NEEDS_S, INTERVAL_S))
    path.write_text("".join((*lines, "# EOF\n")), encoding="utf-8")
    return path


def missing(server: PrometheusServer) -> list[str]:
    """What the rules have not evaluated yet of all that was counted."""
    found = []
    for counter, recorded, factor in (
        ("otel_carbon_tokens_total", "otel_carbon:tokens:increase1m", 1),
        ("otel_carbon_emissions_low_grams_total", "otel_carbon:emissions_low_kilograms:increase1m", 1000),
    ):
        counted = server.value(f"sum({counter})")
        grown = server.value(f"sum(sum_over_time({recorded}[600s])) * {factor}")
        if counted is None or grown != pytest.approx(counted):
            found.append(f"{recorded} is {grown} of {counted}")
    others = (
        "otel_carbon_budget_forecast",
        'otel_carbon_budget_used{budget="research"} > 0',
        'ALERTS{alertname="OtelCarbonBudgetThreshold",alertstate="firing"}',
    )
    return found + [each for each in others if not server.query(each)]


def wait_for_rules(server: PrometheusServer) -> None:
    """Return when the rules have recorded all that was counted, and the alert of the spent budget fires."""
    last: list[str] = []

    def all_there() -> bool:
        last[:] = missing(server)
        return not last

    try:
        wait_until(all_there, timeout_s=60, what="evaluation of the last scrape")
    except TimeoutError as late:
        raise TimeoutError(f"{late}; missing: {last}") from None


def expression_of(query: PanelQuery, values: Mapping[str, str] | None = None) -> str:
    return with_variables(query.expression, DASHBOARDS[query.dashboard], BUILT_IN | dict(values or {}))


def answers(server: PrometheusServer, query: PanelQuery) -> list[float]:
    """Every value that the panel would get, asked for as Grafana asks."""
    now = time.time()
    parameters = {"query": expression_of(query)}
    if query.instant:
        found = server.api("/api/v1/query?" + urllib.parse.urlencode(parameters | {"time": str(now)}))["result"]
        return [float(each["value"][1]) for each in found]
    window = {"start": str(now - 60), "end": str(now), "step": "5"}
    found = server.api("/api/v1/query_range?" + urllib.parse.urlencode(parameters | window))["result"]
    return [float(value) for each in found for _, value in each["values"]]


def of_panel(dashboard: str, panel: str, legend: str = "", **values: str) -> str:
    """The expression of the query of a panel whose series has a legend."""
    (found,) = (
        query
        for query in QUERIES
        if (query.dashboard, query.panel) == (dashboard, panel) and legend in (query.legend, "")
    )
    return expression_of(found, values)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_query_returns_data(prometheus: PrometheusServer, query: PanelQuery) -> None:
    found = answers(prometheus, query)
    assert found, expression_of(query)
    assert any(math.isfinite(value) for value in found), found


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_lists_values(prometheus: PrometheusServer, name: str) -> None:
    for variable, (series, label) in label_values_queries(DASHBOARDS[name]).items():
        match = urllib.parse.urlencode({"match[]": with_variables(series, DASHBOARDS[name], BUILT_IN)})
        assert prometheus.api(f"/api/v1/label/{label}/values?{match}"), variable


def test_totals_are_those_of_the_counters_and_their_range_is_in_order(prometheus: PrometheusServer) -> None:
    for panel, counter, per_unit in (
        ("CO2e", "otel_carbon_emissions{}_grams_total", 1),
        ("Energy", "otel_carbon_energy{}_joules_total", 3600),
        ("Water", "otel_carbon_water{}_L_total", 1),
    ):
        shown = [prometheus.value(of_panel("overview", panel, bound)) for bound in ("low", "mid", "high")]
        counted = [prometheus.value(f"sum({counter.format(bound)})") for bound in ("_low", "", "_high")]
        assert shown == pytest.approx([value / per_unit for value in counted if value is not None], rel=1e-9)
        assert shown == sorted(value for value in shown if value is not None)


def test_this_month_is_the_same_query_over_a_range_of_its_own(prometheus: PrometheusServer) -> None:
    month = of_panel("overview", "CO2e this month", "mid", __range="2592000s")
    assert prometheus.value(month) == prometheus.value(of_panel("overview", "CO2e", "mid"))


def test_coverage_is_the_share_of_calls_with_a_figure(prometheus: PrometheusServer) -> None:
    estimated = prometheus.value('sum(otel_carbon_operations_total{otel_carbon_status="estimated"})')
    every = prometheus.value("sum(otel_carbon_operations_total)")
    assert estimated is not None
    assert every is not None
    assert 0 < estimated < every
    assert prometheus.value(of_panel("quality", "Coverage")) == pytest.approx(estimated / every)


def test_a_zone_that_stands_in_for_a_region_is_no_named_region(prometheus: PrometheusServer) -> None:
    by_region = prometheus.query("sum by (otel_carbon_region) (otel_carbon_energy_joules_total)")
    energy = {each.labels["otel_carbon_region"]: each.value for each in by_region}
    stand_ins = {region for region in energy if region.startswith("mix-") or region.isupper()}
    assert {"mix-openai", "WOR", "FRA"} <= stand_ins
    assert {"eu-central-1", "swedencentral", "us-central1"} <= energy.keys() - stand_ins
    named = sum(energy[region] for region in energy.keys() - stand_ins) / sum(energy.values())
    assert prometheus.value(of_panel("regions", "Energy in a named region")) == pytest.approx(named)


def test_what_a_variable_chooses_adds_up_to_all(prometheus: PrometheusServer) -> None:
    every = prometheus.value(of_panel("overview", "Calls"))
    for variable, (_, label) in label_values_queries(DASHBOARDS["overview"]).items():
        values = [
            each.labels.get(label, "")
            for each in prometheus.query(f"count by ({label}) (otel_carbon_operations_total)")
        ]
        parts = [prometheus.value(of_panel("overview", "Calls", **{variable: value})) for value in values]
        assert len(parts) > 1, variable
        assert sum(part or 0 for part in parts) == every, variable


def test_models_add_up_to_the_total_and_their_changes_too_when_nothing_was_before(prometheus: PrometheusServer) -> None:
    total = prometheus.value(of_panel("overview", "CO2e", "mid"))
    change = of_panel("models", "Change of CO2e against the range before").replace("topk(10,", "topk(1000,")
    assert sum(each.value for each in prometheus.query(change)) == pytest.approx(total, rel=1e-9)


def test_a_call_dropped_by_sampling_is_shown_beside_the_total(prometheus: PrometheusServer) -> None:
    unseen = prometheus.value("sum(otel_carbon_sampling_unseen_operations_total)")
    assert unseen == 2 * SAMPLED_CALLS * (EACH_STANDS_FOR - 1)
    shown = prometheus.value(of_panel("quality", "Dropped by trace sampling", "calls"))
    assert shown is not None
    assert SAMPLED_CALLS * (EACH_STANDS_FOR - 1) <= shown <= 1.5 * unseen  # increase() misses the first, and stretches


def test_a_budget_that_is_spent_and_one_that_is_not_are_told_apart(prometheus: PrometheusServer) -> None:
    left = {each.labels["budget"]: each.value for each in prometheus.query(of_panel("overview", "Budget left"))}
    used = prometheus.value('otel_carbon_budget_used{budget="everything"}')
    assert used is not None
    assert left["everything"] == pytest.approx(1 - used)
    assert used > 1
    research = prometheus.value('otel_carbon_budget_used{budget="research"}')
    assert research is not None
    assert left["research"] == pytest.approx(1 - research / 1e9)


def test_a_backend_that_is_away_is_failing_and_what_came_for_it_is_given_up_or_refused(
    prometheus: PrometheusServer,
) -> None:
    assert prometheus.value(of_panel("collector", "Failing backends")) == 1
    for legend in ("given up", "refused by a full queue"):
        found = prometheus.value(of_panel("collector", "Given up, or refused by a full queue", legend))
        assert found is not None
        assert found > 0, legend


@pytest.mark.parametrize("query", [query for query in QUERIES if query.exemplars], ids=str)
def test_points_lead_to_traces_that_the_backend_has(running: Running, query: PanelQuery) -> None:
    known = {each.span.trace_id.hex() for each in running.backend.spans()}
    found = {each.labels[TRACE_LABEL] for each in running.prometheus.exemplars(expression_of(query))}
    assert found
    assert found <= known


def test_without_any_data_no_query_fails(prometheus_server: PrometheusServer) -> None:
    for query in QUERIES:
        assert all(math.isfinite(value) and value == 0 for value in answers(prometheus_server, query)), query
