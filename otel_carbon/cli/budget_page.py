"""Where budgets stand, for people as a table with bars and as JSON for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from otel_carbon.budgets.model import SPENT
from otel_carbon.budgets.scopes import scope_text
from otel_carbon.budgets.status import FROM_COUNTERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from otel_carbon.budgets.status import BudgetStatus
    from otel_carbon.cli.console import Console

BAR_CHARACTERS = 10
FULL, EMPTY = "█", "░"
UNKNOWN = "no data"
COLUMNS = ("budget", "window", "used", "limit", "unit", "%", "", "left", "forecast", "burn rate", "owner")
NUMBERS = ("used", "limit", "%", "left", "forecast")
PERCENT = 100


def show_statuses(console: Console, statuses: Sequence[BudgetStatus]) -> None:
    """Write a table, and below it what it does not say by itself."""
    console.table("Budgets", COLUMNS, [_row(each) for each in statuses], right=NUMBERS, shortened=("owner", "window"))
    for each in statuses:
        if each.used is None:
            console.line(
                f"{each.budget.name}: Prometheus has no calls of {scope_text(each.budget.scope)} in this window; "
                "that is not zero, it is unknown"
            )
    if any(each.source == FROM_COUNTERS for each in statuses):
        console.line("(c) estimated from counters: the rules of `otel-carbon budget rules` record nothing for it yet")
    console.line("Energy, CO2e and water are modelled. A burn rate of 1 uses the limit up at the end of the window.")


def _row(status: BudgetStatus) -> tuple[str, ...]:
    limit, unit = _amount(status.measure.limit), status.measure.unit
    start, end = (status.budget.name, status.budget.window.text), status.budget.owner
    if status.used is None or status.share is None or status.remaining is None:
        return (*start, UNKNOWN, limit, unit, "", "", "", "", "", end)
    mark = " (c)" if status.source == FROM_COUNTERS else ""
    forecast = "" if status.forecast is None else _amount(status.forecast)
    rates = ", ".join(f"{rate:.2g}x {window}" for window, rate in status.burn_rates.items())
    percent = f"{status.share * PERCENT:.1f}"
    return (
        *(*start, _amount(status.used) + mark, limit, unit, percent, bar(status.share)),
        *(_amount(status.remaining), forecast, rates, end),
    )


def bar(share: float) -> str:
    """A share as a bar; it is full only when all is used, and past that it ends with a sign."""
    if share >= SPENT:
        return FULL * BAR_CHARACTERS + "!"
    filled = min(BAR_CHARACTERS - 1, round(share * BAR_CHARACTERS))
    return FULL * filled + EMPTY * (BAR_CHARACTERS - filled)


def _amount(amount: float) -> str:
    """Four digits; whole numbers above."""
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount:.4g}"


def statuses_json(statuses: Sequence[BudgetStatus], now: datetime) -> str:
    """The document of `budget status --json`; what is unknown is null, and never zero."""
    document = {"at": now.isoformat(timespec="seconds"), "budgets": [_plain(each, now) for each in statuses]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(status: BudgetStatus, now: datetime) -> dict[str, Any]:
    budget = status.budget
    start, end = budget.window.bounds(now)
    return {
        "budget": budget.name,
        "owner": budget.owner,
        "scope": {name: list(values) for name, values in budget.scope.items()},
        "unit": status.measure.unit,
        "bound": budget.bound.value,
        "window": budget.window.text,
        "window_start": start.isoformat(timespec="seconds"),
        "window_end": end.isoformat(timespec="seconds"),
        "limit": status.measure.limit,
        "used": status.used,
        "share": status.share,
        "remaining": status.remaining,
        "forecast": status.forecast,
        "burn_rates": status.burn_rates,
        "source": status.source or None,
        "spent": None if status.used is None else status.is_spent,
    }
