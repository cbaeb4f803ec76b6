"""Each alert is fired by what it is for, reaches a webhook through the real Alertmanager, and resolves."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.endtoend.alerting import BUDGET_CALLS, MAIN, OLD, SECOND, STUCK, Alerting, clock, running_alerting
from tests.endtoend.traffic import TOKENS, Calls, Traffic, request_for, send
from tests.support.runbooks import RUNBOOKS, queries_of
from tests.support.waiting import wait_until
from tests.support.webhook import FIRING, RESOLVED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COVERAGE, UNKNOWN, DOUBLE = "OtelCarbonCoverageDrop", "OtelCarbonUnknownModels", "OtelCarbonDoubleCountSuspected"
BACKLOG, THRESHOLD, BURN_RATE = "OtelCarbonCollectorBacklog", "OtelCarbonBudgetThreshold", "OtelCarbonBudgetBurnRate"
TIMEOUT_S = 120.0
SHOP = Calls("shop", ("gpt-4o", "gpt-4o"))
LAB = Calls("lab", ("chat-prod", "dall-e-3"))
GATEWAY = (Calls("assistant", ("claude-sonnet-4",)), Calls("gateway", ("claude-sonnet-4",)))


@pytest.fixture(scope="module")
def alerting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerting]:
    with running_alerting(tmp_path_factory.mktemp("alerting")) as running:
        known = 'otel_carbon_dropped_series_total{job="otel-carbon"} offset 1s'
        wait_until(lambda: running.prometheus.query(known), timeout_s=30, what="target that the rules know")
        yield running


@pytest.fixture(scope="module")
def traffic(alerting: Alerting) -> Iterator[Traffic]:
    urls = {name: collector.url for name, collector in alerting.collectors.items()}
    with Traffic({urls[MAIN]: (SHOP, LAB, *GATEWAY), urls[STUCK]: (SHOP,)}) as running:
        yield running


def fires(alerting: Alerting, name: str, **labels: str) -> dict[str, dict[str, str]]:
    return alerting.webhook.wait_for(name, FIRING, timeout_s=TIMEOUT_S, **labels)


def resolves(alerting: Alerting, name: str, **labels: str) -> None:
    alerting.webhook.wait_for(name, RESOLVED, timeout_s=TIMEOUT_S, **labels)


def test_a_budget_that_is_spent_names_scope_limit_and_amount_and_resolves_when_it_is_raised(
    alerting: Alerting, traffic: Traffic
) -> None:
    body = request_for(Calls("search", ("gpt-4o",)), repeat=BUDGET_CALLS)
    assert send(alerting.collectors[MAIN].url, body) == 200

    spent = fires(alerting, THRESHOLD, budget="search", threshold="1")
    limit = f"{BUDGET_CALLS * TOKENS} tokens"
    assert spent["labels"]["severity"] == "page"
    assert spent["annotations"].items() >= {
        "scope": 'service "search"', "limit": limit, "used": limit, "owner": "team-search",
        "summary": f"Budget search has used 100% or more of {limit}",
    }.items()  # fmt: skip
    fast = fires(alerting, BURN_RATE, budget="search")
    assert fast["annotations"].items() >= {"scope": 'service "search"', "limit": limit, "used": limit}.items()
    # 20 calls in an hour of a day that lasts for 20: 24 times as fast
    assert fast["annotations"]["summary"] == "Budget search is spent 24 times as fast as it lasts"
    wait_until(
        lambda: alerting.alertmanager.inhibited(THRESHOLD, budget="search", threshold="0.8"),
        timeout_s=TIMEOUT_S,
        what="lower threshold that is kept back",
    )

    resolves(alerting, BURN_RATE, budget="search")  # nothing more is called
    assert alerting.webhook.alerts(THRESHOLD, RESOLVED, threshold="1") == []
    alerting.allow_calls(10 * BUDGET_CALLS)
    resolves(alerting, THRESHOLD, budget="search", threshold="1")


def test_models_that_nothing_is_known_of_are_named(alerting: Alerting, traffic: Traffic) -> None:
    for model in LAB.models:
        told = fires(alerting, UNKNOWN, gen_ai_response_model=model)
        assert told["annotations"]["summary"].endswith(f" calls in an hour of model {model}, which is unknown")


def test_tokens_that_two_jobs_report_and_a_gateway_beside_its_client_are_suspected(
    alerting: Alerting, traffic: Traffic
) -> None:
    twice = request_for(Calls("batch", ("mistral-large",)), repeat=50)
    assert [send(alerting.collectors[name].url, twice) for name in (MAIN, SECOND)] == [200, 200]

    told = fires(alerting, DOUBLE, suspicion="two_jobs", service_name="batch")
    assert told["annotations"]["description"] == (
        "Each has counted 55k tokens of mistral-large in the last hour, within 1 %."  # 50 calls
    )
    fires(alerting, DOUBLE, suspicion="gateway", gen_ai_response_model="claude-sonnet-4")

    main = alerting.collectors[MAIN].url
    traffic.calls[main] = (SHOP, LAB, GATEWAY[0])  # as `pass_through` would have it
    resolves(alerting, DOUBLE, suspicion="gateway", gen_ai_response_model="claude-sonnet-4")
    resolves(alerting, DOUBLE, suspicion="two_jobs", service_name="batch")


def test_old_facts_and_an_old_grid_table_are_told_until_they_are_renewed(alerting: Alerting) -> None:
    stale = ("OtelCarbonRegistryStale", "OtelCarbonGridTableStale")
    summaries = [fires(alerting, name, job=OLD)["annotations"]["summary"] for name in stale]
    assert summaries[0].endswith(" are 400 days old")
    assert "was last refreshed" in summaries[1]

    old = alerting.collectors[OLD]
    assert old.stop() == 0
    old.command_prefix = clock(days=10)
    old.start()
    for name in stale:
        resolves(alerting, name, job=OLD)


def test_a_backend_that_takes_nothing_and_one_that_rejects_are_told_apart(alerting: Alerting, traffic: Traffic) -> None:
    fires(alerting, BACKLOG, backlog="sending", job=STUCK, exporter="otlp_http")
    fires(alerting, BACKLOG, backlog="refused", job=STUCK)
    lost = fires(alerting, BACKLOG, backlog="lost", job=MAIN, exporter="otlp_http")
    assert lost["labels"]["severity"] == "page"
    # That its queue is full follows from the backend that takes nothing.
    wait_until(
        lambda: alerting.alertmanager.inhibited(BACKLOG, backlog="queue", job=STUCK),
        timeout_s=TIMEOUT_S,
        what="full queue that is kept back",
    )

    alerting.away.accepting.set()
    with alerting.rejecting.lock:
        alerting.rejecting.script.clear()
    for labels in ({"backlog": "sending"}, {"backlog": "refused"}):
        resolves(alerting, BACKLOG, job=STUCK, **labels)
    resolves(alerting, BACKLOG, backlog="lost", job=MAIN)


def test_a_disk_that_takes_nothing_silences_the_requests_that_are_refused_for_it(
    alerting: Alerting, traffic: Traffic
) -> None:
    second = alerting.collectors[SECOND]
    assert second.process is not None
    pid = second.process.popen.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, most))  # every write beyond the first page fails
    traffic.calls[second.url] = (SHOP,)

    fires(alerting, BACKLOG, backlog="disk", job=SECOND)
    wait_until(
        lambda: alerting.alertmanager.inhibited(BACKLOG, backlog="refused", job=SECOND),
        timeout_s=TIMEOUT_S,
        what="refusals that are kept back",
    )

    traffic.calls.pop(second.url)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
    resolves(alerting, BACKLOG, backlog="disk", job=SECOND)


def test_coverage_that_drops_is_told_with_its_service_until_it_is_back(alerting: Alerting, traffic: Traffic) -> None:
    usual = 'otel_carbon:coverage:ratio_rate1h{service_name="shop"} offset 31s'
    wait_until(lambda: alerting.prometheus.query(usual), timeout_s=TIMEOUT_S, what="an hour of calls")
    main = alerting.collectors[MAIN].url
    others = traffic.calls[main][1:]
    traffic.calls[main] = (SHOP._replace(has_usage=False), *others)

    told = fires(alerting, COVERAGE, service_name="shop")
    assert told["annotations"]["summary"].endswith("% of the calls of service shop have a figure")

    traffic.calls[main] = (SHOP, *others)
    resolves(alerting, COVERAGE, service_name="shop")


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("Otel*.md")), ids=lambda page: page.stem)
def test_the_queries_of_the_runbooks_have_answers(page: Path, alerting: Alerting, traffic: Traffic) -> None:
    empty = [query for query in queries_of(page) if not alerting.prometheus.query(query.replace('="NAME"', '=~".+"'))]
    assert empty == []
