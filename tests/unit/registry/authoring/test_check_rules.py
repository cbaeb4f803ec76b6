from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_compiled
from otel_carbon.registry.facts import EnergyCoefficient

if TYPE_CHECKING:
    from tests.unit.registry.authoring.fact_directory import FactDirectory

# One change to a complete directory, and all that the check then says.
MISTAKES = [
    pytest.param(
        "sources.yaml",
        "licence: CC-BY-4.0",
        'licence: ""',
        [
            "sources.yaml:5: sources.lab.licence: is empty; write under which licence the figures may be passed on",
        ],
        id="an empty licence",
    ),
    pytest.param(
        "sources.yaml",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        [
            (
                "sources.yaml:5: sources.lab.licence: 'CC-BY-SA-4.0' forbids or restricts passing the figures on; "
                "find another source"
            ),
        ],
        id="a share-alike licence",
    ),
    pytest.param(
        "sources.yaml",
        "CC-BY-4.0",
        "no redistribution",
        [
            (
                "sources.yaml:5: sources.lab.licence: 'no redistribution' forbids or restricts passing the figures "
                "on; find another source"
            ),
        ],
        id="a licence without redistribution",
    ),
    pytest.param(
        "sources.yaml",
        "redistributable: facts",
        "redistributable: maybe",
        [
            "sources.yaml:7: sources.lab.redistributable: is 'maybe'; use one of facts, limited, yes",
        ],
        id="an unknown word for redistributable",
    ),
    pytest.param(
        "facts.yaml",
        "site/hall@2025",
        "site/hall",
        [
            "facts.yaml:36: facts.site/hall: is no fact id; write KIND/SUBJECT@YEAR, @YEAR-MONTH or @YEAR-MONTH-DAY",
        ],
        id="an id without date",
    ),
    pytest.param(
        "facts.yaml",
        "    region: north-1",
        "    region: north-2",
        [
            (
                "facts.yaml:42: facts.region/north-1@2025.region: is 'north-2', but the id says 'north-1'; make "
                "them agree"
            ),
        ],
        id="an id about something else",
    ),
    pytest.param(
        "facts.yaml",
        "sources: [lab]",
        "sources: [lab, lob]",
        [
            "facts.yaml:4: shared.sources: names 'lob', which is no source; add it to the sources or correct the id",
        ],
        id="an unknown source",
    ),
    pytest.param(
        "facts.yaml",
        "{mid: 0.8, range: range/half@2026}",
        "{mid: 0.8, range: range/third@2026}",
        [
            (
                "facts.yaml:20: facts.energy/acme/one@2026-11.output_wh_per_ktoken.range: names "
                "'range/third@2026', which no range fact has as its id; add it or correct the id"
            ),
        ],
        id="an unknown range rule",
    ),
    pytest.param(
        "facts.yaml",
        "    site: hall\n    zone: north",
        "    site: hall\n    zone: south",
        [
            (
                "facts.yaml:44: facts.region/north-1@2025.zone: names 'south', which no zone fact is about; add "
                "that fact or correct the name"
            ),
        ],
        id="an unknown zone",
    ),
    pytest.param(
        "facts.yaml",
        "    site: hall\n    zone: north",
        "    site: hut\n    zone: north",
        [
            (
                "facts.yaml:43: facts.region/north-1@2025.site: names 'hut', which no site fact is about; add that "
                "fact or correct the name"
            ),
        ],
        id="an unknown site",
    ),
    pytest.param(
        "facts.yaml",
        "    names: [north]\n    water_zone: NOR",
        "    names: [north]\n    water_zone: SWE",
        [
            (
                "facts.yaml:58: facts.zone/north@2025.water_zone: names 'SWE', which no water fact is about; add "
                "that fact or correct the name"
            ),
        ],
        id="an unknown water zone",
    ),
    pytest.param(
        "facts.yaml",
        "grid/SWE/location@2025: 3",
        "grid/FIN/location@2025: 3",
        [
            (
                "facts.yaml:34: facts.grid/north/location@2025.gco2e_per_kwh.mix.grid/FIN/location@2025: is no "
                "grid fact with an amount of its own; add it or correct the id"
            ),
        ],
        id="an unknown mix member",
    ),
    pytest.param(
        "facts.yaml",
        "    divisor_low: 2\n",
        "    divisor_low: 2\n    valid_to: 2025-01-01\n",
        [
            (
                "facts.yaml:9: facts.range/half@2026.valid_to: is 2025-01-01, not after valid_from 2025-01-01; "
                "correct one"
            ),
        ],
        id="an end before the beginning",
    ),
    pytest.param(
        "facts.yaml",
        "    divisor_low: 2\n",
        "    divisor_low: 2\n    supersedes: range/none@2026\n",
        [
            (
                "facts.yaml:9: facts.range/half@2026.supersedes: names 'range/none@2026', which is no fact; "
                "correct the id"
            ),
        ],
        id="an unknown superseded fact",
    ),
    pytest.param(
        "facts.yaml",
        "    divisor_low: 2\n",
        "    divisor_low: 2\n    supersedes: range/half@2026\n",
        [
            "facts.yaml:9: facts.range/half@2026.supersedes: names the fact itself; name the earlier one",
        ],
        id="a fact that supersedes itself",
    ),
    pytest.param(
        "facts.yaml",
        "    divisor_low: 2\n",
        "    divisor_low: 2\n    supersedes: site/hall@2025\n",
        [
            (
                "facts.yaml:9: facts.range/half@2026.supersedes: names 'site/hall@2025', a fact of another kind; "
                "name one of the same kind"
            ),
        ],
        id="a superseded fact of another kind",
    ),
    pytest.param(
        "facts.yaml",
        "method: assumed",
        "method: guessed",
        [
            (
                "facts.yaml:16: facts.energy/acme/one@2026-11.method: is 'guessed'; use one of assumed, benchmark, "
                "metered, parametric, supplier"
            ),
        ],
        id="an unknown method",
    ),
    pytest.param(
        "facts.yaml",
        "evidence: assumed",
        "evidence: rumour",
        [
            (
                "facts.yaml:2: shared.evidence: is 'rumour'; use one of assumed, benchmark, metered, parametric, "
                "supplier"
            ),
        ],
        id="an unknown evidence",
    ),
    pytest.param(
        "facts.yaml",
        "    basis: location\n    gco2e_per_kwh: {low: 20",
        "    basis: marginal\n    gco2e_per_kwh: {low: 20",
        [
            "facts.yaml:26: facts.grid/SWE/location@2025.basis: is 'marginal'; use one of location, market",
            (
                "facts.yaml:34: facts.grid/north/location@2025.gco2e_per_kwh.mix.grid/SWE/location@2025: is a figure "
                "of basis marginal in a mix of basis location; take members of location only"
            ),
        ],
        id="an unknown basis",
    ),
    pytest.param(
        "facts.yaml",
        "factor_high: 3",
        "factor_high: 0.5",
        [
            "facts.yaml:9: facts.range/half@2026.factor_high: is 0.5; write a factor of at least 1",
        ],
        id="a high factor below 1",
    ),
    pytest.param(
        "facts.yaml",
        "divisor_low: 2",
        "divisor_low: 0.5",
        [
            "facts.yaml:8: facts.range/half@2026.divisor_low: is 0.5; write a divisor of at least 1",
        ],
        id="a divisor below 1",
    ),
    pytest.param(
        "facts.yaml",
        "models: [one, one-2025-01-01]",
        "models: []",
        [
            "facts.yaml:17: facts.energy/acme/one@2026-11.models: is empty; name at least one",
        ],
        id="a fact about no model",
    ),
    pytest.param(
        "facts.yaml",
        "aliases: [acme/one]",
        "aliases: [acme/one, ONE]",
        [
            "facts.yaml:11: facts.energy/acme/one@2026-11.aliases: repeats 'ONE' (case does not matter); remove it",
        ],
        id="a model id twice in one fact",
    ),
]


@pytest.mark.parametrize(("file", "before", "after", "expected"), MISTAKES)
def test_a_mistake_in_meaning_is_reported_where_it_stands(
    facts: FactDirectory, file: str, before: str, after: str, expected: list[str]
) -> None:
    facts.change(file, before, after)
    assert list(facts.problems()) == expected


SECOND_MODEL = """\
  energy/acme/two@2026-11:
    aliases: []
    assumptions: []
    boundary: it
    developer: acme
    input_wh_per_ktoken: {low: 0.1, mid: 0.2, high: 0.4}
    method: assumed
    models: [two, ONE]
    open_weights: false
    operations: [chat]
    output_wh_per_ktoken: {low: 0.1, mid: 0.2, high: 0.4}
"""


def test_a_model_id_belongs_to_one_fact_on_any_day_whatever_its_case(facts: FactDirectory) -> None:
    facts.append(SECOND_MODEL)
    assert facts.problems() == (
        (
            "facts.yaml:60: facts.energy/acme/two@2026-11: claims 'one' on days when energy/acme/one@2026-11 does; "
            "keep one, or use `supersedes`"
        ),
    )


def test_a_later_beginning_does_not_excuse_a_second_claim_on_a_model(facts: FactDirectory) -> None:
    facts.append(SECOND_MODEL + "    valid_from: 2026-01-01\n")
    assert len(facts.problems()) == 1


def test_a_model_may_pass_to_another_fact_once_the_first_has_ended(facts: FactDirectory) -> None:
    facts.change("facts.yaml", "    models: [one,", "    valid_to: 2026-01-01\n    models: [one,")
    facts.append(SECOND_MODEL + "    valid_from: 2026-01-01\n")
    assert facts.problems() == ()


def test_a_successor_may_claim_what_it_supersedes(facts: FactDirectory) -> None:
    successor = SECOND_MODEL.replace("[two, ONE]", "[one, one-2025-01-01, acme/one]")
    facts.append(successor + "    supersedes: energy/acme/one@2026-11\n")
    assert facts.problems() == ()


def test_a_model_is_retired_by_a_copy_with_an_end(facts: FactDirectory) -> None:
    copy = SECOND_MODEL.replace("[two, ONE]", "[one, one-2025-01-01, acme/one]")
    facts.append(copy + "    supersedes: energy/acme/one@2026-11\n    valid_to: 2026-06-01\n")
    path = facts.root.parent / "retired.json"
    path.write_bytes(compile_directory(facts.root, None))
    registry = Registry((read_compiled(path),))
    last = registry.about(EnergyCoefficient, "one", date(2026, 5, 31))
    assert last is not None
    assert last.id == "energy/acme/two@2026-11"
    assert registry.about(EnergyCoefficient, "one", date(2026, 6, 1)) is None


def test_a_successor_abandons_no_name(facts: FactDirectory) -> None:
    facts.append(SECOND_MODEL + "    supersedes: energy/acme/one@2026-11\n")
    assert facts.problems() == (
        (
            "facts.yaml:71: facts.energy/acme/two@2026-11.supersedes: leaves 'acme/one', 'one-2025-01-01' of "
            "energy/acme/one@2026-11 without a fact; claim all that it claimed"
        ),
    )


def test_a_grid_figure_may_follow_an_earlier_one_but_not_stand_beside_it(facts: FactDirectory) -> None:
    amount = "{low: 20, mid: 30, high: 40}"
    later = f"  grid/SWE/location@2026:\n    basis: location\n    gco2e_per_kwh: {amount}\n    zone: SWE\n"
    facts.append(later)
    assert facts.problems() == (
        (
            "facts.yaml:60: facts.grid/SWE/location@2026: claims 'swe/location' on days when "
            "grid/SWE/location@2025 does; keep one, or use `supersedes`"
        ),
    )
    facts.change("facts.yaml", later, later + "    valid_from: 2026-01-01\n")
    assert facts.problems() == ()


def test_an_id_given_in_two_files_is_a_duplicate(facts: FactDirectory) -> None:
    facts.write("more.yaml", "facts:\n  site/hall@2025: {}\n")
    assert facts.problems() == (
        "more.yaml:2: facts.site/hall@2025: duplicate id, first given in facts.yaml:36; choose another",
    )


def test_a_version_given_in_two_files_is_refused(facts: FactDirectory) -> None:
    facts.write("version.yaml", "version: 2026.12.0\n")
    assert facts.problems() == ("version.yaml:1: version: given twice, first in sources.yaml:1; keep one",)


def test_only_a_grid_is_a_mix(facts: FactDirectory) -> None:
    facts.change("facts.yaml", "pue: {mid: 1.1, range: range/half@2026}", "pue: {mix: {grid/NOR/location@2025: 1}}")
    assert facts.problems() == (
        (
            "facts.yaml:37: facts.site/hall@2025.pue: has the keys mix; give low, mid and high, or mid and range, or "
            "(grids only) mix"
        ),
    )


def test_a_mix_has_no_mix_as_its_member(facts: FactDirectory) -> None:
    facts.append("  zone/wide@2025:\n    names: [wide]\n    water_zone: NOR\n    zone: wide\n")
    facts.append("  grid/wide/location@2025:\n    basis: location\n    zone: wide\n    gco2e_per_kwh:\n      mix:\n")
    facts.append("        grid/north/location@2025: 1\n")
    assert facts.problems() == (
        (
            "facts.yaml:69: facts.grid/wide/location@2025.gco2e_per_kwh.mix.grid/north/location@2025: is no grid fact "
            "with an amount of its own; add it or correct the id"
        ),
    )


def test_a_broken_range_rule_is_reported_once_and_not_at_every_use(facts: FactDirectory) -> None:
    facts.change("facts.yaml", "divisor_low: 2", "divisor_low: two")
    assert len(facts.problems()) == 1


def test_problems_come_in_the_order_of_files_and_lines(facts: FactDirectory) -> None:
    facts.change("sources.yaml", "year: 2026", "year: soon")
    facts.change("facts.yaml", "    cloud: acme\n", "")
    facts.change("facts.yaml", "method: assumed", "method: guessed")
    starts = [problem.rpartition(": ")[0].split(": ")[0] for problem in facts.problems()]
    assert starts == ["facts.yaml:16", "facts.yaml:40", "sources.yaml:10"]
