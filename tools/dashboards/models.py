"""Models: the mix, how much each takes for its tokens, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon import metric_names as names
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
from tools.dashboards.ranges import MODELLED
from tools.prometheus_rules import recorded

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries

    from tools.dashboards.queries import Amount

_BY_MODEL = (q.MODEL,)
_LEGEND = f"{{{{{q.MODEL}}}}}"
_HERE = (("Only this model", link_to("models", "model", q.MODEL)),)
_INTENSITY_VARIABLES = ("provider", "model", "region")


def models() -> Board:
    """The dashboard."""
    return Board(
        "models",
        "otel-carbon / Models and intensity",
        "Which models are used, what each takes for 1,000 tokens as modelled, and what drives a change.",
        (
            Row("Mix", (_table(), _pace(), _tokens())),
            Row(
                "Intensity",
                (
                    _intensity_range(q.CO2E, "CO2e for 1,000 tokens"),
                    _intensity_range(q.ENERGY, "Energy for 1,000 tokens"),
                    _intensity_range(q.WATER, "Water for 1,000 tokens"),
                    _intensity_now(),
                    _energy_now(),
                    _intensity_over_time(),
                ),
            ),
            Row("What drives it", (_change(), _tokens_changed(), _shares(), _tiers())),
        ),
    )


def _table() -> table.Panel:
    by = (q.MODEL, q.PROVIDER)
    tokens = q.count("tokens", by=by)
    columns = (
        Column("Calls", q.count("operations", by=by), "short"),
        Column("Tokens", tokens, "short"),
        Column("Energy", q.total(q.ENERGY, by=by), q.ENERGY.unit),
        Column("CO2e low", q.total(q.CO2E, "low", by), q.CO2E.unit),
        Column("CO2e", q.total(q.CO2E, by=by), q.CO2E.unit),
        Column("CO2e high", q.total(q.CO2E, "high", by), q.CO2E.unit),
        Column("Share", f"{q.total(q.CO2E, by=by)} / scalar({q.total(q.CO2E)} > 0)", "percentunit", decimals=1),
        Column("CO2e/1k tok.", q.per_thousand_tokens(q.CO2E, by=by), q.CO2E.unit),
    )
    about = f"Energy, CO2e and shares of models in the shown range. {MODELLED} A model without a figure has calls only."
    frame = Frame("Models", about, "short", 24, 9, NOTHING_RECORDED)
    labels = {q.MODEL: "Model", q.PROVIDER: "Provider"}
    links = (
        ("Only this model", row_link_to("models", "model")),
        ("Who calls it", row_link_to("tenants", "model")),
    )
    return table_panel(frame, labels, columns, sort_by="CO2e", row_links=links)


def _pace() -> timeseries.Panel:
    frame = Frame(
        "CO2e an hour by model",
        f"The ten models that emit most in the shown range. {MODELLED}",
        q.CO2E.unit_of_rate,
        links=_HERE,
        bounds=(0, None),
    )
    return time_panel(frame, [Query(q.largest(q.pace(q.CO2E, by=_BY_MODEL), q.CO2E, _BY_MODEL), _LEGEND)], stacked=True)


def _tokens() -> timeseries.Panel:
    frame = Frame(
        "Tokens an hour by kind",
        "Counted, each token in one kind: input computed afresh, read from or written to a prompt cache, visible "
        "output, reasoning.",
        "si:tokens/h",
        bounds=(0, None),
    )
    by = (q.TOKEN_TYPE,)
    return time_panel(
        frame, [Query(q.hourly(names.TOKENS, by=by), f"{{{{{q.TOKEN_TYPE}}}}}", exemplars=True)], stacked=True
    )


def _intensity_now() -> bargauge.Panel:
    about = f"Of calls with a figure, in the shown range, the fifteen highest. {MODELLED}"
    frame = Frame("CO2e for 1,000 tokens by model", about, q.CO2E.unit, 12, 9, NOTHING_RECORDED, links=_HERE)
    return bar_panel(frame, [Query(f"sort_desc(topk(15, {q.per_thousand_tokens(q.CO2E, by=_BY_MODEL)}))", _LEGEND)])


def _energy_now() -> bargauge.Panel:
    about = f"Of calls with a figure, in the shown range, the fifteen highest. {MODELLED}"
    frame = Frame("Energy for 1,000 tokens by model", about, q.ENERGY.unit, 12, 9, NOTHING_RECORDED, links=_HERE)
    return bar_panel(frame, [Query(f"sort_desc(topk(15, {q.per_thousand_tokens(q.ENERGY, by=_BY_MODEL)}))", _LEGEND)])


def _intensity_range(amount: Amount, title: str) -> stat.Panel:
    frame = Frame(title, f"Over all chosen calls with a figure. {MODELLED}", amount.unit, 8, 4, NOTHING_RECORDED)
    return stat_panel(frame, [Query(q.per_thousand_tokens(amount, bound), bound) for bound in q.BOUNDS])


def _intensity_over_time() -> timeseries.Panel:
    series = q.chosen(recorded("emissions_grams_per_1000_tokens", "rate1h"), _INTENSITY_VARIABLES)
    frame = Frame(
        "CO2e for 1,000 tokens over time",
        "Of the hour before each moment, by model and region, filtered by provider, model and region only. "
        f"A step is another mix of token kinds, another grid, or newer facts. {MODELLED}",
        q.CO2E.unit,
        24,
        empty=NOTHING_RECORDED,
        links=_HERE,
        bounds=(0, None),
    )
    expression = q.named(f"max by ({q.MODEL}, {q.REGION}) ({series})", q.REGION)
    return time_panel(frame, [Query(expression, f"{_LEGEND} in {{{{{q.REGION}}}}}")])


def _change() -> bargauge.Panel:
    frame = Frame(
        "Change of CO2e against the range before",
        f"By model, the ten largest rises first; what is new counts from zero. {MODELLED}",
        q.CO2E.unit,
        12,
        9,
        NOTHING_RECORDED,
        ((None, "green"), (0, "orange")),
        links=_HERE,
    )
    return bar_panel(frame, [Query(f"sort_desc(topk(10, {q.change(q.CO2E, _BY_MODEL)}))", _LEGEND)])


def _tokens_changed() -> bargauge.Panel:
    frame = Frame(
        "Change of tokens against the range before",
        "Counted. More CO2e with as many tokens is another mix of kinds, region or facts; with more tokens it is use.",
        "short",
        12,
        9,
        NOTHING_RECORDED,
        ((None, "green"), (0, "orange")),
        links=_HERE,
    )
    change = q.change_of_count("tokens", _BY_MODEL)
    return bar_panel(frame, [Query(f"sort_desc(topk(10, {change}))", _LEGEND)])


def _shares() -> stat.Panel:
    inputs = (
        f'{q.TOKEN_TYPE}=~"{ours.TOKEN_TYPE_INPUT_UNCACHED}|{ours.TOKEN_TYPE_CACHE_READ}|{ours.TOKEN_TYPE_CACHE_WRITE}"'
    )
    outputs = f'{q.TOKEN_TYPE}=~"{ours.TOKEN_TYPE_OUTPUT_VISIBLE}|{ours.TOKEN_TYPE_OUTPUT_REASONING}"'
    read = q.count("tokens", f'{q.TOKEN_TYPE}="{ours.TOKEN_TYPE_CACHE_READ}"')
    reasoned = q.count("tokens", f'{q.TOKEN_TYPE}="{ours.TOKEN_TYPE_OUTPUT_REASONING}"')
    frame = Frame(
        "Cache and reasoning",
        "Counted: input tokens read from a prompt cache, which take less energy, and output tokens spent on reasoning.",
        "percentunit",
        12,
        6,
        NOTHING_RECORDED,
        decimals=1,
    )
    return stat_panel(
        frame,
        [
            Query(f"({read} or vector(0)) / ({q.count('tokens', inputs)} > 0)", "input from cache"),
            Query(f"({reasoned} or vector(0)) / ({q.count('tokens', outputs)} > 0)", "output for reasoning"),
        ],
    )


def _tiers() -> bargauge.Panel:
    by = (q.TIER,)
    frame = Frame(
        "Energy by kind of activity data",
        "What the figures rest on, best first in docs/concepts.md: metered energy of calls, or token counts. "
        f"{MODELLED}",
        q.ENERGY.unit,
        12,
        6,
        NOTHING_RECORDED,
    )
    return bar_panel(frame, [Query(f"sort_desc({q.total(q.ENERGY, by=by)})", f"{{{{{q.TIER}}}}}")])
