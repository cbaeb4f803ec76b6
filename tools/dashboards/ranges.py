"""Panels that several dashboards have: a modelled amount with its range, in figures and over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.dashboards.panels import NOTHING_RECORDED, Frame, Query, band_panel, stat_panel
from tools.dashboards.queries import BOUNDS, pace, per_hour, total

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, timeseries

    from tools.dashboards.queries import Amount

MODELLED = "Modelled, not metered: low and high are the worst case of the factors, not a confidence interval."


def range_stat(amount: Amount, title: str, what: str, *, width: int = 8, time_from: str = "") -> stat.Panel:
    """Low, mid and high of an amount in the shown range, or in a range of the panel's own."""
    about = f"{what} {MODELLED} From the recording rules, which count a series from its first sample on."
    frame = Frame(title, about, amount.unit, width, 4, NOTHING_RECORDED, time_from=time_from)
    return stat_panel(frame, [Query(total(amount, bound), bound) for bound in BOUNDS])


def pace_band(amount: Amount, title: str, what: str, *, width: int = 12) -> timeseries.Panel:
    """How fast an amount grows, as a line in its range; points lead to traces where there are exemplars."""
    frame = Frame(title, f"{what} {MODELLED}", amount.unit_of_rate, width, bounds=(0, None))
    return band_panel(frame, {bound: pace(amount, bound) for bound in BOUNDS}, exemplars=True)


def hour_band(amount: Amount, title: str, what: str, *, width: int = 12, time_from: str = "") -> timeseries.Panel:
    """What an amount came to in the hour before each moment; cheap over weeks, as it is recorded."""
    frame = Frame(
        title, f"{what} {MODELLED}", amount.unit, width, empty=NOTHING_RECORDED, time_from=time_from, bounds=(0, None)
    )
    return band_panel(frame, {bound: per_hour(amount, bound) for bound in BOUNDS})
