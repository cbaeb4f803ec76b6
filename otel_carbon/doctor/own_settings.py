"""`OTEL_CARBON_*` as they are understood, and what is wrong with them; nothing is logged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.doctor.facts import RegistryFacts, WrongRegion, WrongSetting
from otel_carbon.doctor.setting_lines import MODEL_PLACEHOLDER, REGION_PLACEHOLDER, close_spelling, pair_line
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.places import is_known_region
from otel_carbon.registry.spellings import nearest_names
from otel_carbon.sdk import environment as own
from otel_carbon.sdk.setting_texts import Pairs, accounting_point_from_text, pairs_from_text
from otel_carbon.switches import CAPTURE, DISABLED, FALSE_WORDS, TRUE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WRONG_SEPARATOR = ";"
SWITCHES = (DISABLED, own.STRICT, CAPTURE)


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """Regions by provider, models by name, all that is wrong, and the facts of the registry."""

    registry: RegistryFacts
    regions: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    wrong_regions: tuple[WrongRegion, ...] = ()
    wrong: tuple[WrongSetting, ...] = ()


def read_own_settings(variables: Mapping[str, str]) -> OwnSettings:
    """What our variables say."""
    registry, overlay_problem = registry_with_overlay(variables)
    grid_until, grid_problem = _grid(variables.get(own.GRID_TABLE, ""))
    regions = _pairs(variables.get(own.REGION, ""), "provider=region")
    models = _pairs(variables.get(own.MODELS, ""), "name=model")
    by_provider = {provider.lower(): region for provider, region in regions.found.items()}
    unknown = {name: region for name, region in by_provider.items() if not is_known_region(registry, region)}
    return OwnSettings(
        RegistryFacts(
            version=registry.version,
            released=_released(registry.version),
            overlay=variables.get(own.REGISTRY, "").strip(),
            overlay_problem=overlay_problem,
            grid_table=variables.get(own.GRID_TABLE, "").strip(),
            grid_until=grid_until,
            grid_problem=grid_problem,
        ),
        by_provider,
        models.found,
        tuple(
            WrongRegion(name, region, nearest_names(region, own.region_names(registry)))
            for name, region in unknown.items()
        ),
        (*_wrong_pairs(registry, regions, models), *_wrong(variables)),
    )


def registry_with_overlay(variables: Mapping[str, str]) -> tuple[Registry, str]:
    """The registry that applications use, and why the overlay is not part of it."""
    path = variables.get(own.REGISTRY, "").strip()
    if not path:
        return Registry.bundled(), ""
    try:
        return Registry.bundled().with_overlay(Path(path)), ""
    except Exception as error:  # whatever is wrong with the file
        return Registry.bundled(), str(error)


def enrich_settings(variables: Mapping[str, str]) -> EnrichSettings:
    """The settings that decide which spans are calls and where they ran; what is wrong of them is left out."""
    accounting = accounting_point_from_text(variables.get(own.ACCOUNTING_POINT, ""))
    regions = pairs_from_text(variables.get(own.REGION, ""), "").found
    return EnrichSettings(
        configured_regions={provider.lower(): region for provider, region in regions.items()},
        models=pairs_from_text(variables.get(own.MODELS, ""), "").found,
        accounting_point=accounting.counting,
        pass_through=accounting.pass_through,
        strict=variables.get(own.STRICT, "").strip().lower() in TRUE_WORDS,
    )


def _released(version: str) -> str:
    """The month of a registry's version, as `2026-11`."""
    year, _, rest = version.partition(".")
    return f"{year}-{int(rest.partition('.')[0]):02}" if year.isdecimal() and rest[:1].isdecimal() else ""


def _grid(path: str) -> tuple[str, str]:
    if not path.strip():
        return "", ""
    try:
        from otel_carbon.grid.table_file import read_grid_table  # most applications have no table

        table = read_grid_table(Path(path.strip()))
        ends = [row.end for version in table.versions for row in version.rows]
    except Exception as error:  # whatever is wrong with the file
        return "", str(error)
    return (max(ends).astimezone(UTC).isoformat() if ends else ""), ""


def _pairs(text: str, form: str) -> Pairs:
    """The pairs as they are meant: with `;` between them they are none, and the problem is said once."""
    meant = pairs_from_text(text.replace(WRONG_SEPARATOR, ","), form)
    if WRONG_SEPARATOR in text and not meant.problems:
        return Pairs(meant.found, (f"pairs are parted by a comma, not by {WRONG_SEPARATOR!r}",))
    return pairs_from_text(text, form)


def _wrong_pairs(registry: Registry, regions: Pairs, models: Pairs) -> Iterator[WrongSetting]:
    for problem in regions.problems:
        yield _of_pairs(own.REGION, problem, regions, _completed(problem, "PROVIDER", REGION_PLACEHOLDER))
    for problem in models.problems:
        yield _of_pairs(own.MODELS, problem, models, _completed(problem, "NAME", MODEL_PLACEHOLDER))
    for name, model in models.found.items():
        if problem_of_model := own.unknown_model(registry, model):
            near = nearest_names(model, own.model_names(registry))
            instead = close_spelling(model, near, same_digits=True) or MODEL_PLACEHOLDER
            yield _of_pairs(own.MODELS, problem_of_model, models, {name: instead})


def _of_pairs(variable: str, problem: str, told: Pairs, pairs: Mapping[str, str]) -> WrongSetting:
    advice = f"{variable}={pair_line({**told.found, **pairs})}"
    return WrongSetting(variable, problem, advice, pairs, is_of_pairs=True)


def _completed(problem: str, name: str, value: str) -> Mapping[str, str]:
    """The part that a problem quotes, made a pair: `'eastus' is not provider=region` is the region of some provider."""
    part = problem.rpartition(" is not ")[0].strip("'\"")
    if not part:
        return {}
    before, equals, behind = (each.strip() for each in part.partition("="))
    return {before or name: behind or value} if equals else {name: before}


def _wrong(variables: Mapping[str, str]) -> Iterator[WrongSetting]:
    for problem in accounting_point_from_text(variables.get(own.ACCOUNTING_POINT, "")).problems:
        yield WrongSetting(own.ACCOUNTING_POINT, problem, f"{own.ACCOUNTING_POINT}=my-model-server,-my-gateway")
    level = variables.get(own.ATTRIBUTES, "core").strip().lower()
    if level not in ("", "core", "full"):
        yield WrongSetting(own.ATTRIBUTES, f"{level!r} is neither core nor full", f"{own.ATTRIBUTES}=core")
    for switch in SWITCHES:
        word = variables.get(switch, "").strip().lower()
        if word not in (*TRUE_WORDS, *FALSE_WORDS):
            yield WrongSetting(switch, f"{word!r} is neither true nor false", f"unset {switch}")
