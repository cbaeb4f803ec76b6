"""Panels with the settings that all of ours share: data source, unit, description, legend, text when empty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as prometheus_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Link = tuple[str, str]
    Threshold = tuple[float | None, str]

DATA_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
NO_CALLS = "No calls in this range"
NOTHING_RECORDED = "Nothing recorded: no calls, or no recording rules"
GOOD_BAD = ((None, "green"), (1, "red"))
PLAIN = ((None, "blue"),)

_COLUMN_PIXELS, _LABEL_PIXELS = 82, 115

P = TypeVar("P", stat.Panel, timeseries.Panel, table.Panel, bargauge.Panel)


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and what its series are called; `exemplars` asks for the traces behind a counter, too."""

    expression: str
    legend: str
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the data of a panel.

    Attributes:
        title: short; the unit is on the axis.
        about: the description: what it is, and how far to trust it.
        unit: Grafana's id of a unit.
        width: columns of 24.
        height: rows of about 30 pixels.
        empty: what the panel says when there are no data.
        thresholds: from which value on which colour; the first has no value.
        links: titles and addresses, with Grafana's variables of a data link.
        time_from: a range of its own, such as `now/M`.
        decimals: fixed number of them; Grafana chooses when absent.
        bounds: minimum and maximum of the axis or gauge.
    """

    title: str
    about: str
    unit: str
    width: int = 12
    height: int = 8
    empty: str = NO_CALLS
    thresholds: Sequence[Threshold] = PLAIN
    links: Sequence[Link] = ()
    time_from: str = ""
    decimals: int | None = None
    bounds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Column:
    """One value column of a table: what it is called, its query, and its unit."""

    title: str
    expression: str
    unit: str
    thresholds: Sequence[Threshold] = ()
    decimals: int | None = None
    links: Sequence[Link] = field(default=())


def stat_panel(frame: Frame, queries: Sequence[Query], *, graph: bool = False) -> stat.Panel:
    """Large figures, one for each query, of the whole range."""
    panel = _framed(stat.Panel(), frame)
    for number, query in enumerate(queries):
        panel.with_target(_target(query, number, instant=not graph))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.graph_mode(common_models.BigValueGraphMode.AREA if graph else common_models.BigValueGraphMode.NONE)
    panel.color_mode(common_models.BigValueColorMode.VALUE)
    several = len(queries) > 1 or "{{" in queries[0].legend
    return panel.text_mode(
        common_models.BigValueTextMode.VALUE_AND_NAME if several else common_models.BigValueTextMode.VALUE
    ).orientation(common_models.VizOrientation.AUTO)


def time_panel(
    frame: Frame, queries: Sequence[Query], *, stacked: bool = False, bars: bool = False, limit_lines: bool = False
) -> timeseries.Panel:
    """Lines or bars over time, stacked when they are parts of a whole; thresholds as lines when asked for."""
    panel = _framed(timeseries.Panel(), frame)
    for number, query in enumerate(queries):
        panel.with_target(_target(query, number))
    panel.line_width(1).fill_opacity(25 if stacked or bars else 0).show_points(common_models.VisibilityMode.NEVER)
    panel.span_nulls(False)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if bars:
        panel.draw_style(common_models.GraphDrawStyle.BARS)
    if limit_lines:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.DASHED))
    panel.legend(
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    return panel.tooltip(
        common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI).sort(common_models.SortOrder.DESCENDING)
    )


def band_panel(frame: Frame, expressions: Mapping[str, str], *, exemplars: bool = False) -> timeseries.Panel:
    """The middle of a range as a line in the area between its bounds; `expressions` has `low`, `mid` and `high`."""
    queries = [Query(expressions[bound], bound, exemplars and bound == "mid") for bound in ("low", "mid", "high")]
    panel = time_panel(frame, queries)
    hidden_line = models.DynamicConfigValue(id_val="custom.lineWidth", value=0)
    panel.override_by_name("low", [hidden_line, models.DynamicConfigValue(id_val="custom.fillOpacity", value=0)])
    panel.override_by_name("mid", [models.DynamicConfigValue(id_val="custom.lineWidth", value=2)])
    return panel.override_by_name(
        "high",
        [
            hidden_line,
            models.DynamicConfigValue(id_val="custom.fillBelowTo", value="low"),
            models.DynamicConfigValue(id_val="custom.fillOpacity", value=20),
        ],
    )


def bar_panel(frame: Frame, queries: Sequence[Query]) -> bargauge.Panel:
    """Horizontal bars, one for each series, of the whole range."""
    panel = _framed(bargauge.Panel(), frame)
    for number, query in enumerate(queries):
        panel.with_target(_target(query, number, instant=True))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.display_mode(common_models.BarGaugeDisplayMode.BASIC).show_unfilled(True)
    return panel.orientation(common_models.VizOrientation.HORIZONTAL)


def table_panel(
    frame: Frame,
    labels: Mapping[str, str],
    columns: Sequence[Column],
    *,
    sort_by: str,
    row_links: Sequence[Link] = (),
    first_pixels: int = 230,
) -> table.Panel:
    """One row for each set of labels, one column for each query; links stand on the first label."""
    panel = _framed(table.Panel(), frame)
    for number, column in enumerate(columns):
        panel.with_target(_target(Query(column.expression, ""), number, instant=True, as_table=True))
    panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(_organized(labels, columns))
    panel.override_by_regexp(".*", [models.DynamicConfigValue(id_val="custom.minWidth", value=_COLUMN_PIXELS)])
    for column in columns:
        panel.override_by_name(column.title, _column_settings(column))
    first_label, *other_labels = labels.values()
    for label in other_labels:
        panel.override_by_name(label, [models.DynamicConfigValue(id_val="custom.minWidth", value=_LABEL_PIXELS)])
    first = [models.DynamicConfigValue(id_val="custom.width", value=first_pixels)]
    if row_links:
        first.append(models.DynamicConfigValue(id_val="links", value=_links(row_links)))
    panel.override_by_name(first_label, first)
    return panel.sort_by([common.TableSortByFieldState().display_name(sort_by).desc(True)])


def unit_of(unit: str) -> list[models.DynamicConfigValue]:
    """What gives a series of a panel another unit."""
    return [models.DynamicConfigValue(id_val="unit", value=unit)]


def _framed(panel: P, frame: Frame) -> P:
    panel.title(frame.title).description(frame.about).datasource(DATA_SOURCE).unit(frame.unit)
    panel.span(frame.width).height(frame.height).no_value(frame.empty)
    panel.thresholds(_thresholds(frame.thresholds))
    mode = models.FieldColorModeId.THRESHOLDS
    if isinstance(panel, timeseries.Panel):
        mode = models.FieldColorModeId.PALETTE_CLASSIC
    panel.color_scheme(dashboard.FieldColor().mode(mode))
    if frame.links:
        panel.data_links([dashboard.DashboardLink(title).url(url) for title, url in frame.links])
    if frame.time_from:
        panel.time_from(frame.time_from)
    if frame.decimals is not None:
        panel.decimals(frame.decimals)
    least, most = frame.bounds
    if least is not None:
        panel.min(least)
    if most is not None:
        panel.max(most)
    return panel


def _target(query: Query, number: int, *, instant: bool = False, as_table: bool = False) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(chr(ord("A") + number)).expr(query.expression).legend_format(query.legend)
    target.datasource(DATA_SOURCE).editor_mode(prometheus_models.QueryEditorMode.CODE)
    target.format(
        prometheus_models.PromQueryFormat.TABLE if as_table else prometheus_models.PromQueryFormat.TIME_SERIES
    )
    if query.exemplars:
        target.exemplar(True)
    return target.instant() if instant else target.range()


def _organized(labels: Mapping[str, str], columns: Sequence[Column]) -> models.DataTransformerConfig:
    renamed = dict(labels)
    renamed |= {f"Value #{chr(ord('A') + number)}": column.title for number, column in enumerate(columns)}
    if len(columns) == 1:
        renamed["Value"] = columns[0].title
    order = {name: position for position, name in enumerate(renamed)}
    return models.DataTransformerConfig(
        id_val="organize", options={"excludeByName": {"Time": True}, "indexByName": order, "renameByName": renamed}
    )


def _column_settings(column: Column) -> list[models.DynamicConfigValue]:
    # In a cell the text for an empty panel would be too long.
    settings = [*unit_of(column.unit), models.DynamicConfigValue(id_val="noValue", value="–")]  # noqa: RUF001 - a dash
    if column.thresholds:
        settings.append(models.DynamicConfigValue(id_val="thresholds", value=_thresholds(column.thresholds).build()))
        settings.append(models.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    if column.decimals is not None:
        settings.append(models.DynamicConfigValue(id_val="decimals", value=column.decimals))
    if column.links:
        settings.append(models.DynamicConfigValue(id_val="links", value=_links(column.links)))
    return settings


def _links(links: Sequence[Link]) -> list[dict[str, str]]:
    return [{"title": title, "url": url} for title, url in links]


def _thresholds(steps: Sequence[Threshold]) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=colour) for value, colour in steps])
    )
