"""Read budgets.yaml: all mistakes at once, each with file, line, key path and the nearest valid name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.budgets.fields import SECONDS, Fields, mapping_names, positive
from otel_carbon.budgets.model import (
    DEFAULT_THRESHOLDS,
    UNITS,
    Bound,
    Budget,
    Budgets,
    DeclaredLabel,
    Quantity,
)
from otel_carbon.budgets.read_budget import read_burn_rates, read_money, read_scope, read_window
from otel_carbon.budgets.scopes import PROMETHEUS_LABELS, can_share_calls
from otel_carbon.errors import BudgetError
from otel_carbon.yaml_source import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otel_carbon.yaml_source import Entry, Problem

MAX_BUDGETS = 200
MAX_FILE_BYTES = 1024 * 1024
MAX_DECLARED_LABELS = 16
MAX_LABEL_VALUES = 1000
MAX_THRESHOLD = 10.0
DEFAULT_INTERVAL_S = 60
OVERLAPS_NAMED = 5
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,62}")
FILE_KEYS = ("time_zone", "interval", "labels", "budgets")
BUDGET_KEYS = (
    *("name", "owner", "scope", "amount", "unit", "window", "time_zone"),
    *("thresholds", "bound", "burn_rates", "money"),
)
TAKEN_LABELS = ("budget", "unit", "owner", "window", "threshold", "severity", "le", "otel_carbon_token_type")
"""Labels that our rules and counters use for something else."""


@dataclass(frozen=True, slots=True)
class ReadBudgets:
    """Budgets that can be used, and what about them may be unintended, a line each."""

    budgets: Budgets
    warnings: tuple[str, ...]


def read_budgets(path: Path) -> ReadBudgets:
    """Read a file of budgets.

    Raises:
        BudgetError: it cannot be used; `problems` holds one `file:line: key: message` for each mistake.
        MissingExtra: ruamel.yaml is not installed.
    """
    file = str(path)
    problems: list[Problem] = []
    if path.exists() and path.stat().st_size > MAX_FILE_BYTES:
        raise BudgetError((f"{file}: is larger than {MAX_FILE_BYTES // 1024} KiB",))
    root = read_yaml(path, file, problems)
    found = _Reader(problems).read(root) if root else None
    if problems or found is None:
        raise BudgetError(tuple(str(problem) for problem in sorted(problems)))
    budgets, lines = found
    return ReadBudgets(budgets, tuple(_overlaps(file, budgets, lines)))


class _Reader:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def read(self, root: Entry) -> tuple[Budgets, dict[str, int]] | None:
        """All budgets, and the line of each; None when something is wrong."""
        fields = Fields(root, "", self._problems, FILE_KEYS)
        zone = fields.text("time_zone", "UTC")
        interval_s = fields.duration("interval", DEFAULT_INTERVAL_S, least_s=1, most_s=5 * SECONDS["m"])
        labels = self._labels(fields)
        entries = fields.items("budgets")
        if not fields.has("budgets"):
            fields.wrong("is required: a list with at least one budget", "budgets")
        if len(entries) > MAX_BUDGETS:
            fields.wrong(f"has more than {MAX_BUDGETS} budgets", "budgets")
            return None
        budgets: list[Budget] = []
        lines: dict[str, int] = {}
        for position, entry in enumerate(entries):
            one = Fields(entry, f"budgets[{position}]", self._problems, BUDGET_KEYS)
            budget = self._budget(one, labels, zone or "UTC")
            if budget is None:
                continue
            if budget.name in lines:
                one.wrong(f"{budget.name!r} is the name of the budget in line {lines[budget.name]}, too", "name")
                continue
            lines[budget.name] = entry.line
            budgets.append(budget)
        self._check_bounds(fields, labels, budgets)
        if interval_s is None or self._problems:
            return None
        return Budgets(tuple(budgets), tuple(labels.values()), interval_s), lines

    def _labels(self, fields: Fields) -> dict[str, DeclaredLabel]:
        entry = fields.part("labels")
        found: dict[str, DeclaredLabel] = {}
        if entry is None or not fields.has("labels"):
            return found
        names = mapping_names(entry)
        section = Fields(entry, "labels", self._problems, names)
        if len(names) > MAX_DECLARED_LABELS:
            section.wrong(f"declares more than {MAX_DECLARED_LABELS} labels")
        for name, below in names.items():
            one = Fields(below, f"labels.{name}", self._problems, ("max_values",))
            taken = {*PROMETHEUS_LABELS, *PROMETHEUS_LABELS.values(), *TAKEN_LABELS}
            if name in taken:
                section.wrong("is a label of ours already; choose another name", name)
            elif not LABEL_NAME.fullmatch(name):
                section.wrong("is no name of a Prometheus label: letters, digits and _, no digit first", name)
            most = one.number("max_values", maximum=MAX_LABEL_VALUES)
            found[name] = DeclaredLabel(name, int(most or 1))
        return found

    def _budget(self, fields: Fields, labels: Mapping[str, DeclaredLabel], zone: str) -> Budget | None:
        name, owner = fields.text("name"), fields.text("owner")
        if name is not None and not NAME.fullmatch(name):
            fields.wrong(f"must be small letters, digits, _ and -, 63 at most, not {name!r}", "name")
        scope = read_scope(fields, (*PROMETHEUS_LABELS, *labels), self._problems)
        amount, unit_name = fields.number("amount"), fields.choice("unit", UNITS)
        window = read_window(fields, zone)
        thresholds = _thresholds(fields)
        bound = fields.choice("bound", (each.value for each in Bound), Bound.MID.value)
        if name is None or owner is None or scope is None or amount is None or unit_name is None or window is None:
            return None
        unit = UNITS[unit_name]
        if unit.quantity is Quantity.TOKENS and fields.has("bound"):
            fields.wrong("tokens are counted and have no range; remove it", "bound")
        burn_rates = read_burn_rates(fields, window, self._problems)
        money = read_money(fields, self._problems)
        return Budget(name, owner, scope, amount, unit, window, thresholds, Bound(bound or "mid"), burn_rates, money)

    def _check_bounds(self, fields: Fields, labels: Mapping[str, DeclaredLabel], budgets: list[Budget]) -> None:
        for label in labels.values():
            named = {value for budget in budgets for value in budget.scope.get(label.name, ())}
            if len(named) > label.max_values:
                message = f"{label.name} is bounded to {label.max_values} values, but budgets name {len(named)}"
                fields.wrong(message, "labels")


def _thresholds(fields: Fields) -> tuple[float, ...]:
    if not fields.has("thresholds"):
        return DEFAULT_THRESHOLDS
    found = [positive(entry, MAX_THRESHOLD) for entry in fields.items("thresholds")]
    shares = sorted({share for share in found if share is not None})
    if len(shares) != len(found):
        allowed = f"over 0 and up to {MAX_THRESHOLD:g}, such as [0.8, 1.0]"
        fields.wrong(f"must be different shares of the amount {allowed}", "thresholds")
    return tuple(shares)


def _overlaps(file: str, budgets: Budgets, lines: Mapping[str, int]) -> list[str]:
    """A warning for each budget that shares calls with earlier ones."""
    found = []
    for position, budget in enumerate(budgets.budgets):
        earlier = [other.name for other in budgets.budgets[:position] if can_share_calls(budget, other)]
        if earlier:
            more = f" and {len(earlier) - OVERLAPS_NAMED} more" if len(earlier) > OVERLAPS_NAMED else ""
            names = ", ".join(earlier[:OVERLAPS_NAMED]) + more
            found.append(
                f"{file}:{lines[budget.name]}: budgets[{position}].scope: {budget.name!r} overlaps with {names}; "
                "a call in both scopes counts in both"
            )
    return found
