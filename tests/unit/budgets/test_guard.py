from __future__ import annotations

import logging
import threading
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from otel_carbon import Registry, TokenUsage
from otel_carbon.budgets.guard import BudgetGuard, CarbonBudgetWarning
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.metrics.labels import SeriesLabels
from otel_carbon.metrics.totals import Totals
from tests.support.waiting import wait_until
from tests.unit.budgets.budget_files import budgets_from

if TYPE_CHECKING:
    from otel_carbon.budgets.model import Budget
    from otel_carbon.budgets.spent import Crossing

SEARCH = SeriesLabels("openai", "gpt-4o", "", "", "search", "shop", "production")
OTHER_TENANT = SEARCH._replace(tenant="billing")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def _budgets(window: str = "month", **more: str) -> tuple[Budget, ...]:
    extra = "".join(f", {key}: {text}" for key, text in more.items())
    return budgets_from(
        "budgets:\n"
        f"  - {{name: b, owner: o, scope: {{tenant: search}}, amount: 1000, unit: tokens, window: {window}{extra}}}\n"
    ).budgets


def _book(totals: Totals, tokens: int, labels: SeriesLabels = SEARCH) -> None:
    with totals.lock:
        account = totals.account(labels, None, "estimated", "")
        account.calls += 1
        account.add_tokens(AdditiveTokens(tokens, 0, 0, 0, 0))


def _shares(crossings: tuple[Crossing, ...]) -> list[float]:
    return [crossing.share for crossing in crossings]


def test_each_threshold_is_told_once_in_a_window() -> None:
    totals, clock = Totals(), Clock()
    guard = BudgetGuard(totals, _budgets(), lambda _: None, now=clock)

    _book(totals, 799)
    assert _shares(guard.check()) == []
    _book(totals, 1)
    assert _shares(guard.check()) == [0.8]
    assert _shares(guard.check()) == []
    _book(totals, 500)
    (crossing,) = guard.check()
    assert (crossing.share, crossing.used, crossing.limit, crossing.unit) == (1.0, 1300, 1000, "tokens")
    assert _shares(guard.check()) == []


def test_a_new_month_starts_from_nothing() -> None:
    totals, clock = Totals(), Clock()
    guard = BudgetGuard(totals, _budgets(), lambda _: None, now=clock)
    _book(totals, 1000)
    assert _shares(guard.check()) == [0.8, 1.0]

    clock.now += timedelta(hours=2)
    _book(totals, 700)
    assert _shares(guard.check()) == []
    _book(totals, 100)
    assert _shares(guard.check()) == [0.8]


def test_a_rolling_window_forgets_and_tells_again() -> None:
    totals, clock = Totals(), Clock()
    guard = BudgetGuard(totals, _budgets("1d"), lambda _: None, now=clock)
    _book(totals, 900)
    assert _shares(guard.check()) == [0.8]

    clock.now += timedelta(days=2)
    assert _shares(guard.check()) == []
    clock.now += timedelta(hours=1)
    _book(totals, 850)
    (crossing,) = guard.check()
    assert (crossing.share, crossing.used) == (0.8, 850)


def test_calls_out_of_scope_and_from_before_do_not_count() -> None:
    totals = Totals()
    _book(totals, 5000)
    guard = BudgetGuard(totals, _budgets(), lambda _: None, now=Clock())
    _book(totals, 5000, OTHER_TENANT)

    assert guard.check() == ()


def test_money_is_the_users_price_for_each_token_kind() -> None:
    totals = Totals()
    budgets = _budgets(money="{amount: 2, currency: EUR, price_per_million_tokens: {input_uncached: 5000}}")
    guard = BudgetGuard(totals, budgets, lambda _: None, now=Clock())
    _book(totals, 400)  # 400 tokens at 5,000 EUR a million: 2 EUR

    assert [(each.unit, each.share, each.used) for each in guard.check()] == [("EUR", 0.8, 2.0), ("EUR", 1.0, 2.0)]


def test_without_a_hook_it_is_a_typed_warning() -> None:
    totals = Totals()
    guard = BudgetGuard(totals, _budgets(thresholds="[1.0]"), now=Clock())
    _book(totals, 1200)

    with pytest.warns(
        CarbonBudgetWarning, match=r"^budget b: 1200 of 1000 tokens used in this process, 100% or more; owner: o$"
    ) as caught:
        guard.check()
    warning = caught.list[0].message
    assert isinstance(warning, CarbonBudgetWarning)
    assert warning.crossing.used == 1200


def test_a_hook_that_raises_and_warnings_made_errors_stop_nothing(caplog: pytest.LogCaptureFixture) -> None:
    totals = Totals()
    raising = BudgetGuard(totals, _budgets(), lambda _: 1 / 0, now=Clock())
    warning = BudgetGuard(totals, _budgets(), now=Clock())
    _book(totals, 2000)

    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(raising.check()) == 2
        assert len(warning.check()) == 2
    assert [record.message for record in caplog.records] == [
        "the budget guard failed; the application is unaffected"
    ] * 2


def test_the_guard_looks_by_itself_and_a_last_time_when_it_stops() -> None:
    totals = Totals()
    seen: list[tuple[float, str]] = []
    guard = BudgetGuard(
        totals,
        _budgets(),
        lambda crossing: seen.append((crossing.share, threading.current_thread().name)),
        check_interval_s=0.01,
    ).start()
    _book(totals, 800)
    wait_until(lambda: seen, timeout_s=10, what="crossing")
    _book(totals, 200)
    guard.stop()

    assert seen == [(0.8, "otel-carbon budget guard"), (1.0, "otel-carbon budget guard")]


def test_modelled_energy_is_held_against_its_bound() -> None:
    from otel_carbon import Footprint, estimate

    text = "budgets:\n" + "".join(
        f"  - {{name: {bound}, owner: o, scope: {{}}, amount: 1, unit: kWh, window: day, bound: {bound}}}\n"
        for bound in ("mid", "high")
    )
    totals = Totals()
    from otel_carbon.budgets.spent import amount_in

    usage = TokenUsage(provider="openai", model="gpt-4o", input_tokens=800, output_tokens=300)
    footprint = estimate(usage, registry=Registry.bundled())
    assert isinstance(footprint, Footprint)
    with totals.lock:
        account = totals.account(SEARCH, footprint.factors, "estimated", "")
        account.add_tokens(footprint.tokens, footprint.units)
    snapshot = totals.snapshot()
    mid, high = budgets_from(text).budgets
    assert amount_in(snapshot, mid, mid.measures[0]) == pytest.approx(footprint.energy_kwh.mid)
    assert amount_in(snapshot, high, high.measures[0]) == pytest.approx(footprint.energy_kwh.high)
