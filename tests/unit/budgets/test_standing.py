"""Where budgets stand by what a process counts, before and after a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import pytest

from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.standing import BudgetWatch
from otel_carbon.metrics.labels import SeriesLabels
from otel_carbon.metrics.totals import Snapshot
from tests.support.page_server import Counting, SetClock

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.budgets.model import Budget
    from otel_carbon.budgets.standing import Standing

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOKENS_OF_CALL = 1100
"""800 of input and 300 of output."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def budgets(folder: Path, **more: str) -> tuple[Budget, ...]:
    said = {"name": "shop", "owner": "me", "scope": "{service: shop}", "amount": "11000", "unit": "tokens"} | more
    path = folder / "budgets.yaml"
    path.write_text("budgets:\n  - {" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}\n")
    return read_budgets(path).budgets.budgets


def look(watch: BudgetWatch, counting: Counting) -> Standing:
    (standing,) = watch.look(counting.totals.snapshot(), counting.clock.at)
    return standing


def test_used_is_what_the_scope_has_counted_since_the_window_began(folder: Path) -> None:
    counting = Counting(SetClock(NOON))
    watch = BudgetWatch(budgets(folder, window="day", time_zone="Europe/Berlin"), "page")
    look(watch, counting)
    counting.book(2)
    counting.book(3, service="other")
    standing = look(watch, counting)
    assert standing.used == 2 * TOKENS_OF_CALL
    assert standing.share == 0.2
    assert (standing.start, standing.end) == (
        datetime(2026, 11, 25, 23, tzinfo=UTC),
        datetime(2026, 11, 26, 23, tzinfo=UTC),
    )
    assert not standing.is_whole

    counting.clock.pass_by(hours=11)  # midnight in Berlin
    look(watch, counting)
    counting.book(1)
    standing = look(watch, counting)
    assert standing.used == TOKENS_OF_CALL
    assert standing.is_whole


def restarted(folder: Path, rows: dict[str, str], **more: str) -> BudgetWatch:
    watch = BudgetWatch(budgets(folder, **more), "page")
    watch.restore(rows)
    return watch


@pytest.mark.parametrize("window", ["month", "30d"])
def test_a_restart_keeps_what_was_used_and_when_counting_began(folder: Path, window: str) -> None:
    counting = Counting(SetClock(NOON))
    watch = BudgetWatch(budgets(folder, window=window), "page")
    look(watch, counting)
    rows = watch.changed_rows()
    counting.book(4)
    counting.clock.pass_by(hours=1)

    again = restarted(folder, rows, window=window)  # the totals have outlived the process, and so they say all
    counting.clock.pass_by(hours=1)
    standing = look(again, counting)
    assert standing.used == 4 * TOKENS_OF_CALL
    assert standing.counted_since == NOON
    counting.book(1)
    assert look(again, counting).used == 5 * TOKENS_OF_CALL


def test_what_was_used_before_a_window_that_began_while_nothing_ran_is_not_in_it(folder: Path) -> None:
    counting = Counting(SetClock(NOON))
    watch = BudgetWatch(budgets(folder, window="day"), "page")
    look(watch, counting)
    rows = watch.changed_rows()
    counting.book(4)

    counting.clock.pass_by(days=1)
    again = restarted(folder, rows, window="day")
    assert look(again, counting).used == 0.0
    counting.book(2)
    assert look(again, counting).used == 2 * TOKENS_OF_CALL
    assert look(again, counting).is_whole


def test_rows_in_another_order_use_nothing_up(folder: Path) -> None:
    rows = [1e9, 0.7, 0.3, 0.2, 0.1]
    assert reduce(add, rows) > reduce(add, reversed(rows))  # added one after the other
    labels = [SeriesLabels("", "", "", "", str(number), "shop", "") for number in range(len(rows))]
    shown = {each: [0.0] * 3 + [grams] + [0.0] * 10 for each, grams in zip(labels, rows, strict=True)}
    watch = BudgetWatch(budgets(folder, window="month", unit="gCO2e"), "page")
    watch.look(Snapshot(shown, {}, {}, 0), NOON)
    (standing,) = watch.look(Snapshot(dict(reversed(shown.items())), {}, {}, 0), NOON)
    assert standing.used == 0.0


def test_a_budget_with_another_scope_begins_anew(folder: Path) -> None:
    counting = Counting(SetClock(NOON))
    watch = BudgetWatch(budgets(folder, window="month"), "page")
    look(watch, counting)
    rows = watch.changed_rows()
    counting.book(4)
    assert look(restarted(folder, rows, window="month", scope="{}"), counting).used == 0.0
    assert look(restarted(folder, rows, window="month", amount="5"), counting).used == 4 * TOKENS_OF_CALL


def test_rows_are_written_when_a_window_begins_and_not_for_every_call(folder: Path) -> None:
    counting = Counting(SetClock(NOON))
    watch = BudgetWatch(budgets(folder, window="day", thresholds="[10.0]"), "page")
    look(watch, counting)
    assert len(watch.changed_rows()) == 1
    counting.book(1)
    look(watch, counting)
    assert watch.changed_rows() == {}
    counting.clock.pass_by(days=1)
    look(watch, counting)
    assert len(watch.changed_rows()) == 1


def test_a_row_that_cannot_be_read_lets_the_budget_begin_anew(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    counting = Counting(SetClock(NOON))
    watch = BudgetWatch(budgets(folder, window="month"), "page")
    look(watch, counting)
    (key,) = watch.changed_rows()
    counting.book(4)
    assert look(restarted(folder, {key: "[}"}, window="month"), counting).used == 0.0
    assert "budget shop: what was saved of it cannot be read" in caplog.text
