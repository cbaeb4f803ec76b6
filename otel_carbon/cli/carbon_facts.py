"""Which facts a collector computes with, and how old they are, for its own metrics."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_carbon.collector.fact_metrics import CarbonFacts
    from otel_carbon.grid.table import GridTable
    from otel_carbon.registry.catalog import Registry

_MONTH = re.compile(r"(?P<year>20\d{2})\.(?P<month>0?[1-9]|1[0-2])\.")


def carbon_facts(registry: Registry, grid_table: GridTable | None) -> CarbonFacts:
    """Tell the facts of a registry and a grid table."""
    from otel_carbon.collector.fact_metrics import CarbonFacts

    retrieved = grid_table.versions[-1].retrieved_at if grid_table is not None and grid_table.versions else None
    return CarbonFacts(registry.version, month_of(registry.version), retrieved)


def month_of(registry_version: str) -> datetime | None:
    """When the month began that a version such as `2026.11.1` names; None for a version without one."""
    found = _MONTH.match(registry_version)
    return datetime(int(found["year"]), int(found["month"]), 1, tzinfo=UTC) if found else None
