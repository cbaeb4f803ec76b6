"""What the rules count as used, evaluated by the real promtool from 1970-01-01 (a Thursday) on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.rule_runs import run_rules
from tests.unit.budgets.budget_files import rules_from

if TYPE_CHECKING:
    from pathlib import Path

TARGET = 'job="app",instance="a:1"'
ALIVE = {f"otel_carbon_dropped_series_total{{{TARGET}}}": "0x3000"}
GRAMS = f'otel_carbon_emissions_grams_total{{{TARGET},otel_carbon_tenant="search"}}'
USED = 'otel_carbon_budget_used{budget="b"}'


def _rules(window: str, *, interval_s: int = 60, zone: str = "UTC") -> str:
    return rules_from(
        f"budgets:\n"
        f"  - {{name: b, owner: o, scope: {{tenant: search}}, amount: 1000, unit: gCO2e, window: {window}"
        + (f", time_zone: {zone}" if zone != "UTC" else "")
        + "}\n",
        interval_s=interval_s,
    )


def test_a_month_counts_to_its_last_evaluation_and_the_next_starts_from_nothing(tmp_path: Path) -> None:
    # 1 g an hour: 24 g a day. January has 31 days, February has 28.
    run_rules(
        tmp_path,
        _rules("month", interval_s=3600),
        samples={**ALIVE, GRAMS: "0+1x1440"},
        sample_interval="1h",
        interval="1h",
        values=[
            ("1d", USED, 24),
            ("30d23h", USED, 31 * 24 - 1),
            ("31d", USED, 1),  # what came since the last evaluation of January counts in February
            ("31d1h", USED, 2),
            ("58d23h", USED, 28 * 24),
            ("59d", USED, 1),
            ("31d", "otel_carbon_budget:window_days", 28),
            ("31d12h", "otel_carbon_budget:window_remaining_seconds", 27.5 * 86_400),
        ],
    )


def test_a_counter_that_falls_was_started_anew(tmp_path: Path) -> None:
    # 10 g a minute; after 10 minutes the process starts anew and has 4 g when it is seen next.
    run_rules(
        tmp_path,
        _rules("day"),
        samples={**ALIVE, GRAMS: "0+10x10 4+10x10"},
        sample_interval="1m",
        interval="1m",
        values=[("10m", USED, 100), ("11m", USED, 104), ("20m", USED, 194)],
    )


def test_a_new_series_of_a_known_target_counts_whole(tmp_path: Path) -> None:
    run_rules(
        tmp_path,
        _rules("day"),
        samples={**ALIVE, GRAMS: "_x5 7 7 9"},
        sample_interval="1m",
        interval="1m",
        values=[("4m", USED, None), ("5m", USED, 7), ("7m", USED, 9)],
    )


def test_the_first_sample_of_a_new_target_is_where_counting_starts(tmp_path: Path) -> None:
    # A collector that has run for long is scraped for the first time: its 5,000 g are not of this window.
    alive = {f"otel_carbon_dropped_series_total{{{TARGET}}}": "_x5 0x60"}
    run_rules(
        tmp_path,
        _rules("day"),
        samples={**alive, GRAMS: "_x5 5000 5003 5003"},
        sample_interval="1m",
        interval="1m",
        values=[("5m", USED, None), ("6m", USED, 3), ("7m", USED, 3)],
        alerts=[("5m", "OtelCarbonBudgetThreshold", [])],
    )


def test_a_gap_of_scrapes_is_caught_up(tmp_path: Path) -> None:
    # No sample for 20 min; the counter went on from 50 to 80 meanwhile.
    run_rules(
        tmp_path,
        _rules("day"),
        samples={f"otel_carbon_dropped_series_total{{{TARGET}}}": "0x5 _x19 0x10", GRAMS: "0+10x5 _x19 80+0x10"},
        sample_interval="1m",
        interval="1m",
        values=[("5m", USED, 50), ("20m", USED, 50), ("26m", USED, 80)],
    )


def test_a_scope_without_any_series_has_no_amount_at_all(tmp_path: Path) -> None:
    run_rules(
        tmp_path,
        _rules("day"),
        samples=ALIVE,
        sample_interval="1m",
        interval="1m",
        values=[("10m", USED, None), ("10m", "otel_carbon_budget_remaining", None)],
        alerts=[("10m", "OtelCarbonBudgetThreshold", []), ("10m", "OtelCarbonBudgetBurnRate", [])],
    )


def test_a_rolling_window_forgets_what_is_older(tmp_path: Path) -> None:
    # 60 g an hour through the first day, nothing on the second.
    run_rules(
        tmp_path,
        _rules("1d", interval_s=3600),
        samples={**ALIVE, GRAMS: "0+60x24 1440+0x48"},
        sample_interval="1h",
        interval="1h",
        values=[("1d", USED, 1440), ("1d12h", USED, 720), ("2d1h", USED, 0)],
    )


def test_a_day_begins_at_midnight_of_its_time_zone(tmp_path: Path) -> None:
    # New York is five hours behind: its days begin at 05:00 UTC. 1 g an hour.
    run_rules(
        tmp_path,
        _rules("day", interval_s=3600, zone="America/New_York"),
        samples={**ALIVE, GRAMS: "0+1x60"},
        sample_interval="1h",
        interval="1h",
        values=[("29h", USED, 1), ("52h", USED, 24), ("53h", USED, 1)],
    )


def test_a_change_of_the_clocks_makes_a_day_an_hour_shorter(tmp_path: Path) -> None:
    # Clocks in New York went forward on 1970-04-26: day 115 began at 05:00 UTC, day 116 at 04:00 UTC. 1 g an hour.
    run_rules(
        tmp_path,
        _rules("day", interval_s=3600, zone="America/New_York"),
        samples={**ALIVE, GRAMS: "0+1x2900"},
        sample_interval="1h",
        interval="1h",
        values=[
            ("115d5h", USED, 1),
            ("116d3h", USED, 23),
            ("116d4h", USED, 1),
            ("116d4h", "otel_carbon_budget:window_start_seconds", 116 * 86_400 + 4 * 3600),
            ("115d20h", "otel_carbon_budget:window_start_seconds", 115 * 86_400 + 5 * 3600),
        ],
    )


def test_weeks_begin_on_monday_and_quarters_and_years_have_their_lengths(tmp_path: Path) -> None:
    windows = ("week", "quarter", "year")
    text = "budgets:\n" + "".join(
        f"  - {{name: {window}, owner: o, scope: {{}}, amount: 1, unit: L, window: {window}}}\n" for window in windows
    )
    days = 'otel_carbon_budget:window_days{window="%s"}'
    start = 'otel_carbon_budget:window_start_seconds{window="%s"}'
    run_rules(
        tmp_path,
        rules_from(text),
        samples=ALIVE,
        sample_interval="1h",
        interval="12h",
        values=[
            ("0s", start % "week", -3 * 86_400),  # Monday, 1969-12-29
            ("4d", start % "week", 4 * 86_400),  # Monday, 1970-01-05
            ("89d12h", days % "quarter", 31 + 28 + 31),
            ("90d", start % "quarter", 90 * 86_400),  # 1970-04-01
            ("200d", days % "quarter", 31 + 31 + 30),  # July to September
            ("200d", start % "quarter", 181 * 86_400),
            ("364d", days % "year", 365),
            ("800d", days % "year", 366),  # 1972
            ("800d", start % "year", 730 * 86_400),
        ],
    )
