"""What the recording rules make of counters, evaluated by the real promtool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.rule_runs import run_rules
from tools.generate_prometheus_rules import FILE, rules_file
from tools.prometheus_rules import recording_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parents[3]
RULES = (REPOSITORY / FILE).read_text(encoding="utf-8")
TARGET = 'job="collector",instance="a:1"'
CALLS = (
    f'{TARGET},gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o",service_name="shop",otel_carbon_tier="t"'
)
ALIVE = {f"otel_carbon_dropped_series_total{{{TARGET}}}": "0x300"}
KWH, KG = "otel_carbon:energy_kilowatt_hours", "otel_carbon:emissions_kilograms"
INTENSITY = "otel_carbon:emissions_grams_per_1000_tokens:rate1h"
COVERAGE = "otel_carbon:coverage:ratio_rate1h"


def joules(labels: str = CALLS) -> str:
    return f"otel_carbon_energy_joules_total{{{labels}}}"


def operations(status: str, reason: str = "", service: str = "shop") -> str:
    outcome = f'otel_carbon_status="{status}"' + (f',otel_carbon_reason="{reason}"' if reason else "")
    return f'otel_carbon_operations_total{{{TARGET},service_name="{service}",{outcome}}}'


def evaluate(
    folder: Path, samples: Mapping[str, str], values: Sequence[tuple[str, str, float | None]], interval: str = "1m"
) -> None:
    run_rules(folder, RULES, samples={**ALIVE, **samples}, sample_interval=interval, interval="1m", values=values)


def test_the_committed_file_is_the_generated_one() -> None:
    assert rules_file() == RULES


def test_every_name_is_recorded_once() -> None:
    names = [name for name, _ in recording_rules()]
    assert len(names) == len(set(names)) == 2 * 12 + 2


def test_an_hour_is_the_sum_of_its_minutes_in_the_unit_that_people_read(tmp_path: Path) -> None:
    # 36,000 J a minute are 0.01 kWh, 0.6 kWh an hour; 50 g a minute are 3 kg an hour.
    evaluate(
        tmp_path,
        {
            joules(): "0+36000x180",
            f"otel_carbon_emissions_grams_total{{{CALLS}}}": "0+50x180",
            f"otel_carbon_emissions_low_grams_total{{{CALLS}}}": "0+10x180",
            f"otel_carbon_water_high_L_total{{{CALLS}}}": "0+2x180",
        },
        [
            ("30m", f"round({KWH}:increase1m, 0.0001)", 0.01),
            ("30m", f"round({KWH}:increase1h, 0.0001)", 0.3),
            ("2h", f"round({KWH}:increase1h, 0.0001)", 0.6),
            ("2h", f"round({KG}:increase1h, 0.0001)", 3),
            ("2h", "round(otel_carbon:emissions_low_kilograms:increase1h, 0.0001)", 0.6),
            ("2h", "otel_carbon:water_high_liters:increase1h", 120),
            # The hours add up: no minute is in two of them, none in none.
            ("3h", f"round(sum_over_time({KG}:increase1h[3h:1h]), 0.0001)", 9),
        ],
    )


def test_scrapes_that_fail_at_an_evaluation_lose_nothing_of_what_came_before_them(tmp_path: Path) -> None:
    # Scraped each 15 s: 300 g between 1m and 2m, no answer at 2m and 2m15s, 100 g more after that: 0.4 kg.
    emissions = f"otel_carbon_emissions_grams_total{{{CALLS}}}"
    evaluate(
        tmp_path,
        {emissions: "0x4 100 200 300 stale stale 400x20"},
        [("2m", f"{KG}:increase1h", 0.3), ("4m", f"{KG}:increase1h", 0.4)],
        interval="15s",
    )


def test_a_counter_that_falls_was_started_anew_and_nothing_is_lost(tmp_path: Path) -> None:
    # 360,000 J a minute to 3,600,000 J; anew with 720,000 J, then 360,000 J a minute to 3,600,000 J: 2 kWh in all.
    evaluate(
        tmp_path,
        {joules(): "0+360000x10 720000+360000x8 3600000x10"},
        [
            ("10m", f"{KWH}:increase1h", 1),
            ("11m", f"round({KWH}:increase1h, 0.0001)", 1.2),
            ("25m", f"{KWH}:increase1h", 2),
        ],
    )


def test_a_series_that_appears_late_counts_whole_where_increase_would_miss_it(tmp_path: Path) -> None:
    evaluate(
        tmp_path,
        {joules(): "_x30 3600000x60"},
        [
            ("29m", f"{KWH}:increase1h", None),
            ("30m", f"{KWH}:increase1h", 1),
            ("60m", f"{KWH}:increase1h", 1),
            ("60m", f"increase({joules()}[1h])", 0),  # why this is not simply `increase`
            ("89m", f"{KWH}:increase1h", 1),
            ("90m", f"{KWH}:increase1h", 0),
        ],
    )


def test_a_target_that_is_new_starts_from_its_first_sample(tmp_path: Path) -> None:
    # A collector that has run for long: what it had counted before is not of this hour.
    run_rules(
        tmp_path,
        RULES,
        samples={
            f"otel_carbon_dropped_series_total{{{TARGET}}}": "_x10 0x60",
            joules(): "_x10 720000000 723600000 723600000x20",
        },
        sample_interval="1m",
        interval="1m",
        values=[("10m", f"{KWH}:increase1h", None), ("20m", f"{KWH}:increase1h", 1)],
    )


def test_a_gap_of_scrapes_is_caught_up_when_it_ends(tmp_path: Path) -> None:
    evaluate(
        tmp_path,
        {joules(): "0+360000x5 _x20 3600000x60", f"otel_carbon_dropped_series_total{{{TARGET}}}": "0x5 _x20 0x60"},
        [("20m", f"{KWH}:increase1h", 0.5), ("26m", f"{KWH}:increase1h", 1)],
    )


def test_a_sample_of_a_scrape_that_is_under_way_at_an_evaluation_is_in_the_next_growth(tmp_path: Path) -> None:
    # As they are, the rules look at 3 seconds ago: here the sample of a minute before. All of it counts, but later.
    run_rules(
        tmp_path,
        RULES,
        samples={**ALIVE, joules(): "0+360000x10 3600000x60"},
        sample_interval="1m",
        interval="1m",
        waits=True,
        values=[("10m", f"round({KWH}:increase1h, 0.0001)", 0.9), ("11m", f"round({KWH}:increase1h, 0.0001)", 1)],
    )


def test_samples_between_evaluations_are_neither_lost_nor_doubled(tmp_path: Path) -> None:
    # A scrape each 15 s: 90,000 J each, 360,000 J a minute.
    evaluate(
        tmp_path,
        {joules(): "0+90000x480"},
        [("30m", f"round({KWH}:increase1h, 0.0001)", 3), ("90m", f"round({KWH}:increase1h, 0.0001)", 6)],
        interval="15s",
    )


def test_processes_of_one_service_are_summed_and_labels_of_your_own_are_kept(tmp_path: Path) -> None:
    def of(instance: str) -> str:
        return f'job="app",instance="{instance}",pod="{instance}",service_name="shop",team="search"'

    evaluate(
        tmp_path,
        {
            **{f"otel_carbon_dropped_series_total{{{of(each)}}}": "0x60" for each in ("a", "b")},
            joules(of("a")): "0+3600000x10",
            joules(of("b")): "0+7200000x10",
        },
        [("1m", f'{KWH}:increase1m{{job="app",instance="",pod="",service_name="shop",team="search"}}', 3)],
    )


def test_intensity_is_grams_by_the_tokens_of_calls_with_a_figure(tmp_path: Path) -> None:
    # 50 g and 20,000 + 5,000 tokens a minute: 2 g for 1,000 tokens. Tokens without a tier have no grams.
    tokens = 'otel_carbon_tokens_total{%s,otel_carbon_token_type="%s"}'
    no_tier = CALLS.replace(',otel_carbon_tier="t"', "")
    evaluate(
        tmp_path,
        {
            f"otel_carbon_emissions_grams_total{{{CALLS}}}": "0+50x10 500x100",
            tokens % (CALLS, "input_uncached"): "0+20000x10 200000x100",
            tokens % (CALLS, "output_visible"): "0+5000x10 50000x100",
            tokens % (no_tier, "input_uncached"): "0+99999x10 999990x100",
        },
        [
            ("10m", f'round({INTENSITY}{{gen_ai_response_model="gpt-4o"}}, 0.0001)', 2),
            ("100m", INTENSITY, None),  # an hour without calls has none
        ],
    )


def test_coverage_is_the_share_of_calls_with_a_figure_where_a_model_ran(tmp_path: Path) -> None:
    # 6 of 8 calls a minute have a figure; answers of a cache are none of a model.
    evaluate(
        tmp_path,
        {
            operations("estimated"): "0+6x10 60x100",
            operations("unestimated", "no_usage"): "0+2x10 20x100",
            operations("unestimated", "cache_hit"): "0+9x10 90x100",
            operations("unestimated", "no_usage", "batch"): "0+2x10 20x100",
        },
        [
            ("10m", f'{COVERAGE}{{service_name="shop"}}', 0.75),
            ("10m", f'{COVERAGE}{{service_name="batch"}}', 0),  # not absent
            ("100m", COVERAGE, None),
        ],
    )
