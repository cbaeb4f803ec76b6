"""Which facts the carbon processor computes with, and how old they are, so that somebody can be told of stale ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import GaugeMetricFamily

from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.metrics_core import Metric


class CarbonFacts(NamedTuple):
    """What the carbon processor computes with.

    Attributes:
        registry_version: version and digest of the facts.
        registry_from: when the month of that version began; None for a version that names none.
        grid_table_from: when the newest hourly grid intensities were retrieved; None without a table.
    """

    registry_version: str
    registry_from: datetime | None = None
    grid_table_from: datetime | None = None


def fact_families(all_facts: Sequence[CarbonFacts], now: datetime | None = None) -> Iterator[Metric]:
    """The families; of what is not known there is none."""
    build = GaugeMetricFamily(
        "otel_carbon_build_info", "1 for the version that runs.", labels=["version", "registry_version"]
    )
    registry_age = GaugeMetricFamily(
        "otel_carbon_registry_age_days", "Whole days since the month of the registry's version began."
    )
    table_age = GaugeMetricFamily(
        "otel_carbon_grid_table_age_days", "Whole days since the newest hourly grid intensities were retrieved."
    )
    moment = now or datetime.now(UTC)
    for facts in all_facts or (CarbonFacts(""),):
        build.add_metric([VERSION, facts.registry_version], 1)
        if facts.registry_from is not None:
            registry_age.add_metric([], (moment - facts.registry_from).days)
        if facts.grid_table_from is not None:
            table_age.add_metric([], (moment - facts.grid_table_from).days)
    yield from (family for family in (build, registry_age, table_age) if family.samples)
