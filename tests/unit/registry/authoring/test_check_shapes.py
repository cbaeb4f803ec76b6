from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.registry.authoring.fact_directory import FactDirectory

# One change to a complete directory, and all that the check then says.
MISTAKES = [
    pytest.param(
        "facts.yaml",
        "    divisor_low: 2\n",
        "    divisor_low: 2\n    colour: red\n",
        [
            (
                "facts.yaml:9: facts.range/half@2026.colour: unknown key; use evidence, factor_high, factor_low, "
                "note, published, sources, supersedes, valid_from, valid_to"
            ),
        ],
        id="an unknown key",
    ),
    pytest.param(
        "facts.yaml",
        "    cloud: acme\n",
        "",
        [
            "facts.yaml:40: facts.region/north-1@2025.cloud: missing; write it",
        ],
        id="a missing key",
    ),
    pytest.param(
        "sources.yaml",
        "    licence: CC-BY-4.0\n",
        "",
        [
            "sources.yaml:3: sources.lab.licence: missing; write under which licence the figures may be passed on",
        ],
        id="a source without licence",
    ),
    pytest.param(
        "sources.yaml",
        "    accessed: 2026-11-22\n",
        "",
        [
            "sources.yaml:3: sources.lab.accessed: missing; write the day on which the source was read",
        ],
        id="a source without access date",
    ),
    pytest.param(
        "facts.yaml",
        "cloud: acme",
        "cloud: 7",
        [
            "facts.yaml:41: facts.region/north-1@2025.cloud: is 7, no text; write text, in quotes if need be",
        ],
        id="a number where text belongs",
    ),
    pytest.param(
        "facts.yaml",
        "divisor_low: 2",
        "divisor_low: two",
        [
            "facts.yaml:8: facts.range/half@2026.divisor_low: is 'two', no number; write a number",
        ],
        id="text where a number belongs",
    ),
    pytest.param(
        "facts.yaml",
        "models: [one, one-2025-01-01]",
        "models: one",
        [
            "facts.yaml:17: facts.energy/acme/one@2026-11.models: is no list; write [one, two]",
        ],
        id="text where a list belongs",
    ),
    pytest.param(
        "facts.yaml",
        "valid_from: 2025-01-01",
        "valid_from: soon",
        [
            "facts.yaml:5: shared.valid_from: is 'soon', no date; write YEAR-MONTH-DAY",
        ],
        id="a date that is none",
    ),
    pytest.param(
        "sources.yaml",
        "year: 2026",
        "year: recent",
        [
            "sources.yaml:10: sources.lab.year: is 'recent', no whole number; write one",
        ],
        id="a year that is none",
    ),
    pytest.param(
        "facts.yaml",
        "open_weights: false",
        "open_weights: maybe",
        [
            "facts.yaml:18: facts.energy/acme/one@2026-11.open_weights: is 'maybe'; write true or false",
        ],
        id="text where true or false belongs",
    ),
    pytest.param(
        "facts.yaml",
        "    divisor_low: 2\n",
        "    divisor_low: 2\n    factor_high: 5\n",
        [
            "facts.yaml:10: facts.range/half@2026.factor_high: duplicate key, first given in line 9; keep one",
        ],
        id="a duplicate key",
    ),
    pytest.param(
        "sources.yaml",
        "  lab:\n",
        "  lab: [\n",
        [
            "facts.yaml:4: shared.sources: names 'lab', which is no source; add it to the sources or correct the id",
            "registry.yaml:1: version: missing; write `version: YEAR.MONTH.NUMBER`",
            "sources.yaml:5: yaml: expected ',' or ']', but got ':'; correct the YAML",
        ],
        id="a file that is no YAML",
    ),
    pytest.param(
        "sources.yaml",
        "sources:\n",
        "sorces:\n",
        [
            "facts.yaml:4: shared.sources: names 'lab', which is no source; add it to the sources or correct the id",
            "sources.yaml:2: sorces: unknown key; use one of aliases, facts, shared, sources, tables, version",
        ],
        id="an unknown section",
    ),
    pytest.param(
        "sources.yaml",
        "version: 2026.11.0\n",
        "",
        [
            "registry.yaml:1: version: missing; write `version: YEAR.MONTH.NUMBER`",
        ],
        id="no version",
    ),
    pytest.param(
        "sources.yaml",
        "version: 2026.11.0",
        "version: 2026.11",
        [
            "sources.yaml:1: version: is no text; write it as YEAR.MONTH.NUMBER",
        ],
        id="a version that YAML reads as a number",
    ),
    pytest.param(
        "facts.yaml",
        "l_per_kwh: {low: 1, mid: 2, high: 4}",
        "l_per_kwh: {low: -1, mid: 2, high: 4}",
        [
            "facts.yaml:46: facts.water/NOR@2025.l_per_kwh.low: is -1; write a finite number of at least 0",
        ],
        id="a negative amount",
    ),
    pytest.param(
        "facts.yaml",
        "l_per_kwh: {low: 1, mid: 2, high: 4}",
        "l_per_kwh: 2",
        [
            (
                "facts.yaml:46: facts.water/NOR@2025.l_per_kwh: has no range; give low, mid and high, or mid and "
                "range, or (grids only) mix"
            ),
        ],
        id="an amount without range",
    ),
    pytest.param(
        "facts.yaml",
        "l_per_kwh: {low: 1, mid: 2, high: 4}",
        "l_per_kwh: {low: 1, mid: 2}",
        [
            (
                "facts.yaml:46: facts.water/NOR@2025.l_per_kwh: has the keys low, mid; give low, mid and high, or "
                "mid and range, or (grids only) mix"
            ),
        ],
        id="an amount without high",
    ),
    pytest.param(
        "facts.yaml",
        "l_per_kwh: {low: 1, mid: 2, high: 4}",
        "l_per_kwh: {low: 3, mid: 2, high: 4}",
        [
            (
                "facts.yaml:46: facts.water/NOR@2025.l_per_kwh: has low 3.0, mid 2.0, high 4.0; order them low <= "
                "mid <= high"
            ),
        ],
        id="bounds out of order",
    ),
    pytest.param(
        "facts.yaml",
        "pue: {mid: 1.1, range: range/half@2026}",
        "pue: {mid: 0.9, range: range/half@2026}",
        [
            "facts.yaml:37: facts.site/hall@2025.pue.mid: is 0.9, but nothing lies below 1.0; correct it",
        ],
        id="a PUE below 1",
    ),
    pytest.param(
        "facts.yaml",
        "pue: {mid: 1.1, range: range/half@2026}",
        "pue: {low: 0.9, mid: 1.1, high: 1.2}",
        [
            "facts.yaml:37: facts.site/hall@2025.pue.low: is 0.9, but nothing lies below 1.0; correct it",
        ],
        id="a PUE whose low is below 1",
    ),
    pytest.param(
        "facts.yaml",
        "{mid: 30, range: range/half@2026}",
        (
            "{mid: 30, range: range/half@2026, "
            "derived: {national_lifecycle: 400, subregion_direct: 300, national_direct: 350, "
            "lifecycle_year: 2024, direct_year: 2023}}"
        ),
        [
            (
                "facts.yaml:23: facts.grid/NOR/location@2025.gco2e_per_kwh.derived: gives 342.86, but mid is 30; "
                "correct the terms or the mid"
            ),
        ],
        id="a derivation that gives another figure",
    ),
    pytest.param(
        "facts.yaml",
        "{mid: 30, range: range/half@2026}",
        "{mid: 30, range: range/half@2026, derived: {national_lifecycle: 400}}",
        [
            (
                "facts.yaml:23: facts.grid/NOR/location@2025.gco2e_per_kwh.derived: needs exactly direct_year, "
                "lifecycle_year, national_direct, national_lifecycle, subregion_direct; write these five"
            ),
        ],
        id="a derivation without its terms",
    ),
    pytest.param(
        "facts.yaml",
        "{mid: 30, range: range/half@2026}",
        (
            "{mid: 30, range: range/half@2026, "
            "derived: {national_lifecycle: 400, subregion_direct: 300, national_direct: 0, "
            "lifecycle_year: 2024, direct_year: 2023}}"
        ),
        [
            (
                "facts.yaml:23: facts.grid/NOR/location@2025.gco2e_per_kwh.derived.national_direct: is 0, which "
                "nothing can be divided by; correct it"
            ),
        ],
        id="a derivation that divides by zero",
    ),
    pytest.param(
        "facts.yaml",
        "{mid: 30, range: range/half@2026}",
        (
            "{mid: 30, range: range/half@2026, "
            "derived: {national_lifecycle: 40, subregion_direct: 30, national_direct: 40, "
            "lifecycle_year: last, direct_year: 2023}}"
        ),
        [
            (
                "facts.yaml:23: facts.grid/NOR/location@2025.gco2e_per_kwh.derived.lifecycle_year: is 'last', no year; "
                "write the year of the figures"
            ),
        ],
        id="a derivation whose year is none",
    ),
    pytest.param(
        "facts.yaml",
        "    gco2e_per_kwh: {mid: 30, range: range/half@2026}\n",
        "    gco2e_per_kwh: {mid: 30, range: range/half@2026}\n    derivation: by hand\n",
        [
            (
                "facts.yaml:24: facts.grid/NOR/location@2025.derivation: unknown key; use basis, evidence, "
                "gco2e_per_kwh, note, published, sources, supersedes, valid_from, valid_to, zone"
            ),
        ],
        id="a derivation that the compiler did not write",
    ),
    pytest.param(
        "facts.yaml",
        "boundary: it",
        "boundary: facility",
        [
            (
                "facts.yaml:13: facts.energy/acme/one@2026-11.boundary: is 'facility'; write `boundary: it` and "
                "convert the figure to it"
            ),
        ],
        id="another boundary than it",
    ),
    pytest.param(
        "facts.yaml",
        "    boundary: it\n",
        "",
        [
            (
                "facts.yaml:10: facts.energy/acme/one@2026-11.boundary: missing; write `boundary: it` and convert "
                "the figure to it"
            ),
        ],
        id="no boundary",
    ),
]


@pytest.mark.parametrize(("file", "before", "after", "expected"), MISTAKES)
def test_a_mistake_in_shape_is_reported_where_it_stands(
    facts: FactDirectory, file: str, before: str, after: str, expected: list[str]
) -> None:
    facts.change(file, before, after)
    assert list(facts.problems()) == expected
