"""The frame of every dashboard: variables, links to the others, rows of panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as models

from otel_carbon import metric_names
from tools.dashboards.panels import DATA_SOURCE
from tools.dashboards.queries import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grafana_foundation_sdk.cog.builder import Builder

    PanelBuilder = Builder[models.Panel]

TAG = "otel-carbon"
TRACES = "${traces}"
_ALL = models.VariableOption(selected=True, text="All", value="$__all")
_NARROWED_BY: Mapping[str, tuple[str, ...]] = {
    "environment": (),
    "service": ("environment",),
    "tenant": ("environment", "service"),
    "provider": ("environment", "service"),
    "model": ("environment", "service", "provider"),
    "region": ("environment", "service", "provider"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A titled row of panels."""

    title: str
    panels: Sequence[PanelBuilder]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard.

    Attributes:
        name: of its file, and what its uid ends in.
        title: as Grafana lists it.
        about: which question it answers.
        rows: in order.
        variables: the filters; those of the calls unless given.
        time_from: start of the range that is shown at first.
    """

    name: str
    title: str
    about: str
    rows: Sequence[Row]
    variables: Sequence[Builder[models.VariableModel]] | None = None
    time_from: str = "now-24h"

    @property
    def uid(self) -> str:
        """How links name it."""
        return uid_of(self.name)


def uid_of(name: str) -> str:
    """The uid of the dashboard of a name."""
    return f"{TAG}-{name}"


def link_to(name: str, variable: str, label: str) -> str:
    """Address of a dashboard for the value of a label in the row or series that was clicked, in the same range."""
    return f"/d/{uid_of(name)}?var-{variable}=${{__field.labels.{label}:percentencode}}&${{__url_time_range}}"


def row_link_to(name: str, variable: str) -> str:
    """The same for the cell of a table."""
    return f"/d/{uid_of(name)}?var-{variable}=${{__value.text:percentencode}}&${{__url_time_range}}"


def build(board: Board) -> models.Dashboard:
    """The model of a dashboard, with panels numbered in order."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags([TAG])
        .timezone("browser")
        .time(board.time_from, "now")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_links_to_others())
    )
    made.with_variable(_data_source("datasource", "Data source", "prometheus"))
    made.with_variable(_data_source("traces", "Traces", "jaeger"))
    for variable in call_filters() if board.variables is None else board.variables:
        made.with_variable(variable)
    for row in board.rows:
        made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            made.with_panel(panel)
    model = made.build()
    placed: Sequence[models.Panel | models.RowPanel] = model.panels or ()
    for number, each in enumerate(placed, 1):
        each.id_val = number
    return model


def call_filters() -> list[dashboard.QueryVariable]:
    """The variables that choose calls; `All` holds also those without the label."""
    return [_label_values(name, label) for name, label in VARIABLES.items()]


def filter_by(name: str, title: str, query: str) -> dashboard.QueryVariable:
    """A variable of several values, all at first."""
    return (
        dashboard.QueryVariable(name)
        .label(title)
        .datasource(DATA_SOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(_ALL)
    )


def _label_values(name: str, label: str) -> dashboard.QueryVariable:
    narrowed = ",".join(f'{VARIABLES[each]}=~"${each}"' for each in _NARROWED_BY[name])
    series = f"{metric_names.OPERATIONS.prometheus_name}{{{narrowed}}}"
    return filter_by(name, name.capitalize(), f"label_values({series}, {label})")


def _data_source(name: str, title: str, kind: str) -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable(name).label(title).type(kind)


def _links_to_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("otel-carbon")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
        .as_dropdown(False)
    )
