"""Every series that a query of ours may name, with its labels: counters, the collector's own, recorded ones, alerts."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.signals import Signal
from tools.prometheus_rules import AMOUNTS, COVERAGE_BY, HOUR, INTENSITY_BY, MINUTE, recorded
from tools.semconv_model import load_model
from tools.semconv_python import prometheus_name

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTOR_PAGE = REPOSITORY / "docs" / "reference" / "collector-metrics.md"
OF_A_TARGET = frozenset({"job", "instance"})
_BUDGET_LABELS = frozenset({"budget", "unit", "owner"})
_ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<kind>\w+) \| (?P<labels>[^|]*) \|", re.MULTILINE)


@cache
def known_series() -> dict[str, frozenset[str]]:
    """Labels by name, those of the target among them."""
    found = {**_carbon_counters(), **dict(_collector_metrics())}
    by_amount = {
        recorded(each.name, window): found[each.metric.prometheus_name] for each in AMOUNTS for window in (MINUTE, HOUR)
    }
    return (
        found
        | by_amount
        | _ratios()
        | _budgets()
        | {"ALERTS": frozenset({"alertname", "alertstate", "severity", "budget"})}
    )


def _carbon_counters() -> dict[str, frozenset[str]]:
    model = load_model(REPOSITORY / "semconv")
    return {
        prometheus_name(metric): OF_A_TARGET | {each.key.replace(".", "_") for each in metric.references}
        for metric in model.metrics.values()
    }


def _collector_metrics() -> Iterator[tuple[str, frozenset[str]]]:
    """From the page that is generated of a collector with one of everything."""
    for row in _ROW.finditer(COLLECTOR_PAGE.read_text(encoding="utf-8")):
        labels = OF_A_TARGET | set(re.findall(r"`([^`]+)`", row["labels"]))
        for signal in Signal:
            name = row["name"].replace("{items}", signal.items_name)
            if row["kind"] == "histogram":
                yield from ((name + suffix, labels) for suffix in ("_sum", "_count"))
                yield f"{name}_bucket", labels | {"le"}
            else:
                yield name, labels


def _ratios() -> dict[str, frozenset[str]]:
    return {
        recorded("coverage", "ratio_rate1h"): frozenset(COVERAGE_BY.split(", ")),
        recorded("emissions_grams_per_1000_tokens", "rate1h"): frozenset(INTENSITY_BY.split(", ")),
    }


def _budgets() -> dict[str, frozenset[str]]:
    names = ("limit", "used", "remaining", "forecast")
    return {f"otel_carbon_budget_{name}": _BUDGET_LABELS for name in names} | {
        "otel_carbon_budget_burn_rate": _BUDGET_LABELS | {"window"}
    }
