"""The alerts about figures that are missing, doubled or old: each fires, keeps still, and resolves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.prometheus_rules.alert_runs import JOB, Fired, run_alert, series

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

APP = {"job": "app", "instance": "b:1"}
TICKET = {"severity": "ticket"}
COVERAGE, UNKNOWN, DOUBLE = "OtelCarbonCoverageDrop", "OtelCarbonUnknownModels", "OtelCarbonDoubleCountSuspected"


def operations(status: str, service: str = "shop", **labels: str) -> str:
    return series("otel_carbon_operations_total", service_name=service, otel_carbon_status=status, **labels)


def matched(model: str, match: str) -> str:
    labels = {"gen_ai_provider_name": "openai", "gen_ai_response_model": model, "otel_carbon_match": match}
    return series("otel_carbon_matched_operations_total", **labels)


def tokens(service: str, target: Mapping[str, str] = JOB) -> str:
    labels = {"service_name": service, "gen_ai_response_model": "gpt-4o", "otel_carbon_token_type": "input_uncached"}
    return series("otel_carbon_tokens_total", target, **labels)


def test_coverage_that_drops_fires_and_resolves_when_it_is_back(tmp_path: Path) -> None:
    # 6 calls a minute; after 3 hours none of them has a figure, for an hour: over 10 points less from minute 187 on.
    fired = Fired(
        {**TICKET, "service_name": "shop", "deployment_environment_name": "prod"},
        "63.33% of the calls of service shop have a figure",  # 38 of 60 minutes
        "More than 10 percentage points less than in the last week. "
        "Totals of this service in prod are too low by what the others used.",
    )
    prod = {"deployment_environment_name": "prod"}
    run_alert(
        tmp_path,
        COVERAGE,
        {
            operations("estimated", **prod): "0+6x180 1080x59 1080+6x120",
            operations("unestimated", otel_carbon_reason="no_usage", **prod): "0x180 6+6x59 360x120",
        },
        {"201m": (), "202m": (fired,), "305m": ()},
    )


def test_coverage_of_few_calls_or_a_low_one_that_was_always_so_says_nothing(tmp_path: Path) -> None:
    run_alert(
        tmp_path,
        COVERAGE,
        {
            # 15 calls an hour
            operations("estimated", "rare"): "0+0.25x180 45x120",
            operations("unestimated", "rare", otel_carbon_reason="no_usage"): "0x180 0+0.25x120",
            operations("estimated", "usual"): "0+1x300",
            operations("unestimated", "usual", otel_carbon_reason="no_usage"): "0+9x300",
            # A cache that begins to answer: no model ran.
            operations("estimated", "cached"): "0+6x300",
            operations("unestimated", "cached", otel_carbon_reason="cache_hit"): "0x180 0+60x120",
        },
        {"210m": (), "240m": (), "290m": ()},
    )


def test_models_that_nothing_is_known_of_fire_by_name_and_resolve_once_they_are_mapped(tmp_path: Path) -> None:
    def fired(model: str, calls: int) -> Fired:
        return Fired(
            {**TICKET, "gen_ai_provider_name": "openai", "gen_ai_response_model": model},
            f"{calls} calls in an hour of model {model}, which is unknown",
            f"The registry has nothing on model {model} of provider openai. "
            "Its calls have a very wide range, or no figure. More than 5 % of all calls are of such models.",
        )

    refused = {"gen_ai_provider_name": "openai", "gen_ai_response_model": "image-9"}
    run_alert(
        tmp_path,
        UNKNOWN,
        {
            operations("estimated"): "0+10x180",
            matched("gpt-4o", "exact"): "0+9x180",
            matched("chat-prod", "generic"): "0+1x60 60x120",
            operations("unestimated", otel_carbon_reason="model_not_registered", **refused): "0+2x60 120x120",
            matched("few", "generic"): "0+0.25x180",
        },
        # The first has 20 calls after 20 minutes and keeps them for 15; the second after 10.
        {
            "30m": (fired("image-9", 60),),
            "40m": (fired("chat-prod", 40), fired("image-9", 80)),
            "115m": (),
        },
    )


def test_unknown_models_of_few_of_all_calls_say_nothing(tmp_path: Path) -> None:
    samples = {operations("estimated"): "0+25x180", matched("chat-prod", "generic"): "0+1x180"}  # 4 %
    run_alert(tmp_path, UNKNOWN, samples, {"40m": (), "120m": ()})


def test_calls_that_counting_forgot_fire_and_resolve(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, **TICKET, "suspicion": "forgotten_calls"},
        "a:1 has forgotten calls that duplicates may still come for",
        "5 entries in 15 minutes, for lack of room. "
        "A later span of one of these calls has counted as a call of its own.",
    )
    forgotten = series("otel_carbon_collector_counting_dropped_total", processor="carbon")
    run_alert(tmp_path, DOUBLE, {forgotten: "0x30 5x60"}, {"30m": (), "31m": (fired,), "50m": ()})


def test_tokens_that_two_jobs_report_alike_fire_until_one_of_them_stops(tmp_path: Path) -> None:
    fired = Fired(
        {**TICKET, "suspicion": "two_jobs", "service_name": "shop", "gen_ai_response_model": "gpt-4o"},
        "Two jobs report the same tokens of service shop",
        "Each has counted 30k tokens of gpt-4o in the last hour, within 1 %.",
    )
    run_alert(
        tmp_path,
        DOUBLE,
        {
            tokens("shop"): "0+1000x180",
            tokens("shop", APP): "0+1000x60 60000x120",
            tokens("other"): "0+1000x180",  # what has no name of its own
            tokens("other", APP): "0+1000x180",
            # Two halves of one service that are not the same calls
            tokens("halves"): "0+1000x180",
            tokens("halves", APP): "0+900x180",
        },
        {"10m": (), "30m": (fired,), "65m": ()},
        targets=(JOB, APP),
    )


def test_a_service_with_as_many_tokens_as_all_others_fires_like_a_gateway(tmp_path: Path) -> None:
    fired = Fired(
        {**TICKET, "suspicion": "gateway", "gen_ai_response_model": "gpt-4o"},
        "Half of the tokens of gpt-4o may be counted twice",
        "In the last hour one service has reported as many tokens of gpt-4o as all others together, "
        "as a gateway does that reports the calls of its clients again.",
    )
    run_alert(
        tmp_path,
        DOUBLE,
        {
            tokens("gateway"): "0+1000x60 60000x120",
            tokens("shop"): "0+600x180",
            tokens("batch"): "0+400x180",
        },
        {"20m": (), "45m": (fired,), "65m": ()},
    )


def test_services_that_share_a_model_otherwise_say_nothing(tmp_path: Path) -> None:
    samples = {tokens("one"): "0+1000x180", tokens("two"): "0+600x180", tokens("three"): "0+430x180"}
    run_alert(tmp_path, DOUBLE, samples, {"45m": (), "100m": ()})  # 1,000 of 2,030: 49.3 %


def test_facts_older_than_a_year_fire_until_they_are_renewed(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, **TICKET},
        "The facts of a:1 are 366 days old",
        "Models and grids that came since then are estimated by stand-ins and by averages of years before.",
    )
    samples = {series("otel_carbon_registry_age_days"): "365x30 366x90 12x30"}
    run_alert(tmp_path, "OtelCarbonRegistryStale", samples, {"30m": (), "80m": (), "95m": (fired,), "125m": ()})


def test_a_grid_table_that_is_not_refreshed_fires_and_no_table_does_not(tmp_path: Path) -> None:
    fired = Fired(
        {**JOB, **TICKET},
        "The grid table of a:1 was last refreshed 2 days ago",
        "Calls of hours that it does not hold are taken at the yearly average of their grid.",
    )
    name = "OtelCarbonGridTableStale"
    samples = {series("otel_carbon_grid_table_age_days"): "1x30 2x90 0x30"}
    run_alert(tmp_path, name, samples, {"30m": (), "80m": (), "95m": (fired,), "125m": ()})
    run_alert(tmp_path, name, {series("otel_carbon_registry_age_days"): "12x150"}, {"95m": ()})
