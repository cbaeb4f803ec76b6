"""The page's sections that show amounts: headline, days, models, tenants and regions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.demo.presentation import charts, markup
from otel_carbon.demo.presentation.charts import Bar, Named
from otel_carbon.demo.presentation.scales import DASH
from otel_carbon.demo.presentation.tables import scales_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.core.interval import Interval
    from otel_carbon.demo.figures import Amounts, Figures, Row
    from otel_carbon.demo.presentation.scales import Scale
    from otel_carbon.demo.presentation.tables import Scales

REST = "all others"
_STACKED_MODELS = 5
_WIDE, _NARROW, _HALF = 944, 346, 440
_EVIDENCE = {
    ours.REGION_EVIDENCE_REPORTED: "reported by the call",
    ours.REGION_EVIDENCE_CONFIGURED: "configured",
    ours.REGION_EVIDENCE_DERIVED: "from the server\N{RIGHT SINGLE QUOTATION MARK}s address",
    ours.REGION_EVIDENCE_DEFAULT: "provider\N{RIGHT SINGLE QUOTATION MARK}s default place",
}


def headline(figures: Figures) -> str:
    """The three totals with their bounds."""
    amounts, scales = figures.overall.amounts, scales_for([figures.overall])
    if amounts is None:
        return f"<div><dt>All calls</dt><dd>{markup.UNKNOWN}</dd></div>"
    parts = (
        ("Emissions", amounts.emissions_gco2e, scales.emissions, "location-based, with embodied"),
        ("Energy", amounts.energy_kwh, scales.energy, "at the facility, PUE included"),
        ("Water", amounts.water_l, scales.water, "cooling on site and electricity"),
    )
    return "\n".join(_headline_part(name, amount, scale.coarser(), what) for name, amount, scale, what in parts)


def _headline_part(name: str, amount: Interval, scale: Scale, what: str) -> str:
    return (
        f'<div><dt>{name}</dt><dd class="mid">{scale.number(amount.mid)} <small>{markup.text(scale.unit)}</small></dd>'
        f'<dd class="bounds">{markup.text(scale.bounds(amount))} {markup.text(scale.unit)}</dd>'
        f'<dd class="what">{what}</dd></div>'
    )


def daily(figures: Figures) -> str:
    """The stacked chart of days, once for wide and once for narrow screens, and its table."""
    scale = scales_for(figures.days).emissions
    leading = [row.name[1] for row in figures.models if row.amounts][:_STACKED_MODELS]
    series = [*leading, REST]
    bars = _bars(figures, leading, scale)
    title = f"Daily emissions by model, {scale.unit}"
    description = _described_days(figures.days, scale)
    drawings = [
        f'<div class="{name}">{charts.described(svg, title, description)}</div>'
        for name, svg in (
            ("wide", charts.stacked_days(bars, series, scale, width=_WIDE, height=300)),
            ("narrow", charts.stacked_days(bars, series, scale, width=_NARROW, height=240)),
        )
    ]
    return f"{_key(series)}\n<figure>{''.join(drawings)}</figure>\n{_day_table(figures.days, scale)}"


def _bars(figures: Figures, leading: Sequence[str], scale: Scale) -> list[Bar]:
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for (day, model), gco2e in figures.daily_emissions_gco2e.items():
        sums[day, model if model in leading else REST] += gco2e
    return [Bar(day, series, gco2e * scale.factor) for (day, series), gco2e in sorted(sums.items())]


def _key(series: Sequence[str]) -> str:
    items = (
        f'<li><i style="background:{colour}"></i>{markup.text(name)}</li>'
        for name, colour in charts.legend(series).items()
    )
    return f'<ul class="key">{"".join(items)}</ul>'


def _described_days(days: Sequence[Row], scale: Scale) -> str:
    known = [(row.amounts.emissions_gco2e.mid, row.name[0]) for row in days if row.amounts]
    if not known:
        return "No day has an estimate."
    (least, quiet_day), (most, busy_day) = min(known), max(known)
    return (
        f"{len(known)} days; the most on {busy_day} with {scale.number(most)} {scale.unit}, "
        f"the least on {quiet_day} with {scale.number(least)} {scale.unit}. The table below holds every day."
    )


def _day_table(days: Sequence[Row], scale: Scale) -> str:
    rows = (
        markup.head(row.name[0])
        + markup.cell(f"{row.calls:,}")
        + markup.amount_cell(row.amounts.emissions_gco2e if row.amounts else None, scale)
        for row in days
    )
    body = markup.table(("Day (UTC)", "Calls", scale.unit), rows)
    return f"<details><summary>Every day as a table</summary>{body}</details>"


def models(figures: Figures) -> str:
    """The chart of ranges by model, and the table."""
    scales = scales_for([*figures.models, figures.overall])
    named = [
        Named(row.name[1], _scaled(row.amounts.emissions_gco2e, scales.emissions))
        for row in figures.models
        if row.amounts
    ]
    chart = _range_chart(named, scales.emissions.unit, charts.ACCENT, "Emissions by model with bounds", wide=_WIDE)
    rows = [markup.head(row.name[1], row.name[0]) + _footprint_cells(row, scales) for row in figures.models]
    return chart + _footprint_table("Model", rows, figures.overall, scales)


def tenants(figures: Figures) -> str:
    """The table by tenant."""
    scales = scales_for([*figures.tenants, figures.overall])
    rows = [markup.head(row.name[0]) + _footprint_cells(row, scales) for row in figures.tenants]
    return _footprint_table("Tenant", rows, figures.overall, scales)


def regions(figures: Figures) -> str:
    """Carbon and water of each region side by side, as charts and as a table."""
    rows = [row for row in figures.regions if row.amounts]
    scales = scales_for([*rows, figures.overall])
    carbon = [Named(row.name[0], _scaled(a.emissions_gco2e, scales.emissions)) for row, a in _with_amounts(rows)]
    water = [Named(row.name[0], _scaled(a.water_l, scales.water)) for row, a in _with_amounts(rows)]
    pair = _range_chart(
        carbon, scales.emissions.unit, charts.ACCENT, "Carbon by region with bounds", wide=_HALF
    ) + _range_chart(water, scales.water.unit, charts.WATER, "Water by region with bounds", wide=_HALF)
    headings = (
        "Region",
        "Calls",
        scales.emissions.unit,
        "gCO2e/kWh",
        scales.water.unit,
        "L/kWh",
        scales.energy.unit,
    )
    body = [_region_row(row, amounts, scales) for row, amounts in _with_amounts(rows)]
    return f'<div class="pair">{pair}</div>{markup.table(headings, body)}'


def _region_row(row: Row, amounts: Amounts, scales: Scales) -> str:
    kwh = amounts.energy_kwh.mid
    return (
        markup.head(row.name[0], _EVIDENCE.get(row.name[1], row.name[1]))
        + markup.cell(f"{row.calls:,}")
        + markup.amount_cell(amounts.emissions_gco2e, scales.emissions)
        + markup.cell(f"{amounts.emissions_gco2e.mid / kwh:,.0f}" if kwh else DASH)
        + markup.amount_cell(amounts.water_l, scales.water)
        + markup.cell(f"{amounts.water_l.mid / kwh:,.2f}" if kwh else DASH)
        + markup.amount_cell(amounts.energy_kwh, scales.energy)
    )


def _with_amounts(rows: Sequence[Row]) -> list[tuple[Row, Amounts]]:
    return [(row, row.amounts) for row in rows if row.amounts]


def _range_chart(named: Sequence[Named], unit: str, colour: str, title: str, *, wide: int) -> str:
    if not named:
        return ""
    description = "; ".join(
        f"{each.name}: {each.amount.mid:.3g}, from {each.amount.low:.3g} to {each.amount.high:.3g}" for each in named
    )
    drawings = [
        f'<div class="{name}">{charts.described(svg, title, description)}</div>'
        for name, svg in (
            ("wide", charts.ranges(named, unit, colour, width=wide)),
            ("narrow", charts.ranges(named, unit, colour, width=_NARROW)),
        )
    ]
    caption = f"{title}, {unit}: the dot is the mid, the line reaches from low to high."
    return f"<figure><figcaption>{markup.text(caption)}</figcaption>{''.join(drawings)}</figure>"


def _footprint_table(first: str, rows: Sequence[str], overall: Row, scales: Scales) -> str:
    headings = (
        first,
        "Calls",
        scales.emissions.unit,
        scales.energy.unit,
        scales.water.unit,
        "Input tokens",
        "Output tokens",
    )
    footer = markup.head("All calls") + _footprint_cells(overall, scales)
    return markup.table(headings, rows, footer=footer)


def _footprint_cells(row: Row, scales: Scales) -> str:
    amounts = row.amounts
    return (
        markup.cell(f"{row.calls:,}", f"{row.unestimated:,} unestimated" if row.unestimated else "")
        + markup.amount_cell(amounts.emissions_gco2e if amounts else None, scales.emissions)
        + markup.amount_cell(amounts.energy_kwh if amounts else None, scales.energy)
        + markup.amount_cell(amounts.water_l if amounts else None, scales.water)
        + markup.cell(f"{row.input_tokens:,}")
        + markup.cell(f"{row.output_tokens:,}")
    )


def _scaled(amount: Interval, scale: Scale) -> Interval:
    return amount.scaled(scale.factor)
