"""Memory over time as a static picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import vl_convert

from otel_carbon.demo.presentation.charts import ACCENT, INK, QUIET, RULE, VEGALITE_VERSION, described

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 680, 240


def memory_plot(samples: Sequence[tuple[float, float]], description: str) -> str:
    """Draw resident memory as SVG.

    Args:
        samples: seconds since the start, and MiB.
        description: what is to be seen, for those who do not see it.
    """
    axis = {"labelColor": QUIET, "titleColor": QUIET, "titleFontWeight": "normal", "gridColor": RULE}
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "data": {"values": [{"minutes": seconds / 60, "mib": mib} for seconds, mib in samples]},
        "mark": {"type": "line", "color": ACCENT, "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": "minutes", "type": "quantitative", "axis": {"title": "minutes"}},
            "y": {
                "field": "mib",
                "type": "quantitative",
                "scale": {"zero": True},
                "axis": {"title": "resident memory, MiB"},
            },
        },
        "config": {"font": "system-ui, sans-serif", "view": {"stroke": None}, "axis": axis, "text": {"color": INK}},
    }
    drawn = str(vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION))
    return described(drawn, "Memory of the collector under steady load", description)
