"""The burn-rate alerts that a budget has unless it says otherwise: multi-window, as for service level objectives."""

from __future__ import annotations

from typing import NamedTuple

from otel_carbon.budgets.model import BurnRate, Severity
from otel_carbon.budgets.windows import DAY_S, HOUR_S, MINUTE_S


class _Usual(NamedTuple):
    """A pair of windows, and the share of the budget that is gone when the long one has burnt at the factor."""

    long_s: int
    short_s: int
    share: float
    severity: Severity


_PAGE, _TICKET = Severity.PAGE, Severity.TICKET
_BY_WINDOW_LENGTH = (
    (2 * DAY_S, (_Usual(30 * MINUTE_S, 5 * MINUTE_S, 0.10, _PAGE), _Usual(2 * HOUR_S, 10 * MINUTE_S, 0.20, _TICKET))),
    (14 * DAY_S, (_Usual(HOUR_S, 5 * MINUTE_S, 0.05, _PAGE), _Usual(6 * HOUR_S, 30 * MINUTE_S, 0.10, _TICKET))),
    (45 * DAY_S, (_Usual(HOUR_S, 5 * MINUTE_S, 0.02, _PAGE), _Usual(6 * HOUR_S, 30 * MINUTE_S, 0.05, _TICKET))),
    (180 * DAY_S, (_Usual(6 * HOUR_S, 30 * MINUTE_S, 0.02, _PAGE), _Usual(DAY_S, 2 * HOUR_S, 0.05, _TICKET))),
)
_LONGEST = (_Usual(DAY_S, 2 * HOUR_S, 0.02, _PAGE), _Usual(3 * DAY_S, 6 * HOUR_S, 0.05, _TICKET))
_DAYS_OF_PACE = {2 * DAY_S: HOUR_S, 45 * DAY_S: DAY_S}
_LONGEST_PACE_S = 7 * DAY_S


def default_burn_rates(window_s: int) -> tuple[BurnRate, ...]:
    """A fast pair that pages and a slow one that opens a ticket, for a budget window of so many seconds.

    The factor is that at which the long window alone takes its share: `share * window / long`. For 30 days that is
    14.4 for one hour (2 % of the budget) and 6 for six hours (5 %).
    """
    pairs = next((pairs for longest_s, pairs in _BY_WINDOW_LENGTH if window_s <= longest_s), _LONGEST)
    return tuple(
        BurnRate(pair.long_s, pair.short_s, round(pair.share * window_s / pair.long_s, 3), pair.severity)
        for pair in pairs
    )


def pace_s(window_s: int) -> int:
    """Over how many seconds back the pace of a forecast is taken: an hour, a day, or a week that has its weekend."""
    return next((pace for longest_s, pace in _DAYS_OF_PACE.items() if window_s <= longest_s), _LONGEST_PACE_S)
