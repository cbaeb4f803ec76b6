from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from otel_carbon.otlp.plain import enrich_plainly
from otel_carbon.otlp.traces import TracesEnricher
from tests.support.corpus import captures
from tests.unit.otlp.messages import REQUESTS, canonical, fresh_enricher, joined, without_ours

if TYPE_CHECKING:
    from tests.support.corpus import Capture

# Drawn requests carry wrong attributes of ours on purpose, which the live check would report.
pytestmark = pytest.mark.plants_wrong_attributes

SLOW_DRAWS = (HealthCheck.too_slow, HealthCheck.data_too_large)


def assert_same_as_plainly(body: bytes, *, full: bool) -> None:
    fast, slow = fresh_enricher(full=full), fresh_enricher(full=full)
    enriched = TracesEnricher(fast).enrich(body)[0]
    assert canonical(enriched) == canonical(enrich_plainly(body, slow))
    assert fast.totals.snapshot() == slow.totals.snapshot()


@pytest.mark.parametrize("full", [False, True], ids=["core", "full"])
@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_recorded_requests_come_out_as_if_decoded_and_encoded(capture: Capture, *, full: bool) -> None:
    for body in capture.traces:
        assert_same_as_plainly(body, full=full)


def test_all_recordings_as_one_request_come_out_as_if_decoded_and_encoded() -> None:
    body = joined(body for capture in captures() for body in capture.traces)
    assert_same_as_plainly(body, full=True)


@given(body=REQUESTS)
@settings(max_examples=200, deadline=None, suppress_health_check=SLOW_DRAWS)
def test_any_valid_request_comes_out_as_if_decoded_and_encoded(body: bytes) -> None:
    assert_same_as_plainly(body, full=len(body) % 2 == 0)


@given(body=REQUESTS)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_DRAWS)
def test_enriching_what_was_enriched_changes_no_byte(body: bytes) -> None:
    once = TracesEnricher(fresh_enricher())(body)
    assert TracesEnricher(fresh_enricher())(once) == once


@given(body=REQUESTS)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_DRAWS)
def test_without_our_attributes_the_request_is_what_came_in(body: bytes) -> None:
    assert without_ours(TracesEnricher(fresh_enricher())(body)) == without_ours(body)
