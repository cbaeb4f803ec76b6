"""The page's sections that show amounts: headline, days, models, tenants and regions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.demo.presentation import charts, markup
from otel_carbon.demo.presentation.charts import Bar, Named
from otel_carbon.demo.presentation.tables import scales_for
from otel_carbon.presentation.scales import DASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.core.interval import Interval
    from otel_carbon.demo.figures import Amounts, Figures, Row
    from otel_carbon.demo.presentation.tables import Scales
    from otel_carbon.presentation.scales import Scale

REST = "all others"
_STACKED_MODELS = 5
_WORLD, _MIX = "WOR", "mix-"
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
    body = markup.table(("Day (UTC)", "Calls", f"Emissions, {scale.unit}"), rows, label="Emissions of every day")
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
    carbon = [Named(_drawn_name(row), _scaled(a.emissions_gco2e, scales.emissions)) for row, a in _with_amounts(rows)]
    water = [Named(_drawn_name(row), _scaled(a.water_l, scales.water)) for row, a in _with_amounts(rows)]
    pair = _range_chart(
        carbon, scales.emissions.unit, charts.ACCENT, "Carbon by region with bounds", wide=_HALF
    ) + _range_chart(water, scales.water.unit, charts.WATER, "Water by region with bounds", wide=_HALF)
    body = [markup.head(*_place(row)) + _region_cells(row, amounts, scales) for row, amounts in _with_amounts(rows)]
    return f'<div class="pair">{pair}</div>{_region_table(body, figures.overall, scales)}'


def _region_table(body: Sequence[str], overall: Row, scales: Scales) -> str:
    headings = (
        "Region",
        "Calls with an estimate",
        f"Emissions, {scales.emissions.unit}",
        "Emissions per kWh, gCO2e",
        f"Water, {scales.water.unit}",
        "Water per kWh, L",
        f"Energy, {scales.energy.unit}",
    )
    footer = ""
    if overall.amounts:
        footer = markup.head("All calls with an estimate") + _region_cells(overall, overall.amounts, scales)
    return markup.table(headings, body, label="Carbon and water by region", footer=footer)


def _place(row: Row) -> tuple[str, str]:
    """A region's name, and how it is known, in words."""
    region, evidence = row.name
    known = _EVIDENCE.get(evidence, evidence)
    if evidence != ours.REGION_EVIDENCE_DEFAULT:
        return region, known
    if region == _WORLD:
        return "world average (own hardware, place not configured)", region
    if region.startswith(_MIX):
        provider = region.removeprefix(_MIX)
        return region, f"weighted mix of the grids where {provider} is taken to run; the calls name no region"
    return region, f"{known}; the calls name no region"


def _drawn_name(row: Row) -> str:
    """The short name of a region in a chart."""
    return "world average" if row.name == (_WORLD, ours.REGION_EVIDENCE_DEFAULT) else row.name[0]


def _region_cells(row: Row, amounts: Amounts, scales: Scales) -> str:
    kwh = amounts.energy_kwh.mid
    return (
        markup.cell(f"{row.estimated:,}")
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
        f"Emissions, {scales.emissions.unit}",
        f"Energy, {scales.energy.unit}",
        f"Water, {scales.water.unit}",
        "Input tokens",
        "Output tokens",
    )
    footer = markup.head("All calls") + _footprint_cells(overall, scales)
    return markup.table(headings, rows, label=f"Footprint by {first.lower()}", footer=footer)


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
