"""Data quality: which calls have a figure, width of ranges, what was recognised as counted twice, age of facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon import metric_names as names
from tools.dashboards import queries as q
from tools.dashboards.board import Board, Row, link_to, row_link_to
from tools.dashboards.overview import COVERAGE_STEPS
from tools.dashboards.panels import (
    GOOD_BAD,
    NO_CALLS,
    NOTHING_RECORDED,
    Column,
    Frame,
    Query,
    bar_panel,
    stat_panel,
    table_panel,
    time_panel,
    unit_of,
)
from tools.dashboards.ranges import MODELLED
from tools.prometheus_rules import recorded

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries

_UNKNOWN_MODEL = f'{q.REASON}=~"model_not_registered|strict_fallback_refused"'
_GENERIC = f'{q.MATCH}="{ours.MATCH_GENERIC}"'
_UNESTIMATED = f'{q.STATUS}="{ours.STATUS_UNESTIMATED}"'
_AGE_STEPS = ((None, "green"), (180, "orange"), (365, "red"))
_WIDE = ((None, "blue"), (100, "orange"), (1000, "red"))


def quality() -> Board:
    """The dashboard."""
    return Board(
        "quality",
        "otel-carbon / Data quality and coverage",
        "How far the modelled figures can be trusted: calls without one, unknown models, width of ranges, double "
        "counting, age of facts.",
        (
            Row(
                "Coverage",
                (_coverage(), _unknown_share(), _width(), _registry_age(), _grid_age(), *_coverage_over_time()),
            ),
            Row("Calls without a figure", (_reasons(), _without_figure())),
            Row("Models", (_matches(), _unknown_models(), _width_by_model())),
            Row("Counted once", (_verdicts(), _instrumentations(), _jobs(), _forgotten())),
            Row("Not seen, or not told apart", (_unseen(), _dropped_series())),
        ),
    )


def _coverage() -> stat.Panel:
    about = (
        "Share of the calls that have a modelled figure; the totals leave the others out. What a cache answered "
        "needs none."
    )
    frame = Frame("Coverage", about, "percentunit", 5, 4, NOTHING_RECORDED, COVERAGE_STEPS, decimals=1)
    return stat_panel(frame, [Query(q.coverage(), "coverage")])


def _unknown_share() -> stat.Panel:
    every = q.count("operations")
    generic, without = q.count("matched_operations", _GENERIC), q.count("operations", _UNKNOWN_MODEL)
    frame = Frame(
        "Calls of unknown models",
        "Share of the calls whose model the registry has nothing on: what any model may take stands in for it, "
        "or nothing does.",
        "percentunit",
        5,
        4,
        NOTHING_RECORDED,
        ((None, "green"), (0.01, "orange"), (0.05, "red")),
        decimals=1,
    )
    unknown = f"({generic} or 0 * {every}) + ({without} or 0 * {every})"
    return stat_panel(frame, [Query(f"({unknown}) / ({every} > 0)", "unknown")])


def _width() -> stat.Panel:
    frame = Frame(
        "High over low",
        f"How many times the upper bound is the lower one, over all. {MODELLED}",
        "suffix:x",
        4,
        4,
        NOTHING_RECORDED,
        _WIDE,
        decimals=0,
    )
    return stat_panel(frame, [Query(_width_of(()), "high / low")])


def _registry_age() -> stat.Panel:
    frame = Frame(
        "Age of the registry",
        "Days since the month of the version of the facts began, of the oldest collector.",
        "d",
        5,
        4,
        "No collector",
        _AGE_STEPS,
        decimals=0,
    )
    return stat_panel(frame, [Query("max(otel_carbon_registry_age_days)", "registry")])


def _grid_age() -> stat.Panel:
    frame = Frame(
        "Age of the grid table",
        "Days since the newest hourly grid intensities were retrieved; only for collectors that have such a table.",
        "d",
        5,
        4,
        "No table",
        ((None, "green"), (7, "orange"), (31, "red")),
        decimals=0,
    )
    return stat_panel(frame, [Query("max(otel_carbon_grid_table_age_days)", "table")])


def _coverage_over_time() -> tuple[timeseries.Panel, ...]:
    series = q.chosen(recorded("coverage", "ratio_rate1h"), ("environment", "service"))
    frame = Frame(
        "Coverage over time by service",
        "Share of calls with a modelled figure in the hour before each moment; the alert OtelCarbonCoverageDrop "
        "reads the same.",
        "percentunit",
        24,
        empty=NOTHING_RECORDED,
        thresholds=COVERAGE_STEPS,
        bounds=(0, 1),
        links=(("Its tenants and traces", link_to("tenants", "service", q.SERVICE)),),
    )
    return (time_panel(frame, [Query(f"min by ({q.SERVICE}) ({series})", f"{{{{{q.SERVICE}}}}}")], limit_lines=True),)


def _reasons() -> timeseries.Panel:
    frame = Frame(
        "Calls without a figure, by reason",
        "Each code, and what to do about it, is in docs/reference/reasons.md. They are in no modelled total.",
        "si:calls/h",
        12,
        9,
        "All calls have a figure",
        bounds=(0, None),
    )
    expression = q.hourly(names.OPERATIONS, _UNESTIMATED, by=(q.REASON,))
    return time_panel(frame, [Query(expression, f"{{{{{q.REASON}}}}}", exemplars=True)], stacked=True)


def _without_figure() -> table.Panel:
    by = (q.MODEL, q.PROVIDER, q.REASON)
    frame = Frame(
        "Calls without a figure, by model",
        "In the shown range; they are in no modelled total. docs/reference/reasons.md says what to do about each "
        "reason.",
        "short",
        12,
        9,
        "All calls have a figure",
    )
    columns = (Column("Calls", q.count("operations", _UNESTIMATED, by=by), "short"),)
    links = (("Who calls it", row_link_to("tenants", "model")),)
    labels = {q.MODEL: "Model", q.PROVIDER: "Provider", q.REASON: "Reason"}
    return table_panel(frame, labels, columns, sort_by="Calls", row_links=links)


def _width_by_model() -> bargauge.Panel:
    frame = Frame(
        "High over low by model, CO2e",
        f"The fifteen widest. A wide range is a model or place that little is published about. {MODELLED}",
        "suffix:x",
        24,
        9,
        NOTHING_RECORDED,
        _WIDE,
        decimals=0,
        links=(("This model", link_to("models", "model", q.MODEL)),),
        bounds=(1, None),
    )
    return bar_panel(frame, [Query(f"sort_desc(topk(15, {_width_of((q.MODEL,))}))", f"{{{{{q.MODEL}}}}}")])


def _matches() -> timeseries.Panel:
    frame = Frame(
        "Calls by how near the fact is to the model",
        "Of calls with a modelled figure: the fact is of the model itself, its family, its size, or of models in "
        "general.",
        "si:calls/h",
        12,
        9,
        bounds=(0, None),
    )
    expression = q.hourly(names.MATCHED_OPERATIONS, by=(q.MATCH,))
    return time_panel(frame, [Query(expression, f"{{{{{q.MATCH}}}}}")], stacked=True)


def _unknown_models() -> table.Panel:
    by = (q.MODEL, q.PROVIDER)
    frame = Frame(
        "Unknown models",
        "Calls in the shown range of models that the registry has nothing on; their modelled range is very wide. "
        "A model can be mapped to a known one, or added in an overlay: docs/registry.md.",
        "short",
        12,
        9,
        "None",
    )
    columns = (Column("Calls", q.count("matched_operations", _GENERIC, by=by), "short"),)
    labels = {q.MODEL: "Model", q.PROVIDER: "Provider"}
    return table_panel(
        frame, labels, columns, sort_by="Calls", row_links=(("Who calls it", row_link_to("tenants", "model")),)
    )


def _verdicts() -> timeseries.Panel:
    frame = Frame(
        "Spans by verdict",
        "What counting made of GenAI spans of all services. Duplicates and aggregates are calls that count elsewhere.",
        "si:spans/h",
        9,
        9,
        bounds=(0, None),
    )
    rate = q.sum_by((q.VERDICT,), f"rate({names.SPANS.prometheus_name}[$__rate_interval])") + " * 3600"
    return time_panel(frame, [Query(rate, f"{{{{{q.VERDICT}}}}}")], stacked=True)


def _instrumentations() -> table.Panel:
    by = (q.OBSERVED_SCOPE, q.DIALECT)
    verdicts = {
        "Counted": ours.VERDICT_COUNTED,
        "No figure": ours.VERDICT_UNESTIMATED,
        "Duplicate": ours.VERDICT_DUPLICATE,
        "Aggregate": ours.VERDICT_AGGREGATE,
        "Repeated": ours.VERDICT_REPEATED,
    }
    columns = tuple(Column(title, _seen(verdict, by), "short", decimals=0) for title, verdict in verdicts.items())
    frame = Frame(
        "Spans by instrumentation",
        "In the shown range, estimated by increase(). Two instrumentations with many counted spans of one "
        "service may report "
        "the same calls; docs/concepts.md says how that is recognised.",
        "short",
        15,
        9,
        NO_CALLS,
    )
    labels = {q.OBSERVED_SCOPE: "Instrumentation", q.DIALECT: "Dialect"}
    return table_panel(frame, labels, columns, sort_by="Counted", first_pixels=330)


def _jobs() -> table.Panel:
    by = (q.SERVICE, "job")
    frame = Frame(
        "Tokens by service and scrape job",
        "Counted. A service with nearly equal numbers in two jobs is counted in process and by a collector: "
        "docs/runbooks/OtelCarbonDoubleCountSuspected.md.",
        "short",
        16,
        8,
        NOTHING_RECORDED,
    )
    columns = (
        Column("Tokens", q.count("tokens", by=by), "short"),
        Column("Calls", q.count("operations", by=by), "short"),
    )
    return table_panel(frame, {q.SERVICE: "Service", "job": "Job"}, columns, sort_by="Tokens")


def _forgotten() -> stat.Panel:
    frame = Frame(
        "Calls forgotten for lack of room",
        "Above 0, a late duplicate may have counted as a call of its own.",
        "short",
        8,
        8,
        "No collector",
        GOOD_BAD,
        decimals=0,
    )
    dropped = "sum(increase(otel_carbon_collector_counting_dropped_total[$__range]))"
    return stat_panel(frame, [Query(dropped, "forgotten")])


def _unseen() -> stat.Panel:
    unseen = q.sum_by((), f"increase({q.scoped(names.SAMPLING_UNSEEN_OPERATIONS.prometheus_name)}[$__range])")
    grams = q.sum_by((), f"increase({q.scoped(names.SAMPLING_UNSEEN_EMISSIONS.prometheus_name)}[$__range])")
    frame = Frame(
        "Dropped by trace sampling",
        "Extrapolated from sampled calls that state their threshold, and in no total; modelled. Without such a "
        "threshold nothing "
        "is known here: docs/sampling.md.",
        "short",
        12,
        5,
        "No sampling threshold stated",
        decimals=1,
    )
    panel = stat_panel(frame, [Query(unseen, "calls"), Query(grams, "CO2e")])
    return panel.override_by_name("CO2e", unit_of(q.CO2E.unit))


def _dropped_series() -> stat.Panel:
    frame = Frame(
        "Refused series",
        "How often a new combination of label values was booked under `other`, as the label budget was spent. "
        "Totals stay complete.",
        "short",
        12,
        5,
        "No collector",
        ((None, "green"), (1, "orange")),
        decimals=0,
    )
    refused = f"sum(increase({names.DROPPED_SERIES.prometheus_name}[$__range]))"
    return stat_panel(frame, [Query(refused, "refused")])


def _seen(verdict: str, by: tuple[str, ...]) -> str:
    return q.sum_by(by, f'increase({names.SPANS.prometheus_name}{{{q.VERDICT}="{verdict}"}}[$__range])')


def _width_of(by: tuple[str, ...]) -> str:
    return f"{q.total(q.CO2E, 'high', by)} / ({q.total(q.CO2E, 'low', by)} > 0)"
