"""The alerts of budgets, fired and resolved by the real promtool."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.rules import rules_text
from tests.support.rule_runs import check_rules, run_rules
from tests.unit.budgets.budget_files import rules_from

REPOSITORY = Path(__file__).resolve().parents[3]
TARGET = 'job="app",instance="a:1"'
SEARCH = f'{TARGET},otel_carbon_tenant="search",gen_ai_provider_name="openai"'
ALIVE = {f"otel_carbon_dropped_series_total{{{TARGET}}}": "0x3000"}
GRAMS = f"otel_carbon_emissions_high_grams_total{{{SEARCH}}}"
RULES = """\
budgets:
  - name: search
    owner: team-search
    scope: {tenant: search, provider: [openai, anthropic]}
    amount: 12
    unit: kgCO2e
    bound: high
    window: day
    burn_rates:
      - {long: 1h, short: 5m, factor: 4, severity: page}
"""
LABELS = {"budget": "search", "unit": "kgCO2e", "owner": "team-search"}
FACTS = {
    "limit": "12 kgCO2e",
    "scope": 'provider "openai" or "anthropic", tenant "search"',
    "owner": "team-search",
}


def _threshold(share: str, percent: str, severity: str, used: str) -> dict[str, dict[str, str]]:
    return {
        "exp_labels": {**LABELS, "severity": severity, "threshold": share},
        "exp_annotations": {
            **FACTS,
            "summary": f"Budget search has used {percent} or more of 12 kgCO2e",
            "description": f"{used} kgCO2e of 12 kgCO2e used, modelled, upper bound; window: day (UTC).",
            "used": f"{used} kgCO2e",
            "runbook_url": "docs/runbooks/OtelCarbonBudgetThreshold.md",
        },
    }


def _burn_rate(rate: str, used: str) -> dict[str, dict[str, str]]:
    return {
        "exp_labels": {**LABELS, "severity": "page", "window": "1h"},
        "exp_annotations": {
            **FACTS,
            "summary": f"Budget search is spent {rate} times as fast as it lasts",
            # 4 times the pace for one of 24 hours: 4 / 24 = 16.7 %
            "description": (
                "Over the last 1h and the last 5m more than 4 times the pace that lasts until the end of the window; "
                f"1h at 4 take about 16.7% of the budget. Used so far: {used} kgCO2e of 12 kgCO2e, "
                "modelled, upper bound; window: day (UTC)."
            ),
            "used": f"{used} kgCO2e",
            "runbook_url": "docs/runbooks/OtelCarbonBudgetBurnRate.md",
        },
    }


def test_thresholds_fire_with_scope_limit_and_amount_and_resolve_with_the_window(tmp_path: Path) -> None:
    # 100 g a minute: 9.6 kg after 96 min, 12 kg after 120 min; then nothing more.
    run_rules(
        tmp_path,
        rules_from(RULES),
        samples={**ALIVE, GRAMS: "0+100x120 12000x1500"},
        sample_interval="1m",
        interval="1m",
        alerts=[
            ("95m", "OtelCarbonBudgetThreshold", []),
            ("96m", "OtelCarbonBudgetThreshold", [_threshold("0.8", "80%", "ticket", "9.6")]),
            (
                "3h",
                "OtelCarbonBudgetThreshold",
                [_threshold("0.8", "80%", "ticket", "12"), _threshold("1", "100%", "page", "12")],
            ),
            ("1d1m", "OtelCarbonBudgetThreshold", []),
        ],
    )


def test_the_pace_fires_while_it_lasts(tmp_path: Path) -> None:
    # The pace that lasts is 500 g an hour. 50 g a minute is 6 times that; the hour is over 4 times after 40 minutes
    # (2,000 g), and it ends as soon as the last 5 minutes are calm.
    run_rules(
        tmp_path,
        rules_from(RULES),
        samples={**ALIVE, GRAMS: "0+50x50 2500x60"},
        sample_interval="1m",
        interval="1m",
        values=[
            ("50m", 'otel_carbon_budget_burn_rate{window="5m"}', 6),
            ("50m", 'otel_carbon_budget_burn_rate{window="1h"}', 5),  # 2,500 g in the hour, 500 g last
            ("50m", "otel_carbon_budget_remaining", 9.5),
            # what is used, and 50 g in each of the minutes that are left of the day
            ("50m", "otel_carbon_budget_forecast", 2.5 + 0.05 * (24 * 60 - 50)),
        ],
        alerts=[
            ("40m", "OtelCarbonBudgetBurnRate", []),
            ("45m", "OtelCarbonBudgetBurnRate", [_burn_rate("4.5", "2.25")]),
            ("56m", "OtelCarbonBudgetBurnRate", []),
        ],
    )


def test_money_is_counted_at_the_users_prices(tmp_path: Path) -> None:
    prices = "{input_uncached: 2, output_visible: 10}"
    text = RULES + f"    money: {{amount: 6, currency: EUR, price_per_million_tokens: {prices}}}\n"
    tokens = 'otel_carbon_tokens_total{%s,otel_carbon_token_type="%s"}'
    run_rules(
        tmp_path,
        rules_from(text),
        samples={
            **ALIVE,
            tokens % (SEARCH, "input_uncached"): "0 1000000 1000000",
            tokens % (SEARCH, "output_visible"): "0 300000 300000",
            tokens % (SEARCH, "cache_read"): "0 5000000 5000000",
        },
        sample_interval="1m",
        interval="1m",
        values=[
            # 1 million at 2 EUR and 0.3 million at 10 EUR; cached tokens have no price
            ("2m", 'otel_carbon_budget_used{unit="EUR"}', 5),
            ("2m", 'otel_carbon_budget_limit{unit="EUR"}', 6),
        ],
    )


def test_the_example_of_the_repository_passes_promtool_and_is_the_same_all_year(tmp_path: Path) -> None:
    budgets = read_budgets(REPOSITORY / "deploy/budgets.yaml").budgets
    spring, autumn = (rules_text(budgets, datetime(2026, month, 1, tzinfo=UTC)) for month in (3, 11))
    assert spring == autumn
    assert spring.splitlines()[1:3] == [
        "# Time zones are known until 2031; generate them anew before.",
        "# Rolling windows need --storage.tsdb.retention.time=30d or more.",
    ]
    (tmp_path / "rules.yaml").write_text(spring, encoding="utf-8")
    check_rules(tmp_path / "rules.yaml")
