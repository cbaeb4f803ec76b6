"""The charts of the page: Vega-Lite drawn to static SVG, in colours that the page's style sheet can replace."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import vl_convert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_carbon.core.interval import Interval
    from otel_carbon.presentation.scales import Scale

VEGALITE_VERSION = "5.20"
INK, QUIET, RULE, ACCENT, WATER = "#1c2528", "#5d6a6e", "#d8dedf", "#0f6b5c", "#2a6fb0"
"""Colours that the style sheet knows and turns around in the dark."""
PHONE_WIDTH = 500
"""Below this width, in CSS pixels, a chart shows fewer labels."""
SERIES = ("#2a9481", "#d98e04", "#3f78b5", "#b5485d", "#7a5ea8", "#8a979b")
"""Colours of stacked series, the last one for the rest."""
_ROOM_FOR_NAMES = 26
_MOST_NARROW_TICKS = 5
_MARGIN = {"left": 6, "right": 14, "top": 4, "bottom": 2}

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """An amount on a day, in the unit of the chart."""

    day: str
    series: str
    amount: float


@dataclass(frozen=True, slots=True)
class Named:
    """A named amount with its bounds, in the unit of the chart."""

    name: str
    amount: Interval


def stacked_days(bars: Sequence[Bar], series: Sequence[str], scale: Scale, *, width: int, height: int) -> str:
    """Daily amounts stacked by series, as SVG; the first series stands at the bottom."""
    rank = {name: position for position, name in enumerate(series)}
    values = [{"day": bar.day, "series": bar.series, "amount": bar.amount, "rank": rank[bar.series]} for bar in bars]
    narrow = width < PHONE_WIDTH
    spec: Spec = {
        "width": width,
        "height": height,
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadius": 0},
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "timeUnit": "utcyearmonthdate",
                "axis": {
                    "format": "%-d %b",
                    "labelAngle": 0,
                    "title": None,
                    "grid": False,
                    "values": _tick_days(values, 7 if narrow else 3),
                },
                "scale": {"paddingInner": 0.28, "paddingOuter": 0.1},
            },
            "y": {
                "field": "amount",
                "type": "quantitative",
                "axis": {"title": f"{_lowered(scale.unit)} a day", "tickCount": 5, "domain": False, "ticks": False},
            },
            "color": {
                "field": "series",
                "type": "nominal",
                "scale": {"domain": list(series), "range": list(_colours(len(series)))},
                "legend": None,
            },
            "order": {"field": "rank"},
        },
    }
    return _svg(spec)


def ranges(amounts: Sequence[Named], unit: str, colour: str, *, width: int) -> str:
    """Bounds as lines and mids as dots on a logarithmic axis, one row a name, as SVG."""
    values = [
        {"name": each.name, "low": each.amount.low, "mid": each.amount.mid, "high": each.amount.high}
        for each in amounts
    ]
    label_limit = max(110, width // 3)
    y = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "domain": False, "ticks": False, "labelLimit": label_limit, "labelPadding": 8},
    }
    decades = _decades(amounts)
    axis = {
        "title": f"{_lowered(unit)} (logarithmic)",
        "domain": False,
        "ticks": False,
        "values": decades[::2] if width < PHONE_WIDTH and len(decades) > _MOST_NARROW_TICKS else decades,
        "format": "~g",
        "labelFlush": False,
        "labelOverlap": "greedy",
    }
    scale = {"type": "log", "domain": [decades[0], decades[-1]]}
    line_x = {"field": "low", "type": "quantitative", "scale": scale, "axis": axis}
    spec: Spec = {
        "width": width,
        "height": {"step": 26},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.55, "color": colour},
                "encoding": {"y": y, "x": line_x, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 64, "opacity": 1, "color": colour},
                "encoding": {"y": y, "x": {"field": "mid", "type": "quantitative"}},
            },
        ],
    }
    # Names are drawn in the reader's font, which may be wider than the one they were fitted with.
    return _svg(spec | {"padding": _MARGIN | {"left": _ROOM_FOR_NAMES}})


def legend(series: Sequence[str]) -> Mapping[str, str]:
    """The colour of each series."""
    return dict(zip(series, _colours(len(series)), strict=True))


def described(svg: str, title: str, description: str) -> str:
    """An SVG with its text alternative, for those who do not see it."""
    label = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    return re.sub(r"(<svg\b[^>]*?)(/?>)", rf'\1 role="img">{_as_replacement(label)}', svg, count=1)


def _colours(count: int) -> Iterable[str]:
    return (*SERIES[: count - 1], SERIES[-1]) if count >= len(SERIES) else SERIES[:count]


def _decades(amounts: Sequence[Named]) -> list[float]:
    """The powers of ten from below the least to above the largest bound."""
    lows = [each.amount.low for each in amounts if each.amount.low > 0.0]
    least = math.floor(math.log10(min(lows, default=0.1)))
    most = math.ceil(math.log10(max(each.amount.high for each in amounts)))
    return [10.0**exponent for exponent in range(least, max(most, least + 1) + 1)]


def _tick_days(values: Sequence[Mapping[str, Any]], step: int) -> list[Spec]:
    days = sorted({entry["day"] for entry in values})
    return [{"year": int(day[:4]), "month": int(day[5:7]), "date": int(day[8:]), "utc": True} for day in days[::step]]


def _svg(spec: Spec) -> str:
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": None,
        "padding": _MARGIN,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": _CONFIG,
    } | spec
    drawn = vl_convert.vegalite_to_svg(whole, vl_version=VEGALITE_VERSION)
    # The page scales a chart to its column: a view box is enough, fixed sizes would fight the style sheet.
    return re.sub(r'(<svg\b[^>]*?) width="[\d.]+" height="[\d.]+"', r"\1", str(drawn), count=1)


def _lowered(unit: str) -> str:
    return unit.replace("CO2", "CO\N{SUBSCRIPT TWO}")


def _as_replacement(text: str) -> str:
    return text.replace("\\", r"\\")


_CONFIG: Spec = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": QUIET,
        "titleColor": QUIET,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": RULE,
        "domainColor": RULE,
        "tickColor": RULE,
    },
    "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -8, "titleX": 0},
}
