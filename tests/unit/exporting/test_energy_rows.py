"""The rows of models: for which names and on which days they hold."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from otel_carbon.exporting.energy_rows import EnergyRow, model_table
from otel_carbon.exporting.place_rows import HomeRow, RegionRow, place_tables
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient
from otel_carbon.registry.ladder import known_model
from otel_carbon.registry.places import SELF_HOSTED

REGISTRY = Registry.bundled()
DAY = date(2026, 11, 26)
TABLE = model_table(REGISTRY, DAY)
A_DAY = timedelta(days=1)


def row_of(name: str, day: date = DAY) -> EnergyRow:
    table = model_table(REGISTRY, day, (name,))
    return table.rows[table.row_of_name[name]]


def test_every_name_leads_to_the_fact_of_its_row_on_the_first_and_the_last_of_its_days() -> None:
    for name, number in TABLE.row_of_name.items():
        row = TABLE.rows[number]
        for day in (row.days.first, DAY, row.days.last or DAY + 1000 * A_DAY):
            found = known_model(REGISTRY, name, day)
            assert found is not None
            assert found.fact.id == row.coefficient_id, f"{name} on {day}"


def test_a_fact_holds_until_its_last_day_or_the_day_before_another_takes_its_place() -> None:
    earlier, later = sorted(
        (fact for fact in REGISTRY.facts("energy") if fact.valid_to), key=lambda fact: fact.valid_to or DAY
    )
    assert isinstance(earlier, EnergyCoefficient)
    assert isinstance(later, EnergyCoefficient)
    (name,) = {"deepseek-chat"} & {*earlier.models} & {*later.models}
    assert earlier.valid_to == later.valid_from  # on that day the later one is taken
    assert row_of(name, later.valid_from - A_DAY).days.last == later.valid_from - A_DAY
    assert row_of(name, later.valid_from).days == (later.valid_from, later.valid_to)
    assert name not in TABLE.row_of_name


def test_a_model_without_a_fact_is_known_by_its_family_where_it_is_asked_for() -> None:
    row = row_of("nobody-knows-it-7b")
    assert row.by_its_family
    assert row.coefficient_id.startswith("fallback/")
    assert "nobody-knows-it-7b" not in TABLE.row_of_name


def test_no_price_bounds_an_open_model_on_hardware_of_ones_own() -> None:
    differing = [row for row in TABLE.rows if row.output_high_kwh_self_hosted != row.per_token.output_kwh.high]
    assert differing
    assert all(row.output_high_kwh_self_hosted > row.per_token.output_kwh.high for row in differing)
    assert all(row.open_weights for row in differing)


def test_the_only_assessed_model_is_the_suppliers_own() -> None:
    assert {(row.coefficient_id.split("/")[1], row.supplier) for row in TABLE.rows if row.supplier} == {
        ("mistral", "mistral")
    }


@pytest.mark.parametrize(("providers", "homes"), [((), 84), (("cohere",), 2), (("aws.bedrock",), 5)])
def test_a_choice_of_providers_keeps_all_their_names_and_only_places_they_lead_to(
    providers: tuple[str, ...], homes: int
) -> None:
    tables = place_tables(REGISTRY, DAY).limited(providers, ("eu-west-3",))
    assert len(tables.homes) == homes
    assert set(tables.regions) == {"eu-west-3"}
    ways: tuple[HomeRow | RegionRow, ...] = (*tables.homes.values(), *tables.regions.values(), tables.own_machines)
    assert set(tables.zones) == {row.zone for row in ways}
    assert tables.own_machines.provider == SELF_HOSTED
