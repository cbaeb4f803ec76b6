"""The live check accepts what is right and finds each planted violation."""

from __future__ import annotations

import pytest

from otel_carbon import attributes, metric_names
from tests.support.live_check import check_exposition, check_metric, check_span_attributes

ESTIMATED: dict[str, object] = {
    "gen_ai.response.model": "gpt-4o",
    "otel_carbon.status": "estimated",
    "otel_carbon.energy_kwh": 0.003,
    "otel_carbon.energy_kwh_low": 0.002,
    "otel_carbon.energy_kwh_high": 0.006,
    "otel_carbon.emissions_gco2e": 1.1,
    "otel_carbon.emissions_gco2e_low": 0.7,
    "otel_carbon.emissions_gco2e_high": 2.5,
    "otel_carbon.water_l": 0.01,
    "otel_carbon.coefficient_id": "energy/openai/gpt-4o@2026-11",
    "otel_carbon.grid_id": "grid/USA/location-lifecycle@2023",
    "otel_carbon.tier": "token_physical",
    "otel_carbon.confidence": "medium",
    "otel_carbon.registry_version": "2026.11.0+0123456789ab",
}
DETAILS: dict[str, object] = {
    "otel_carbon.it_energy_kwh": 0.0025,
    "otel_carbon.emissions_operational_gco2e": 1.0,
    "otel_carbon.emissions_embodied_gco2e": 0.1,
    "otel_carbon.emissions_market_gco2e": 0.3,
    "otel_carbon.water_l_low": 0.005,
    "otel_carbon.water_l_high": 0.02,
    "otel_carbon.method": "per_token",
    "otel_carbon.tier_number": 1,
    "otel_carbon.match": "exact",
    "otel_carbon.site_id": "site/azure@2024",
    "otel_carbon.region": "eastus2",
    "otel_carbon.region_evidence": "configured",
    "otel_carbon.assumptions": ("region_defaulted",),
}
DUPLICATE: dict[str, object] = {"otel_carbon.status": "duplicate", "otel_carbon.reason": "same_response_id"}


@pytest.mark.parametrize(
    "span",
    [
        pytest.param({}, id="no attributes"),
        pytest.param({"gen_ai.response.model": 7}, id="attributes of others"),
        pytest.param({"otel_carbon.tenant": "team-a"}, id="a tenant before judgement"),
        pytest.param(ESTIMATED, id="core"),
        pytest.param(ESTIMATED | DETAILS, id="full"),
        pytest.param(ESTIMATED | {"otel_carbon.assumptions": ["a", "b"]}, id="a list as decoded from OTLP"),
        pytest.param(ESTIMATED | {"otel_carbon.water_l": 0.0}, id="no water at all"),
        pytest.param(DUPLICATE, id="duplicate"),
        pytest.param(
            DUPLICATE | {"otel_carbon.registry_version": "2026.11.0+0123456789ab"}, id="version on a duplicate"
        ),
    ],
)
def test_a_right_span_has_no_violation(span: dict[str, object]) -> None:
    assert check_span_attributes(span) == []


def test_the_examples_cover_every_span_attribute() -> None:
    ours = {key for key in {**ESTIMATED, **DETAILS, **DUPLICATE} if key.startswith("otel_carbon.")}
    assert ours == set(attributes.FULL_ATTRIBUTES)


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"otel_carbon.energy": 1.0}, "otel_carbon.energy is no attribute of the convention"),
        ({"otel_carbon.verdict": "counted"}, "otel_carbon.verdict is for metrics, not for spans"),
        ({"otel_carbon.tier_number": "1"}, "otel_carbon.tier_number must be of type int, not '1'"),
        ({"otel_carbon.tier_number": True}, "otel_carbon.tier_number must be of type int, not True"),
        ({"otel_carbon.water_l": 1}, "otel_carbon.water_l must be of type double, not 1"),
        ({"otel_carbon.assumptions": "a"}, "otel_carbon.assumptions must be of type string[], not 'a'"),
        ({"otel_carbon.assumptions": ("a", 1)}, "otel_carbon.assumptions must be of type string[], not ('a', 1)"),
        ({"otel_carbon.confidence": "fair"}, "otel_carbon.confidence must be one of high, medium, low, not 'fair'"),
        ({"otel_carbon.water_l": float("nan")}, "otel_carbon.water_l must be a finite amount of at least 0, not nan"),
        ({"otel_carbon.water_l_low": -1.0}, "otel_carbon.water_l_low must be a finite amount of at least 0, not -1.0"),
        (
            {"otel_carbon.registry_version": "2026.11.0"},
            r"otel_carbon.registry_version must look like \d{4}\.\d+\.\d+\+[0-9a-f]{12}, not '2026.11.0'",
        ),
        ({"otel_carbon.reason": "no_usage"}, "an estimated span has no otel_carbon.reason, but here it is 'no_usage'"),
        (
            {"otel_carbon.energy_kwh_low": 0.004},
            "otel_carbon.energy_kwh: low <= mid <= high does not hold for [0.004, 0.003, 0.006]",
        ),
        (
            {"otel_carbon.water_l_high": 0.009},
            "otel_carbon.water_l: low <= mid <= high does not hold for [0.005, 0.01, 0.009]",
        ),
        ({"otel_carbon.it_energy_kwh": 0.0031}, "otel_carbon.it_energy_kwh 0.0031 exceeds the facility's 0.003"),
        (
            {"otel_carbon.emissions_operational_gco2e": 0.5, "otel_carbon.emissions_embodied_gco2e": 0.5},
            "otel_carbon.emissions_gco2e 1.1 is not operational plus embodied, 1.0",
        ),
    ],
)
def test_a_wrong_attribute_of_an_estimated_span_is_found(change: dict[str, object], violation: str) -> None:
    assert check_span_attributes(ESTIMATED | DETAILS | change) == [violation]


@pytest.mark.parametrize(
    "key", [key for key in attributes.CORE_ATTRIBUTES if key not in {attributes.STATUS, attributes.REASON}]
)
def test_an_estimated_span_needs_every_core_attribute(key: str) -> None:
    span = {other: value for other, value in ESTIMATED.items() if other != key}
    assert check_span_attributes(span) == [f"an estimated span lacks {key}"]


@pytest.mark.parametrize("status", ["unestimated", "duplicate", "aggregate"])
def test_only_estimated_spans_carry_amounts(status: str) -> None:
    span = {"otel_carbon.status": status, "otel_carbon.reason": "no_usage", "otel_carbon.energy_kwh": 0.0}
    assert check_span_attributes(span) == [f"a span that is {status} carries the amount otel_carbon.energy_kwh"]


@pytest.mark.parametrize("status", ["unestimated", "duplicate", "aggregate"])
def test_every_other_span_needs_a_reason(status: str) -> None:
    assert check_span_attributes({"otel_carbon.status": status}) == [
        f"a span that is {status} lacks otel_carbon.reason"
    ]


def test_a_reason_must_be_a_code_and_no_sentence() -> None:
    (violation,) = check_span_attributes(DUPLICATE | {"otel_carbon.reason": "Seen before."})
    assert violation.endswith("not 'Seen before.'")


def test_amounts_without_a_status_are_found() -> None:
    span = {"otel_carbon.water_l": 0.1, "otel_carbon.tenant": "a"}
    assert check_span_attributes(span) == [
        "a span with otel_carbon.tenant, otel_carbon.water_l needs otel_carbon.status"
    ]


STATUSES = "estimated, unestimated, aggregate, duplicate"
POINT: dict[str, object] = {"gen_ai.provider.name": "openai", "otel_carbon.tenant": "none"}


@pytest.mark.parametrize(
    ("metric", "point"),
    [
        (metric_names.ENERGY, POINT),
        (metric_names.ENERGY, POINT | {"otel_carbon.tier": "other"}),
        (metric_names.TOKENS, POINT | {"otel_carbon.token.type": "cache_read"}),
        (metric_names.TOKENS, ["service.name", "otel_carbon.token.type"]),
        (metric_names.SPANS, {"otel_carbon.verdict": "counted", "otel_carbon.observed_scope": "x"}),
        (metric_names.DROPPED_SERIES, {}),
    ],
)
@pytest.mark.parametrize("kind", ["counter", "observable_counter", "monotonic_sum"])
def test_a_right_metric_has_no_violation(metric: metric_names.Metric, point: dict[str, object], kind: str) -> None:
    assert check_metric(metric.name, metric.unit, kind, [point]) == []


def test_metrics_of_others_are_not_judged() -> None:
    assert check_metric("gen_ai.client.token.usage", "{token}", "histogram", [{"a": 1}]) == []


@pytest.mark.parametrize(
    ("name", "unit", "kind", "point", "violation"),
    [
        ("otel_carbon.power", "W", "gauge", {}, "otel_carbon.power is no metric of the convention"),
        ("otel_carbon.energy", "kW.h", "counter", POINT, "otel_carbon.energy must be in J, not 'kW.h'"),
        ("otel_carbon.energy", "J", "gauge", POINT, "otel_carbon.energy must be a counter, not gauge"),
        (
            "otel_carbon.energy", "J", "counter", POINT | {"trace_id": "1"},
            "otel_carbon.energy: the attribute trace_id is not allowed",
        ),
        (
            "otel_carbon.tokens", "{token}", "counter", POINT,
            "otel_carbon.tokens: the attribute otel_carbon.token.type is missing",
        ),
        (
            "otel_carbon.operations", "{operation}", "counter", {"otel_carbon.status": "other"},
            f"otel_carbon.operations: otel_carbon.status must be one of {STATUSES}, not 'other'",
        ),
        (
            "otel_carbon.water", "L", "counter", {"service.name": 7},
            "otel_carbon.water: service.name must be of type string, not 7",
        ),
    ],
)  # fmt: skip
def test_a_wrong_metric_is_found(name: str, unit: str, kind: str, point: dict[str, object], violation: str) -> None:
    assert check_metric(name, unit, kind, [point]) == [violation]


TIERS = "metered, token_physical, request_physical, seat_activity, spend_eeio"
SHOP_SERIES = "{'service_name': 'shop', 'otel_scope_name': 'otel_carbon'}"
PAGE = """\
# HELP otelcol_exporter_queue_size Of others.
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size 3
# HELP otel_carbon_energy_joules_total Modelled.
# TYPE otel_carbon_energy_joules_total counter
otel_carbon_energy_joules_total{service_name="shop",otel_scope_name="otel_carbon",otel_carbon_tier=""} 2
otel_carbon_energy_joules_total{service_name="bank",otel_scope_name="otel_carbon"} 3
"""
EXEMPLAR = """\
# HELP otel_carbon_energy_joules Modelled.
# TYPE otel_carbon_energy_joules counter
# UNIT otel_carbon_energy_joules joules
otel_carbon_energy_joules_total{service_name="shop"} 2 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 1.5
otel_carbon_energy_joules_created{service_name="shop"} 1.7e9
# EOF
"""


@pytest.mark.parametrize("page", ["", PAGE, EXEMPLAR])
def test_a_right_page_has_no_violation(page: str) -> None:
    assert check_exposition(page) == []


@pytest.mark.parametrize(
    ("old", "new", "violations"),
    [
        (
            "otel_carbon_energy_joules_total counter", "otel_carbon_energy_joules_total gauge",
            ["otel_carbon_energy_joules_total must be a counter, not gauge"],
        ),
        (
            'service_name="bank"', 'trace_id="1"',
            ["otel_carbon_energy_joules_total: the attribute trace_id is not allowed"],
        ),
        (
            'service_name="bank"', 'otel_carbon_tier="best"',
            [f"otel_carbon_energy_joules_total: otel_carbon.tier must be one of {TIERS}, not 'best'"],
        ),
        ("} 3", "} -3", ["otel_carbon_energy_joules_total: a counter cannot be -3"]),
        ("} 3", "} NaN", ["otel_carbon_energy_joules_total: a counter cannot be nan"]),
        (
            "bank", "shop",
            [
                f"otel_carbon_energy_joules_total: the series {SHOP_SERIES} stands twice",
            ],
        ),
        ("} 3", "} three", ["the page cannot be parsed: could not convert string to float: 'three'"]),
    ],
)  # fmt: skip
def test_a_violation_on_a_page_is_found(old: str, new: str, violations: list[str]) -> None:
    assert check_exposition(PAGE.replace(old, new)) == violations


def test_an_unknown_family_of_ours_on_a_page_is_found() -> None:
    page = "# TYPE otel_carbon_energy_kwh_total counter\notel_carbon_energy_kwh_total 1\n"
    assert check_exposition(page) == ["otel_carbon_energy_kwh_total is no metric of the convention"]


def test_a_family_without_a_type_is_found() -> None:
    page = "otel_carbon_water_L_total 1\n"
    assert check_exposition(page) == ["otel_carbon_water_L_total must be a counter, not unknown"]


def test_a_dotted_name_never_reaches_a_scrape() -> None:
    page = '# TYPE "otel_carbon.energy" counter\n{"otel_carbon.energy"} 1\n'
    assert check_exposition(page) == ["otel_carbon.energy is no metric of the convention"]


def test_a_counter_without_total_in_its_name_is_found() -> None:
    page = PAGE.replace("joules_total", "joules")
    assert check_exposition(page) == ["otel_carbon_energy_joules is no metric of the convention"]
