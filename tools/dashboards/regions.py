"""Regions: where calls run, with carbon and water beside each other, as the one is not the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.dashboards import queries as q
from tools.dashboards.board import Board, Row, link_to, row_link_to
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
from tools.dashboards.ranges import MODELLED, pace_band, range_stat
from tools.prometheus_rules import MINUTE, recorded

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries

    from tools.dashboards.queries import Amount

_BY_REGION = (q.REGION,)
_LEGEND = f"{{{{{q.REGION}}}}}"
_INCLUDES = "Emissions hold the embodied part, too, so this is more than the intensity of the grid."
_MOSTLY = ((None, "orange"), (0.9, "green"))
_NO_REGION = "|mix-.*|[A-Z]{3}(-.+)?"
"""Grid zones, which stand in for a region that nobody names: mixes, countries and their parts, the world (WOR)."""


def regions() -> Board:
    """The dashboard."""
    return Board(
        "regions",
        "otel-carbon / Regions, carbon and water",
        "Where model calls run as far as known, and what that means for CO2e and water, as modelled.",
        (
            Row(
                "Carbon and water",
                (
                    range_stat(q.CO2E, "CO2e", "Operational (location-based) and embodied emissions.", width=9),
                    range_stat(q.WATER, "Water", "Consumed at the site and for the electricity.", width=9),
                    _named_region(),
                    _table(),
                ),
            ),
            Row(
                "For each kWh",
                (
                    _per_kwh(q.CO2E, "CO2e for a kWh by region", f"{_INCLUDES} {MODELLED}"),
                    _per_kwh(q.WATER, "Water for a kWh by region", f"At the site and for the electricity. {MODELLED}"),
                ),
            ),
            Row(
                "Over time",
                (
                    _pace(q.CO2E, "CO2e an hour by region"),
                    _pace(q.WATER, "Water an hour by region"),
                    pace_band(q.WATER, "Water an hour", "Consumed at the site and for the electricity."),
                    _providers(),
                ),
            ),
        ),
    )


def _table() -> table.Panel:
    columns = (
        Column("Energy", _named_total(q.ENERGY), q.ENERGY.unit),
        Column("CO2e low", _named_total(q.CO2E, "low"), q.CO2E.unit),
        Column("CO2e", _named_total(q.CO2E), q.CO2E.unit),
        Column("CO2e high", _named_total(q.CO2E, "high"), q.CO2E.unit),
        Column("Water low", _named_total(q.WATER, "low"), q.WATER.unit),
        Column("Water", _named_total(q.WATER), q.WATER.unit),
        Column("Water high", _named_total(q.WATER, "high"), q.WATER.unit),
        Column("CO2e/kWh", _for_a_kwh(q.CO2E), q.CO2E.unit),
        Column("Water/kWh", _for_a_kwh(q.WATER), q.WATER.unit),
    )
    about = f"Of telemetry, configuration or address; `mix-`, a country or WOR stands for what nobody names. {MODELLED}"
    frame = Frame("Regions", about, "short", 24, 9, NOTHING_RECORDED)
    links = (("Its models", row_link_to("models", "region")),)
    return table_panel(frame, {q.REGION: "Region"}, columns, sort_by="CO2e", row_links=links)


def _named_region() -> stat.Panel:
    series = recorded("energy_kilowatt_hours", MINUTE)
    in_region = q.sum_by((), q.grown(q.scoped(series, f'{q.REGION}!~"{_NO_REGION}"')))
    every = q.sum_by((), q.grown(q.scoped(series)))
    frame = Frame(
        "Energy in a named region",
        "Share of the modelled energy with a region of a cloud. For the rest a country, a mix of places or the "
        "world is taken.",
        "percentunit",
        6,
        4,
        NOTHING_RECORDED,
        _MOSTLY,
        decimals=1,
    )
    return stat_panel(frame, [Query(f"({in_region} or 0 * {every}) / ({every} > 0)", "named")])


def _per_kwh(amount: Amount, title: str, about: str) -> bargauge.Panel:
    frame = Frame(title, about, amount.unit, 12, 9, NOTHING_RECORDED)
    return bar_panel(frame, [Query(f"sort_desc({_for_a_kwh(amount)})", _LEGEND)])


def _pace(amount: Amount, title: str) -> timeseries.Panel:
    expression = q.named(q.largest(q.pace(amount, by=_BY_REGION), amount, _BY_REGION), q.REGION)
    frame = Frame(
        title,
        f"The ten regions with most of it in the shown range. {MODELLED}",
        amount.unit_of_rate,
        links=(("Its models", link_to("models", "region", q.REGION)),),
        bounds=(0, None),
    )
    return time_panel(frame, [Query(expression, _LEGEND)], stacked=True)


def _providers() -> timeseries.Panel:
    by = (q.PROVIDER,)
    expression = q.named(q.largest(q.pace(q.ENERGY, by=by), q.ENERGY, by), q.PROVIDER)
    frame = Frame("Power by provider", f"The ten providers with most energy. {MODELLED}", "watt", bounds=(0, None))
    return time_panel(frame, [Query(expression, f"{{{{{q.PROVIDER}}}}}")], stacked=True)


def _named_total(amount: Amount, bound: str = "mid") -> str:
    return q.named(q.total(amount, bound, _BY_REGION), q.REGION)


def _for_a_kwh(amount: Amount) -> str:
    kwh = f"{q.total(q.ENERGY, by=_BY_REGION)} / 1000"
    return q.named(f"{q.total(amount, by=_BY_REGION)} / ({kwh} > 0)", q.REGION)
