"""The overview: how much now and this month, how far the range goes, what is left of the budgets, what drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.dashboards import queries as q
from tools.dashboards.board import Board, Row, link_to
from tools.dashboards.budget_panels import budget_left, budget_table
from tools.dashboards.panels import NOTHING_RECORDED, Column, Frame, Query, stat_panel, table_panel, time_panel
from tools.dashboards.ranges import MODELLED, hour_band, pace_band, range_stat

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, table, timeseries

    from tools.dashboards.board import PanelBuilder

COVERAGE_STEPS = ((None, "red"), (0.8, "orange"), (0.95, "green"))
_MONTH = "now/M"


def overview() -> Board:
    """The dashboard."""
    return Board(
        "overview",
        "otel-carbon / Overview",
        "How much energy, CO2e and water LLM inference takes now and this month, as modelled, with the range "
        "from low to high.",
        (
            Row("In the shown range", _in_range()),
            Row("This month so far", _this_month()),
            Row(
                "At the moment",
                (
                    pace_band(
                        q.CO2E, "CO2e an hour", "Operational (location-based) and embodied emissions of model calls."
                    ),
                    pace_band(q.ENERGY, "Power", "Energy at the facility, IT energy x PUE, that model calls take."),
                    _by_model(),
                    _calls(),
                ),
            ),
            Row(
                "Last 30 days",
                (hour_band(q.CO2E, "CO2e in the hour before", "Emissions of model calls.", width=24, time_from="30d"),),
            ),
            Row("Alerts", (_alerts(),)),
        ),
    )


def _in_range() -> tuple[stat.Panel, ...]:
    return (
        range_stat(q.CO2E, "CO2e", "Operational (location-based) and embodied emissions.", width=6),
        range_stat(q.ENERGY, "Energy", "At the facility: IT energy x PUE.", width=6),
        range_stat(q.WATER, "Water", "Consumed at the site and for the electricity.", width=6),
        stat_panel(
            Frame("Calls", "Model calls, each once: twins of one call are merged.", "short", 3, 4, NOTHING_RECORDED),
            [Query(q.count("operations"), "calls")],
        ),
        stat_panel(
            Frame(
                "Coverage",
                "Share of the calls that have a modelled figure; the totals leave the others out. What a cache "
                "answered needs none.",
                "percentunit",
                3,
                4,
                NOTHING_RECORDED,
                COVERAGE_STEPS,
                decimals=1,
            ),
            [Query(q.coverage(), "coverage")],
        ),
    )


def _this_month() -> tuple[PanelBuilder, ...]:
    return (
        range_stat(q.CO2E, "CO2e this month", "Since the first of the month.", time_from=_MONTH),
        range_stat(q.ENERGY, "Energy this month", "Since the first of the month, at the facility.", time_from=_MONTH),
        range_stat(q.WATER, "Water this month", "Since the first of the month.", time_from=_MONTH),
        budget_left(),
        budget_table(),
    )


def _by_model() -> timeseries.Panel:
    by = (q.MODEL,)
    frame = Frame(
        "CO2e an hour by model",
        f"The ten models that emit most in the shown range. {MODELLED}",
        q.CO2E.unit_of_rate,
        links=(("This model", link_to("models", "model", q.MODEL)),),
        bounds=(0, None),
    )
    expression = q.largest(q.pace(q.CO2E, by=by), q.CO2E, by)
    return time_panel(frame, [Query(expression, f"{{{{{q.MODEL}}}}}")], stacked=True)


def _calls() -> timeseries.Panel:
    frame = Frame(
        "Calls a second by outcome",
        "Estimated calls have a modelled figure, unestimated ones a reason why not: see data quality.",
        "reqps",
        bounds=(0, None),
    )
    return time_panel(
        frame, [Query(q.calls_per_second(by=(q.STATUS,)), f"{{{{{q.STATUS}}}}}", exemplars=True)], stacked=True
    )


def _alerts() -> table.Panel:
    firing = 'sum by (alertname, severity, budget) (ALERTS{alertname=~"OtelCarbon.*",alertstate="firing"})'
    frame = Frame(
        "Alerts that fire",
        "Of the rules in deploy/prometheus/rules and of budgets; each has a page in docs/runbooks. Amounts in "
        "them are modelled.",
        "short",
        24,
        5,
        "None",
    )
    labels = {"alertname": "Alert", "severity": "Severity", "budget": "Budget"}
    return table_panel(frame, labels, (Column("Firing", firing, "short"),), sort_by="Alert")
