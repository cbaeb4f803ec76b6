"""The overview: how much now and this month, how far the range goes, what is left of the budgets, what drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import metric_names as names
from tools.dashboards import queries as q
from tools.dashboards.board import Board, Row, link_to
from tools.dashboards.budget_panels import budget_left, budget_table
from tools.dashboards.panels import NOTHING_RECORDED, PLAIN, Column, Frame, Query, stat_panel, table_panel, time_panel
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
            Row("Alerts", (_alerts(),)),
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
        ),
    )


def _in_range() -> tuple[PanelBuilder, ...]:
    coverage = (
        "Share of the calls that have a modelled figure; the totals leave the others out. "
        "What a cache answered needs none."
    )
    return (
        range_stat(q.CO2E, "CO2e", "Operational (location-based) and embodied emissions."),
        range_stat(q.ENERGY, "Energy", "At the facility: IT energy x PUE."),
        range_stat(q.WATER, "Water", "Consumed at the site and for the electricity."),
        _figure("Calls", "Model calls, each once: twins of one call are merged.", "short", q.count("operations")),
        _figure("Tokens", "Counted, each token in one kind.", "short", q.count("tokens")),
        _figure(
            "CO2e for 1,000 tokens",
            f"Of calls with a figure. {MODELLED} This is the mid.",
            q.CO2E.unit,
            q.per_thousand_tokens(q.CO2E),
        ),
        _figure("Coverage", coverage, "percentunit", q.coverage(), COVERAGE_STEPS),
    )


def _figure(
    title: str, about: str, unit: str, expression: str, steps: tuple[tuple[float | None, str], ...] = PLAIN
) -> stat.Panel:
    frame = Frame(title, about, unit, 6, 4, NOTHING_RECORDED, steps)
    return stat_panel(frame, [Query(expression, title)])


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
        "Calls an hour by outcome",
        "Estimated calls have a modelled figure, unestimated ones a reason why not: see data quality.",
        "si:calls/h",
        bounds=(0, None),
    )
    return time_panel(
        frame, [Query(q.hourly(names.OPERATIONS, by=(q.STATUS,)), f"{{{{{q.STATUS}}}}}", exemplars=True)], stacked=True
    )


def _alerts() -> table.Panel:
    firing = 'sum by (alertname, severity, budget) (ALERTS{alertname=~"OtelCarbon.*",alertstate="firing"})'
    frame = Frame(
        "Alerts that fire",
        "Of the rules in deploy/prometheus/rules and of budgets; each has a page in docs/runbooks. Amounts in "
        "them are modelled.",
        "short",
        24,
        4,
        "None",
    )
    labels = {"alertname": "Alert", "severity": "Severity", "budget": "Budget"}
    return table_panel(frame, labels, (Column("Firing", firing, "short"),), sort_by="Alert")
