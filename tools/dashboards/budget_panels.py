"""Panels about budgets, from the series that `otel-carbon budget rules` records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.dashboards.panels import Column, Frame, Query, bar_panel, table_panel, time_panel

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import bargauge, table, timeseries

NO_BUDGETS = "No budgets: see docs/budgets.md"
BUDGET_LABELS = ("budget", "unit", "owner")
_PREFIX = "otel_carbon_budget"
_USED_STEPS = ((None, "green"), (0.8, "orange"), (1, "red"))
_BURN_STEPS = ((None, "green"), (1, "orange"), (6, "red"))
_BASIS = "Amounts of energy, CO2e and water are modelled, tokens are counted."


def budget_series(name: str, *matchers: str) -> str:
    """One series for each budget and unit; several servers of the same rules count once."""
    return f"max by ({', '.join(BUDGET_LABELS)}) ({_PREFIX}_{name}{{{','.join(matchers)}}})"


def budget_left(*, width: int = 8, height: int = 8) -> bargauge.Panel:
    """The part of each budget that is left."""
    about = f"What is left of each budget since its window began; below 0 when more was used. {_BASIS}"
    steps = ((None, "red"), (0, "orange"), (0.2, "green"))
    frame = Frame("Budget left", about, "percentunit", width, height, NO_BUDGETS, steps, decimals=1, bounds=(0, 1))
    left = f"{budget_series('remaining')} / {budget_series('limit')}"
    return bar_panel(frame, [Query(left, "{{budget}} ({{unit}})")])


def budget_table(*, width: int = 16, height: int = 8) -> table.Panel:
    """Where each budget stands, in its unit."""
    about = (
        f"Each budget in its own unit, with its owner. {_BASIS} "
        "The forecast is what the window comes to at the present pace, shown once enough of that pace was recorded."
    )
    forecast = f"{budget_series('forecast')} / {budget_series('limit')}"
    columns = (
        Column("Limit", budget_series("limit"), "short"),
        Column("Used", budget_series("used"), "short"),
        Column("Used %", f"{budget_series('used')} / {budget_series('limit')}", "percentunit", _USED_STEPS, 1),
        Column("Forecast %", forecast, "percentunit", _USED_STEPS, 1),
    )
    frame = Frame("Budgets", about, "short", width, height, NO_BUDGETS)
    labels = {"budget": "Budget", "owner": "Owner", "unit": "Unit"}
    return table_panel(frame, labels, columns, sort_by="Used %")


def burn_rates(*, width: int = 12) -> timeseries.Panel:
    """How many times faster than the pace that lasts each budget is used up."""
    about = f"1 uses the limit up exactly at the end of the window; the alerts take a long and a short window. {_BASIS}"
    series = f"max by (budget, unit, owner, window) ({_PREFIX}_burn_rate)"
    frame = Frame("Burn rate of budgets", about, "suffix:x", width, 8, NO_BUDGETS, _BURN_STEPS, bounds=(0, None))
    return time_panel(frame, [Query(series, "{{budget}} over {{window}}")], limit_lines=True)
