"""The grid intensity of a call: that of its hour where the user's table has it, else the zone's yearly average."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.assumptions import GRID_HOUR_NOT_IN_TABLE, GRID_OF_THE_HOUR, GRID_TABLE_STALE
from otel_carbon.core.interval import Interval
from otel_carbon.registry.facts import GridIntensity, RangeRule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from otel_carbon.grid.table import GridTable
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.facts import Fact

STALE_AFTER_DAYS = 7
"""How long before the call a table may end before it is said to be stale."""
RANGE_OF_AN_HOUR = "grid-hour"
TABLE_PREFIX = "table/"


class CallGrid(NamedTuple):
    """A location-based life-cycle intensity, and what it comes from."""

    id: str
    """Of the registry's fact, or `table/ZONE@VERSION` of the user's table."""
    gco2e_per_kwh: Interval
    facts: tuple[Fact, ...]
    """Those of the registry behind it."""
    table_sources: Mapping[str, tuple[str, ...]]
    """The id of the table's figure to its sources; empty where no table speaks."""
    assumptions: tuple[str, ...]


def is_of_table(grid_id: str) -> bool:
    """Whether a footprint's `grid_id` names a figure of a grid table."""
    return grid_id.startswith(TABLE_PREFIX)


def zone_of_grid(registry: Registry, grid_id: str) -> str:
    """The zone that a footprint's `grid_id` is about, whether a fact's or a table's."""
    if is_of_table(grid_id):
        return grid_id.removeprefix(TABLE_PREFIX).partition("@")[0]
    fact = registry.fact(grid_id)
    return fact.zone if isinstance(fact, GridIntensity) else ""


def grid_of_call(
    registry: Registry, yearly: GridIntensity, table: GridTable | None, day: date, hour: int | None
) -> CallGrid:
    """The intensity of a zone at the hour of a call, or over its day where the hour is not known.

    Args:
        registry: has the range of an hourly figure.
        yearly: the zone's average, which stands where the table says nothing.
        table: the user's own; only zones that it has any life-cycle figure of are looked up.
        day: of the call, in UTC.
        hour: of the call, in UTC; `None` stands for the whole day.
    """
    average = CallGrid(yearly.id, yearly.gco2e_per_kwh, (yearly,), {}, ())
    last = table.end_of(yearly.zone) if table is not None else None
    if table is None or last is None:
        return average
    start = datetime(day.year, day.month, day.day, hour or 0, tzinfo=UTC)
    end = start + (timedelta(days=1) if hour is None else timedelta(hours=1))
    found = table.mean(yearly.zone, start, end)
    if found is None:
        stale = start - last > timedelta(days=STALE_AFTER_DAYS)
        return average._replace(assumptions=(GRID_TABLE_STALE if stale else GRID_HOUR_NOT_IN_TABLE,))
    rule = registry.about(RangeRule, RANGE_OF_AN_HOUR, day)
    low, high = (rule.factor_low, rule.factor_high) if rule else (1.0, 1.0)
    mid = found.gco2e_per_kwh
    figure_id = f"{TABLE_PREFIX}{yearly.zone}@{table.version}"
    return CallGrid(
        figure_id,
        Interval(mid * low, mid, mid * high),
        (rule,) if rule else (),
        {figure_id: found.sources},
        (GRID_OF_THE_HOUR,),
    )
