"""The committed dashboards are those of the generator, and hold the rules; each rule finds its offence."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.support.dashboard_files import FOLDER, dashboard_files, panels_of
from tests.support.dashboard_rules import offences
from tools import generate_dashboards, generated_page

if TYPE_CHECKING:
    from pathlib import Path

COMMITTED = dashboard_files()
PROVISIONING = FOLDER.parent / "provisioning"
SERIES = "otel_carbon_operations_total"


@pytest.mark.parametrize("name", COMMITTED)
def test_a_dashboard_holds_the_rules(name: str) -> None:
    assert offences(name, COMMITTED[name], COMMITTED) == []


def test_the_committed_dashboards_are_what_the_generator_makes() -> None:
    assert generate_dashboards.main(["--check"]) == 0
    assert {board.name for board in generate_dashboards.boards()} == set(COMMITTED)


def test_an_edited_dashboard_is_found_out_of_date_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generated_page, "REPOSITORY", tmp_path)
    assert generate_dashboards.main([]) == 0
    edited = tmp_path / "deploy/grafana/dashboards/overview.json"
    edited.write_text(edited.read_text(encoding="utf-8").replace("Overview", "Edited"), encoding="utf-8")
    capsys.readouterr()

    assert generate_dashboards.main(["--check"]) == 1
    assert capsys.readouterr().out == (
        "deploy/grafana/dashboards/overview.json: out of date; run python tools/generate_dashboards.py\n"
    )
    assert generate_dashboards.main([]) == 0
    assert generate_dashboards.main(["--check"]) == 0


def test_every_dashboard_filters_calls_by_the_same_variables_or_collectors() -> None:
    calls = ["datasource", "traces", "environment", "service", "tenant", "provider", "model", "region"]
    named = {name: [each["name"] for each in one["templating"]["list"]] for name, one in COMMITTED.items()}
    assert named.pop("collector") == ["datasource", "traces", "job", "instance"]
    assert set(map(tuple, named.values())) == {tuple(calls)}


def test_every_dashboard_links_to_all_others_with_range_and_variables() -> None:
    for dashboard in COMMITTED.values():
        (link,) = dashboard["links"]
        assert (link["type"], link["tags"], link["keepTime"], link["includeVars"]) == (
            "dashboards",
            ["otel-carbon"],
            True,
            True,
        )
        assert dashboard["tags"] == link["tags"]


def test_a_range_is_shown_with_all_three_figures() -> None:
    (panel,) = (each for each in panels_of(COMMITTED["overview"]) if each["title"] == "CO2e this month")
    assert panel["timeFrom"] == "now/M"
    assert [each["legendFormat"] for each in panel["targets"]] == ["low", "mid", "high"]
    (band,) = (each for each in panels_of(COMMITTED["overview"]) if each["title"] == "CO2e an hour")
    filled = {
        each["matcher"]["options"]: one["value"]
        for each in band["fieldConfig"]["overrides"]
        for one in each["properties"]
        if one["id"] == "custom.fillBelowTo"
    }
    assert filled == {"high": "low"}


def spoilt(expression: str = f"sum(rate({SERIES}[$__rate_interval]))", **changes: Any) -> dict[str, Any]:
    """A sound dashboard of one panel, with changes to the panel."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    target = {"datasource": source, "expr": expression, "legendFormat": "calls", "refId": "A"}
    panel = {
        "id": 1,
        "type": "timeseries",
        "title": "Calls",
        "description": "Calls.",
        "datasource": source,
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": 8},
        "fieldConfig": {"defaults": {"unit": "short", "noValue": "None"}},
        "targets": [target],
    }
    variables = [{"name": "datasource"}, {"name": "model", "allValue": ".*"}]
    return {"uid": "u", "templating": {"list": variables}, "panels": [panel | changes]}


def found(dashboard: dict[str, Any]) -> list[str]:
    return offences("d", dashboard, {"d": dashboard})


def test_a_sound_dashboard_has_no_offence() -> None:
    assert found(spoilt()) == []


@pytest.mark.parametrize(
    ("dashboard", "offence"),
    [
        (spoilt(datasource={"uid": "prometheus-1"}), "Calls: its data source is not the variable"),
        (spoilt(fieldConfig={"defaults": {"noValue": "None"}}), "Calls: no unit"),
        (spoilt(fieldConfig={"defaults": {"unit": "short"}}), "Calls: nothing is said when it is empty"),
        (spoilt(description="Calls"), "Calls: no description in sentences"),
        (
            spoilt("sum(rate(otel_carbon_water_L_total[5m]))"),
            "Calls: the description does not say that the figures are modelled",
        ),
        (spoilt("sum("), "Calls A: unclosed left parenthesis"),
        (spoilt("sum(rate(otel_carbon_call_total[5m]))"), "Calls A: there is no series otel_carbon_call_total"),
        (spoilt(f'sum(rate({SERIES}{{modle="a"}}[5m]))'), f"Calls A: {SERIES} has no label modle"),
        (spoilt(f"sum({SERIES})"), f"Calls A: {SERIES} is a counter, and is asked for its sum since the start"),
        (
            spoilt(f"sum_over_time({SERIES}[5m])"),
            f"Calls A: {SERIES} is a counter, and is asked for its sum since the start",
        ),
        (
            spoilt("rate(otelcol_exporter_queue_size[5m])"),
            "Calls A: otelcol_exporter_queue_size is no counter, but rate() is taken of it",
        ),
        (spoilt(f"sum by (owner) (rate({SERIES}[5m]))"), "Calls A: owner is kept, but is on no series below"),
        (spoilt(f'sum(rate({SERIES}{{job="$job"}}[5m]))'), "Calls A: unknown variable 'job'"),
        (spoilt(gridPos={"x": 13, "y": 0, "w": 12, "h": 8}), "Calls: reaches beyond the right edge"),
        (spoilt(description="As measured."), "says 'measured'"),
        (
            spoilt(links=[{"url": "/d/u?var-tenant=x"}]),
            "the link /d/u?var-tenant=x leads to no variable of a dashboard",
        ),
        (spoilt(links=[{"url": "https://example.org"}]), "the link https://example.org leads out of Grafana"),
    ],
)
def test_each_rule_finds_its_offence(dashboard: dict[str, Any], offence: str) -> None:
    (said,) = found(dashboard)
    assert said == f"d: {offence}"


def test_a_legend_is_there_and_names_labels_that_the_query_keeps() -> None:
    for legend, offence in (
        ("", "no legend"),
        ("{{gen_ai_response_model}}", "the legend names gen_ai_response_model, which the query does not keep"),
    ):
        dashboard = spoilt()
        dashboard["panels"][0]["targets"][0]["legendFormat"] = legend
        assert found(dashboard) == [f"d: Calls A: {offence}"]


def test_panels_neither_overlap_nor_share_an_id() -> None:
    dashboard = spoilt()
    dashboard["panels"].append(copy.deepcopy(dashboard["panels"][0]))
    assert found(dashboard) == ["d: two panels have one id", "d: Calls and Calls overlap"]


def test_provisioning_names_the_data_sources_that_the_dashboards_choose_from() -> None:
    sources = YAML(typ="safe").load(PROVISIONING / "datasources/otel-carbon.yaml")["datasources"]
    (traces,) = (each for each in sources if each["type"] == "jaeger")
    (metrics,) = (each for each in sources if each["type"] == "prometheus")
    (destination,) = metrics["jsonData"]["exemplarTraceIdDestinations"]
    assert destination == {"name": "trace_id", "datasourceUid": traces["uid"]}

    chosen = [each for each in COMMITTED["overview"]["templating"]["list"] if each["type"] == "datasource"]
    assert [each["query"] for each in chosen] == ["prometheus", "jaeger"]


def test_provisioned_dashboards_cannot_be_edited_in_place() -> None:
    (provider,) = YAML(typ="safe").load(PROVISIONING / "dashboards/otel-carbon.yaml")["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
    assert [dashboard["editable"] for dashboard in COMMITTED.values()] == [False] * len(COMMITTED)
