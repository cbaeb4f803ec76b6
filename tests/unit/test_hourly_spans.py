"""Spans and metrics with a grid table: each call at its hour, what metrics report over its day."""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING

import pytest

from otel_carbon import attributes as ours
from otel_carbon.core.tokens import AdditiveTokens
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.region import RegionEvidence
from otel_carbon.spans.view import MappingAttributes, resource_view
from otel_carbon.usage_metrics.profiles import UsageProfile
from tests.support.grid_tables import hours_of, table_of
from tests.unit.spans.chat_spans import DAY_NS, NOON_NS, call_span

if TYPE_CHECKING:
    from otel_carbon.enricher import Outcome
    from otel_carbon.grid.table import GridTable

DAY = date(2026, 11, 22)
HOUR_MS = 3_600_000
TABLE = table_of(hours_of("SWE", DAY, {hour: 20.0 if hour == 12 else 44.0 for hour in range(24)}))


def _enricher(table: GridTable | None) -> Enricher:
    return Enricher(Registry.bundled(), EnrichSettings(configured_regions={"openai": "eu-north-1"}, grid_table=table))


def _outcome(enricher: Enricher, number: int, hours_after_noon: int) -> Outcome:
    begin_ms = hours_after_noon * HOUR_MS
    outcome = enricher.enrich(call_span(number, trace=number, times_ms=(begin_ms, begin_ms + 10)))
    assert outcome is not None
    return outcome


def _operational_g(outcome: Outcome) -> float:
    assert outcome.footprint is not None
    return outcome.footprint.mid.emissions_operational_gco2e


def _kwh(outcome: Outcome) -> float:
    assert outcome.footprint is not None
    return outcome.footprint.energy_kwh.mid


def test_calls_of_one_day_take_the_grid_of_their_own_hour() -> None:
    enricher = _enricher(TABLE)
    at_noon, later = _outcome(enricher, 1, 0), _outcome(enricher, 2, 1)
    assert _operational_g(at_noon) == pytest.approx(_kwh(at_noon) * 20.0, rel=1e-12)
    assert _operational_g(later) == pytest.approx(_kwh(later) * 44.0, rel=1e-12)
    written = at_noon.attributes(full=True)
    assert written[ours.GRID_ID] == f"table/SWE@{TABLE.version}"
    assert "grid_of_the_hour" in str(written[ours.ASSUMPTIONS])


def test_totals_are_the_sum_over_the_hours() -> None:
    enricher = _enricher(TABLE)
    outcomes = [_outcome(enricher, 1, 0), _outcome(enricher, 2, 1)]
    booked_g = sum(row[3] for row in enricher.totals.snapshot().rows.values())
    assert booked_g == pytest.approx(
        sum(each.footprint.emissions_gco2e.mid for each in outcomes if each.footprint), rel=1e-9
    )


def test_calls_of_one_hour_share_their_factors() -> None:
    enricher = _enricher(TABLE)
    first, second = _outcome(enricher, 1, 0), _outcome(enricher, 2, 0)
    assert first.footprint is not None
    assert second.footprint is not None
    assert first.footprint.factors is second.footprint.factors


def test_without_a_table_all_calls_of_a_day_share_their_factors() -> None:
    enricher = _enricher(None)
    first, second = _outcome(enricher, 1, 0), _outcome(enricher, 2, 1)
    assert first.footprint is not None
    assert second.footprint is not None
    assert first.footprint.factors is second.footprint.factors


def test_what_metrics_report_of_a_day_takes_its_mean() -> None:
    enricher = _enricher(TABLE)
    profile = UsageProfile(
        "openai", "gpt-4o", "gpt-4o", "chat", RegionEvidence(None, "default", private_host=False), ""
    )
    resource = resource_view(MappingAttributes({"service.name": "shop"}))
    assert enricher.book_usage(profile, resource, NOON_NS // DAY_NS, AdditiveTokens(1000, 0, 0, 200, 0), 1) == ""
    (booked_g,) = (row[3] for row in enricher.totals.snapshot().rows.values())
    call = _outcome(_enricher(TABLE), 1, 0)
    assert call.footprint is not None
    embodied_g = call.footprint.mid.emissions_embodied_gco2e
    assert booked_g == pytest.approx(_kwh(call) * (20.0 + 23 * 44.0) / 24 + embodied_g, rel=1e-9)


def test_a_stale_table_is_told_once_and_the_yearly_average_stands(caplog: pytest.LogCaptureFixture) -> None:
    enricher = _enricher(TABLE)
    with caplog.at_level(logging.WARNING):
        outcomes = [_outcome(enricher, number, 24 * (10 + number)) for number in (1, 2)]
    assert [outcome.attributes(full=True)[ours.GRID_ID] for outcome in outcomes] == [
        _outcome(_enricher(None), 1, 0).attributes(full=True)[ours.GRID_ID]
    ] * 2
    (told,) = caplog.messages
    assert told.startswith("the grid table ends more than 7 days before calls on the grid of grid/SWE/")
