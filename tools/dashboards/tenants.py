"""Tenants and teams: who causes how much, within which budgets, with a way to the traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import metric_names as names
from tools.dashboards import queries as q
from tools.dashboards.board import Board, Row, link_to, row_link_to
from tools.dashboards.budget_panels import budget_left, budget_table, burn_rates
from tools.dashboards.panels import (
    NOTHING_RECORDED,
    Column,
    Frame,
    Query,
    bar_panel,
    stat_panel,
    table_panel,
    time_panel,
)
from tools.dashboards.ranges import MODELLED
from tools.dashboards.traces import traces_of_cell, traces_of_service

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries

    from tools.dashboards.panels import Link

_NO_TENANT, _OVERFLOW = "none", "other"
_FEW = ((None, "green"), (0.05, "orange"), (0.25, "red"))


def tenants() -> Board:
    """The dashboard."""
    return Board(
        "tenants",
        "otel-carbon / Tenants and teams",
        "Which tenants, teams, services and environments cause how much CO2e as modelled, and how their budgets stand.",
        (
            Row(
                "Tenants",
                (
                    _table((q.TENANT,), {q.TENANT: "Tenant"}, "Tenants", "tenant", ()),
                    _pace(q.TENANT, "CO2e an hour by tenant", "tenant", ()),
                    _unassigned(),
                    _environments(),
                ),
            ),
            Row(
                "Services",
                (
                    _table(
                        (q.SERVICE, q.ENVIRONMENT),
                        {q.SERVICE: "Service", q.ENVIRONMENT: "Environment"},
                        "Services",
                        "service",
                        (("Traces", traces_of_cell()),),
                    ),
                    _pace(q.SERVICE, "CO2e an hour by service", "service", (("Traces", traces_of_service(q.SERVICE)),)),
                    _calls_of_services(),
                ),
            ),
            Row("Budgets", (budget_left(), budget_table(), burn_rates(width=24))),
        ),
    )


def _table(
    by: tuple[str, ...], labels: dict[str, str], title: str, variable: str, links: tuple[Link, ...]
) -> table.Panel:
    columns = (
        Column("Calls", q.count("operations", by=by), "short"),
        Column("Tokens", q.count("tokens", by=by), "short"),
        Column("Energy", q.total(q.ENERGY, by=by), q.ENERGY.unit),
        Column("CO2e low", q.total(q.CO2E, "low", by), q.CO2E.unit),
        Column("CO2e", q.total(q.CO2E, by=by), q.CO2E.unit),
        Column("CO2e high", q.total(q.CO2E, "high", by), q.CO2E.unit),
        Column("Share", f"{q.total(q.CO2E, by=by)} / scalar({q.total(q.CO2E)} > 0)", "percentunit", decimals=1),
        Column("CO2e/1k tok.", q.per_thousand_tokens(q.CO2E, by=by), q.CO2E.unit),
    )
    about = (
        f"Calls, tokens and amounts in the shown range. {MODELLED} "
        f"`{_NO_TENANT}` is calls that name no tenant, `{_OVERFLOW}` what came once the label budget was spent."
    )
    row_links = (("Its models", row_link_to("models", variable)), *links)
    frame = Frame(title, about, "short", 24, 8, NOTHING_RECORDED)
    return table_panel(frame, labels, columns, sort_by="CO2e", row_links=row_links)


def _pace(label: str, title: str, variable: str, links: tuple[Link, ...]) -> timeseries.Panel:
    frame = Frame(
        title,
        f"The ten that emit most in the shown range. {MODELLED}",
        q.CO2E.unit_of_rate,
        links=(("Its models", link_to("models", variable, label)), *links),
        bounds=(0, None),
    )
    expression = q.largest(q.pace(q.CO2E, by=(label,)), q.CO2E, (label,))
    return time_panel(frame, [Query(expression, f"{{{{{label}}}}}")], stacked=True)


def _calls_of_services() -> timeseries.Panel:
    frame = Frame(
        "Calls an hour by service",
        "Each call once. A point is a call whose trace can be opened, where there are exemplars.",
        "si:calls/h",
        links=(("Traces", traces_of_service(q.SERVICE)),),
        bounds=(0, None),
    )
    expression = q.hourly(names.OPERATIONS, by=(q.SERVICE,))
    return time_panel(frame, [Query(expression, f"{{{{{q.SERVICE}}}}}", exemplars=True)], stacked=True)


def _unassigned() -> stat.Panel:
    calls = q.count("operations")
    parts = {
        "without a tenant": q.count("operations", f'{q.TENANT}="{_NO_TENANT}"'),
        "beyond the label budget": q.count("operations", f'{q.TENANT}="{_OVERFLOW}"'),
    }
    frame = Frame(
        "Calls on nobody's account",
        "Calls that name no tenant, and those booked under `other` because too many label values were in use already.",
        "percentunit",
        6,
        8,
        NOTHING_RECORDED,
        _FEW,
        decimals=1,
    )
    return stat_panel(frame, [Query(f"({part} or 0 * {calls}) / ({calls} > 0)", text) for text, part in parts.items()])


def _environments() -> bargauge.Panel:
    by = (q.ENVIRONMENT,)
    frame = Frame("CO2e by environment", f"In the shown range. {MODELLED}", q.CO2E.unit, 6, 8, NOTHING_RECORDED)
    expression = q.named(q.total(q.CO2E, by=by), q.ENVIRONMENT)
    return bar_panel(frame, [Query(f"sort_desc({expression})", f"{{{{{q.ENVIRONMENT}}}}}")])
