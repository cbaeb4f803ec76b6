"""What becomes of a fact between two registries, each case on made-up facts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.differences import (
    ADDED,
    CHANGES,
    EDITED,
    FOLLOWED_UP,
    PASSED_OVER,
    REMOVED,
    RETIRED,
    SUPERSEDED,
    AmountChange,
    FactChange,
    RegistryDifference,
    difference_between,
)
from tests.support.small_registry import SOURCES, bounds, energy, fact, grid, layer, small_registry

ONE = "energy/acme/one@1"
BETTER: dict[str, Any] = {
    **energy("energy/acme/one@2", "one", "one-2025-01-01", aliases=["acme/one"], assumptions=[]),
    "output_wh_per_ktoken": bounds(1, 3, 4),
    "supersedes": ONE,
    "published": "2026-03-01",
}


def changes(*more: dict[str, Any]) -> tuple[FactChange, ...]:
    """What the small registry and the same with more facts differ in."""
    return difference_between(small_registry(), small_registry(*more)).facts


def test_equal_registries_do_not_differ() -> None:
    difference = difference_between(small_registry(), small_registry())
    assert difference == RegistryDifference((), (), (), ())
    assert not difference


def test_a_fact_about_something_new_is_added() -> None:
    (change,) = changes(energy("energy/acme/two@1", "two"))
    assert (change.change, change.fact_id, change.before_id) == (ADDED, "energy/acme/two@1", "")


def test_a_superseding_fact_tells_what_changed_in_amounts_and_fields() -> None:
    (change,) = changes(BETTER)
    amount = AmountChange("output_wh_per_ktoken", Interval(1.0, 2.0, 4.0), Interval(1.0, 3.0, 4.0))
    assert change == FactChange(SUPERSEDED, "energy/acme/one@2", ONE, (amount,), ("assumptions",), (), ())
    assert amount.ratio == 1.5


def test_a_chain_of_new_facts_leads_to_what_the_first_registry_knew() -> None:
    best = {**BETTER, "id": "energy/acme/one@3", "supersedes": "energy/acme/one@2"}
    passed, last = changes(BETTER, best)
    assert (passed.change, passed.fact_id, passed.before_id) == (PASSED_OVER, "energy/acme/one@2", "")
    assert (last.change, last.fact_id, last.before_id) == (SUPERSEDED, "energy/acme/one@3", ONE)


def test_a_copy_that_ends_retires_a_fact() -> None:
    ending = {**BETTER, "output_wh_per_ktoken": bounds(1, 2, 4), "valid_to": "2026-12-31"}
    (change,) = changes(ending)
    assert (change.change, change.before_id, change.amounts) == (RETIRED, ONE, ())
    assert "valid_to" in change.other_fields


def test_next_year_s_figure_follows_up_the_latest_one() -> None:
    (change,) = changes(grid("grid/NOR/location@2", "NOR", 10, valid_from="2026-01-01"))
    assert (change.change, change.before_id) == (FOLLOWED_UP, "grid/NOR/location@1")
    assert [each.ratio for each in change.amounts] == [0.5]


def test_an_earlier_figure_about_the_same_is_merely_added() -> None:
    (change,) = changes(grid("grid/NOR/location@0", "NOR", 30, valid_from="2020-01-01"))
    assert (change.change, change.before_id) == (ADDED, "")


def test_a_fact_that_only_the_first_has_is_removed() -> None:
    before, after = small_registry(energy("energy/acme/two@1", "two")), small_registry()
    (change,) = difference_between(before, after).facts
    assert (change.change, change.fact_id) == (REMOVED, "energy/acme/two@1")


def test_one_id_with_two_contents_is_edited() -> None:
    before = Registry((layer([fact("range/r@1", factor_low=0.5, factor_high=2.0)]),))
    after = Registry((layer([fact("range/r@1", factor_low=0.5, factor_high=3.0, note="wider")]),))
    (change,) = difference_between(before, after).facts
    assert change == FactChange(EDITED, "range/r@1", "", (AmountChange("factor_high", 2.0, 3.0),), ("note",), (), ())


def test_sources_of_a_fact_and_of_the_registry_are_compared() -> None:
    paper = {**SOURCES["lab"], "id": "paper"}
    more = {**SOURCES, "paper": paper}
    before = Registry((layer([fact("range/r@1", factor_low=0.5, factor_high=2.0)]),))
    new = fact("range/r@2", factor_low=0.5, factor_high=2.0, sources=["paper"], supersedes="range/r@1")
    old = fact("range/r@1", factor_low=0.5, factor_high=2.0)
    difference = difference_between(before, Registry((layer([old, new], sources=more),)))
    assert [(each.sources_added, each.sources_removed) for each in difference.facts] == [(("paper",), ("lab",))]
    assert difference.sources_added == ("paper",)
    changed = Registry((layer([old], sources={"lab": {**SOURCES["lab"], "licence": "MIT"}}),))
    assert difference_between(before, changed) == RegistryDifference((), (), (), ("lab",))
    assert difference_between(Registry((layer([old], sources=more),)), before).sources_removed == ("paper",)


def test_two_days_of_one_registry_differ_in_what_was_published_between() -> None:
    registry = small_registry(BETTER)
    early, late = registry.as_of(date(2026, 2, 28)), registry.as_of(date(2026, 3, 1))
    assert [each.change for each in difference_between(early, late).facts] == [SUPERSEDED]
    assert [each.change for each in difference_between(late, early).facts] == [REMOVED]


@pytest.mark.parametrize(("before", "after", "ratio"), [(2.0, 3.0, 1.5), (0.0, 3.0, None)])
def test_there_is_no_ratio_to_nothing(before: float, after: float, ratio: float | None) -> None:
    assert AmountChange("factor_low", before, after).ratio == ratio


def test_every_change_has_words() -> None:
    assert set(CHANGES) == {ADDED, FOLLOWED_UP, SUPERSEDED, RETIRED, EDITED, REMOVED, PASSED_OVER}
