"""Build the pages of the exporters that have one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.config.exporters import PrometheusExporterConfig
from otel_carbon.collector.page.watch import TotalsWatch
from otel_carbon.errors import BudgetError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.budgets.model import Budget
    from otel_carbon.collector.config.document import ExporterConfig
    from otel_carbon.metrics.totals import Totals


def build_watches(
    exporters: Mapping[str, ExporterConfig], totals: Totals | None, catch_up: Callable[[], None]
) -> dict[str, TotalsWatch]:
    """What looks at the totals for the page of each exporter that serves one; none where nothing is counted.

    `catch_up` counts what was answered and is not counted yet.

    Raises:
        ConfigError: a file of budgets cannot be used.
    """
    if totals is None:
        return {}
    return {
        name: TotalsWatch(totals, _budgets(name, exporter), name=name, catch_up=catch_up)
        for name, exporter in exporters.items()
        if isinstance(exporter, PrometheusExporterConfig) and exporter.page.enabled
    }


def _budgets(name: str, exporter: PrometheusExporterConfig) -> tuple[Budget, ...]:
    if exporter.page.budgets is None:
        return ()
    from otel_carbon.budgets.read import read_budgets  # few collectors have any

    try:
        return read_budgets(Path(exporter.page.budgets)).budgets.budgets
    except BudgetError as error:
        raise ConfigError(tuple(f"exporters.{name}.page.budgets: {each}" for each in error.problems)) from error
