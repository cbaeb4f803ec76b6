"""Budgets written for tests, read as users' files are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.rules import rules_text

if TYPE_CHECKING:
    from otel_carbon.budgets.model import Budgets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When promtool's tests begin."""


def budgets_from(text: str) -> Budgets:
    """The budgets of a text."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "budgets.yaml"
        path.write_text(text, encoding="utf-8")
        return read_budgets(path).budgets


def rules_from(text: str, now: datetime = EPOCH, interval_s: int | None = None) -> str:
    """The rules of a text; with an interval as long as no file may have, for months in few evaluations."""
    budgets = budgets_from(text)
    return rules_text(replace(budgets, interval_s=interval_s or budgets.interval_s), now)
