"""The dashboards as Grafana reads them: panels, queries, and what Grafana would put in place of variables."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}")
ALL = ".*"


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of a panel."""

    dashboard: str
    panel: str
    ref_id: str
    expression: str
    legend: str
    instant: bool
    exemplars: bool

    def __str__(self) -> str:
        return f"{self.dashboard} / {self.panel} / {self.ref_id}"


def dashboard_files() -> dict[str, dict[str, Any]]:
    """Every committed dashboard by the name of its file."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels but rows."""
    for panel in dashboard["panels"]:
        yield from (each for each in (panel, *panel.get("panels", ())) if each["type"] != "row")


def queries_of(name: str, dashboard: Mapping[str, Any]) -> Iterator[PanelQuery]:
    """All queries of all panels."""
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            yield PanelQuery(
                name,
                panel["title"],
                target["refId"],
                target["expr"],
                target.get("legendFormat", ""),
                target.get("instant", False),
                target.get("exemplar", False),
            )


def with_variables(expression: str, dashboard: Mapping[str, Any], built_in: Mapping[str, str]) -> str:
    """The expression with `built_in` values such as `__range`, and `All` for each variable of the dashboard.

    Raises:
        KeyError: the expression names a variable that is neither.
    """
    values = {each["name"]: each.get("allValue", ALL) for each in dashboard["templating"]["list"]} | dict(built_in)
    return _VARIABLE.sub(lambda found: values[found[1] or found[2]], expression)


def label_values_queries(dashboard: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The series and the label that each query variable lists the values of."""
    found = {}
    for each in dashboard["templating"]["list"]:
        if each["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", each["query"]).groups()  # type: ignore[union-attr]
            found[each["name"]] = (series, label)
    return found
