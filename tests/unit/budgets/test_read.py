"""Every mistake in budgets.yaml has its file, line, key path and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_carbon.budgets.model import Severity
from otel_carbon.budgets.read import read_budgets
from otel_carbon.errors import BudgetError
from tests.unit.budgets.budget_files import budgets_from

GOOD = {
    "name": "b",
    "owner": "o",
    "scope": "{tenant: search}",
    "amount": "10",
    "unit": "kWh",
    "window": "month",
}


def _text(**keys: str | None) -> str:
    """One budget, with keys replaced or, as None, left out; it begins in line 2."""
    given = {key: text for key, text in (GOOD | keys).items() if text is not None}
    lines = [f"    {key}: {text}" for key, text in given.items()]
    return "budgets:\n  -" + lines[0][3:] + "\n" + "\n".join(lines[1:]) + "\n"


def _problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[str, ...]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BudgetError) as caught:
        read_budgets(Path("b.yaml"))
    return caught.value.problems


@pytest.mark.parametrize(
    ("keys", "place_and_problem"),
    [
        (
            {"scope": "{tenent: search}"},
            "4 scope.tenent: unknown label; did you mean 'tenant'? A label of your own is declared under `labels`",
        ),
        ({"scope": "{otel_carbon_tenant: x}"}, "4 scope.otel_carbon_tenant: write 'tenant' for this label"),
        ({"scope": "{service.name: x}"}, "4 scope.service.name: write 'service' for this label"),
        (
            {"scope": None},
            "2 scope: is required: values by label, such as {tenant: search}, or {} for all calls",
        ),
        ({"scope": "{tenant: ''}"}, "4 scope.tenant: must not be empty"),
        ({"scope": "{tenant: 7}"}, "4 scope.tenant: must be text, not 7; put it in quotes"),
        ({"scope": "{tenant: []}"}, "4 scope.tenant: must have one to 100 values"),
        (
            {"scope": "{tenant: " + "x" * 129 + "}"},
            "4 scope.tenant: is longer than 128 characters, which no label value of ours is",
        ),
        (
            {"scope": '{tenant: "\\ud800"}'},
            "4 scope.tenant: holds half of a surrogate pair, which cannot be encoded",
        ),
        ({"amount": "0"}, "5 amount: must be a number over 0 and up to 1e+15, not 0"),
        ({"amount": "-3.5"}, "5 amount: must be a number over 0 and up to 1e+15, not -3.5"),
        ({"amount": ".nan"}, "5 amount: must be a number over 0 and up to 1e+15, not nan"),
        ({"amount": "true"}, "5 amount: must be a number over 0 and up to 1e+15, not True"),
        ({"unit": "kgco2"}, "6 unit: unknown unit 'kgco2'; did you mean 'kgCO2e'?"),
        ({"unit": "parsec"}, "6 unit: unknown unit 'parsec'; allowed: L, gCO2e, kWh, kgCO2e, tokens"),
        ({"window": "monthly"}, "7 window: unknown window 'monthly'; did you mean 'month'?"),
        ({"window": "400d"}, "7 window: a rolling window is 1d to 90d; longer: quarter or year"),
        ({"window": "30d", "time_zone": "UTC"}, "8 time_zone: a rolling window has no time zone; remove it"),
        (
            {"time_zone": "Europe/Berln"},
            "8 time_zone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        ),
        (
            {"time_zone": "../../etc/passwd"},
            "8 time_zone: unknown time zone '../../etc/passwd'; such as UTC or Europe/Berlin",
        ),
        (
            {"thresholds": "[0.8, 0]"},
            "8 thresholds: must be different shares of the amount over 0 and up to 10, such as [0.8, 1.0]",
        ),
        ({"treshold": "[1]"}, "8 treshold: unknown key; did you mean 'thresholds'?"),
        ({"name": "Search!"}, "2 name: must be small letters, digits, _ and -, 63 at most, not 'Search!'"),
        ({"owner": None}, "2 owner: is required"),
        ({"unit": "tokens", "bound": "high"}, "8 bound: tokens are counted and have no range; remove it"),
        (
            {"burn_rates": "[{long: 5m, short: 1h, factor: 2}]"},
            "8 burn_rates[0].short: must be shorter than the long window",
        ),
        (
            {"burn_rates": "[{long: 1h, short: 5, factor: 2}]"},
            "8 burn_rates[0].short: must be a duration from 1m to 30d, such as 5m or 1h, not 5",
        ),
        (
            {"money": "{amount: 5, currency: EUR}"},
            "8 money: needs either price_per_unit or price_per_million_tokens; prices are yours to give",
        ),
        (
            {"money": "{amount: 5, currency: EUR, price_per_million_tokens: {output: 3}}"},
            "8 money.price_per_million_tokens.output: unknown key; did you mean 'output_visible'?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, str | None], place_and_problem: str
) -> None:
    line, problem = place_and_problem.split(" ", 1)
    assert _problems(tmp_path, monkeypatch, _text(**keys)) == (f"b.yaml:{line}: budgets[0].{problem}",)


def test_all_mistakes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "interval: 1h\nlabels: {tenant: {max_values: 3}}\n" + _text(amount="0", unit="x") + _text()[9:] + _text()[9:]

    lines = [problem.split(": ")[0] for problem in _problems(tmp_path, monkeypatch, text)]
    # interval, the taken label, amount, unit, and the name given twice
    assert lines == ["b.yaml:1", "b.yaml:2", "b.yaml:7", "b.yaml:8", "b.yaml:16"]


def test_a_label_of_the_users_own_is_declared_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = _text(scope="{team: [a, b, c]}")

    (found,) = budgets_from("labels: {team: {max_values: 3}}\n" + budget).budgets
    assert found.scope == {"team": ("a", "b", "c")}
    assert _problems(tmp_path, monkeypatch, "labels: {team: {max_values: 2}}\n" + budget) == (
        "b.yaml:1: labels: team is bounded to 2 values, but budgets name 3",
    )


def test_overlapping_scopes_are_a_warning_that_says_which(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    scopes = ("{}", "{tenant: search}", "{tenant: [billing, search], model: gpt-4o}", "{tenant: shop}")
    path.write_text(
        "budgets:\n" + "".join(_text(name=f"b{n}", scope=scope)[9:] for n, scope in enumerate(scopes)), encoding="utf-8"
    )

    assert read_budgets(path).warnings == (
        f"{path}:8: budgets[1].scope: 'b1' overlaps with b0; a call in both scopes counts in both",
        f"{path}:14: budgets[2].scope: 'b2' overlaps with b0, b1; a call in both scopes counts in both",
        f"{path}:20: budgets[3].scope: 'b3' overlaps with b0; a call in both scopes counts in both",
    )


def test_budgets_of_different_quantities_do_not_overlap(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(_text(name="a") + _text(name="c", unit="L")[9:], encoding="utf-8")

    assert read_budgets(path).warnings == ()


def test_a_month_has_the_usual_burn_rates() -> None:
    (budget,) = budgets_from(_text()).budgets

    # 2 % of 30 days in one hour: 0.02 * 720 / 1 = 14.4; 5 % in six hours: 0.05 * 720 / 6 = 6
    assert [(rate.long_s, rate.short_s, rate.factor, rate.severity) for rate in budget.burn_rates] == [
        (3600, 300, 14.4, Severity.PAGE),
        (21_600, 1800, 6.0, Severity.TICKET),
    ]


def test_a_file_that_is_no_yaml_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _problems(tmp_path, monkeypatch, "budgets: [")[0].startswith("b.yaml:1: yaml: ")
    assert _problems(tmp_path, monkeypatch, "#" * 1_100_000) == ("b.yaml: is larger than 1024 KiB",)
    assert _problems(tmp_path, monkeypatch, "budgets: []") == (
        "b.yaml:1: budgets: must be a list that is not empty, such as [one, two]",
    )
