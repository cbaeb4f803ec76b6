"""Sample traffic as it happens: what was planned for one request stays together and ends now."""

from __future__ import annotations

from datetime import date

from otel_carbon.demo.live import ended_at, episodes
from otel_carbon.demo.scenarios import Twin
from otel_carbon.demo.traffic import plan_traffic

PLAN = plan_traffic(date(2026, 11, 22), scale=0.1)
NOON_NS = 1_795_348_800_000_000_000


def test_every_planned_trace_is_in_one_request() -> None:
    planned = sorted(id(root) for service in PLAN.services for root in service.roots)
    assert sorted(id(root) for _, roots in episodes(PLAN) for root in roots) == planned


def test_requests_come_in_the_order_of_their_start_and_services_mix() -> None:
    found = list(episodes(PLAN))
    starts = [roots[0].start_ns for _, roots in found]
    assert starts == sorted(starts)
    assert {name for name, _ in found[:100]} == {service.scenario.name for service in PLAN.services}


def test_two_reports_of_one_call_in_two_traces_stay_in_one_request() -> None:
    twice = {
        service.scenario.name: service.scenario.episodes // 10
        for service in PLAN.services
        if service.scenario.twin in {Twin.OTHER_TRACE, Twin.SAME_TIME}
    }
    requests = [name for name, _ in episodes(PLAN)]
    traces = [name for name, roots in episodes(PLAN) for _ in roots]
    assert {name: requests.count(name) for name in twice} == twice
    assert all(traces.count(name) > requests.count(name) for name in twice)


def test_the_last_trace_of_a_request_ends_at_the_moment_asked_for_and_all_keep_their_distances() -> None:
    _, roots = next(each for each in episodes(PLAN) if len(each[1]) > 1)
    moved = ended_at(roots, NOON_NS)
    assert max(root.end_ns for root in moved) == NOON_NS
    later_ns = moved[0].start_ns - roots[0].start_ns
    before = [(span.start_ns + later_ns, span.end_ns + later_ns) for root in roots for span in root.walk()]
    assert [(span.start_ns, span.end_ns) for root in moved for span in root.walk()] == before
