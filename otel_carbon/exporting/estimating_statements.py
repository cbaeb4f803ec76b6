"""OTTL statements that estimate: from the counts and texts that were read to the attributes that our processors write.

The amounts are those of `core.formulas`, at low, mid and high.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.core.footprint import HIGH_CONFIDENCE_BELOW_RATIO, MEDIUM_CONFIDENCE_BELOW_RATIO
from otel_carbon.exporting.guarded_spans import plain_dialect
from otel_carbon.exporting.ottl_text import any_of, attribute, cache, is_one_of, literal, looked_up, matches, put
from otel_carbon.exporting.reading_statements import OK, REASON, fail, failed_condition
from otel_carbon.methods.call_place import TIER
from otel_carbon.registry.places import SELF_HOSTED
from otel_carbon.spans.role import EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from otel_carbon.core.interval import Interval
    from otel_carbon.exporting.energy_rows import Days, EnergyRow, ModelTable
    from otel_carbon.exporting.ottl_text import Literal
    from otel_carbon.exporting.place_rows import PlaceTables

_BOUNDS = ("low", "mid", "high")
_KINDS = ("input", "read", "write", "output")
_NS_PER_S = 1_000_000_000
_NO_REASON = f"{REASON} == {literal('')}"
_GOES_ON = f"{OK} == true and {_NO_REASON}"


def _say(reason: str, where: str) -> str:
    return put(REASON, literal(reason), f"{_GOES_ON} and {where}")


def usage_reasons() -> Iterator[str]:
    """Say why counts do not suffice, or that no model is named."""
    uncounted = f"{cache('counted')} == nil"
    yield _say(reasons.FAILED_NO_USAGE, f"{uncounted} and {failed_condition()}")
    yield _say(reasons.NO_USAGE, uncounted)
    yield _say(reasons.NO_USAGE, f"{cache('has_output')} == nil and {cache('operation')} != {literal(EMBEDDINGS)}")
    yield _say(reasons.MODEL_NOT_NAMED, f"{cache('model')} == nil")


def energy_statements(table: ModelTable) -> Iterator[str]:
    """Find the model's row; a name that is not in the table is left to those who can tell its family."""
    model, row, keys = cache("model"), cache("row"), plain_dialect().keys
    untagged = f"{cache('provider')} == {literal('ollama')} and not {matches(model, ':')}"
    yield put(model, f"Concat([{model}, {literal(':latest')}], {literal('')})", f"{_GOES_ON} and {untagged}")
    number = looked_up(_by_length(table.row_of_name), f"String(Len({model}))", model)
    yield put(cache("row_number"), number, _GOES_ON)
    rows = [_energy_row(row) for row in table.rows]
    yield put(row, looked_up(rows, cache("row_number")), f"{_GOES_ON} and {cache('row_number')} != nil")
    yield fail(f"{_NO_REASON} and {row} == nil")
    start = "span.start_time_unix_nano"
    began = f"{start} < {row}[{literal('first_ns')}]"
    ended = f"{row}[{literal('end_ns')}] != nil and {start} >= {row}[{literal('end_ns')}]"
    yield fail(f"{_GOES_ON} and ({began} or {ended})")
    both = (f"{attribute(key)} != nil" for field in ("response_model", "request_model") for key in keys[field])
    yield fail(f"{_GOES_ON} and {row}[{literal('by_family')}] == true and {' and '.join(both)}")
    covered = f"ContainsValue({row}[{literal('operations')}], {cache('operation')})"
    yield _say(reasons.OPERATION_NOT_COVERED, f"not {covered}")


def _by_length(row_of_name: dict[str, int]) -> dict[str, dict[str, int]]:
    """Names parted by how many bytes they have, as maps of the Collector are searched from end to end."""
    parted: dict[str, dict[str, int]] = {}
    for name, number in sorted(row_of_name.items()):
        parted.setdefault(str(len(name.encode())), {})[name] = number
    return dict(sorted(parted.items(), key=lambda item: -len(item[1])))


def _energy_row(row: EnergyRow) -> dict[str, Literal]:
    per_token = row.per_token
    told: dict[str, Literal] = {}
    for kind, kwh in zip(
        _KINDS,
        (per_token.input_kwh, per_token.cache_read_kwh, per_token.cache_write_kwh, per_token.output_kwh),
        strict=True,
    ):
        told |= _bounds(kind, kwh)
    if per_token.context_kwh is not None:
        told |= _bounds("pair", per_token.context_kwh)
    if row.output_high_kwh_own_chips != per_token.output_kwh.high:
        told["output_high_own_chips"] = row.output_high_kwh_own_chips
    if row.output_high_kwh_self_hosted != per_token.output_kwh.high:
        told["output_high_self_hosted"] = row.output_high_kwh_self_hosted
    if row.assessed is not None:
        told |= {"supplier": row.supplier, **_bounds("assessed_g", row.assessed.gco2e)}
        told |= _bounds("assessed_l", row.assessed.water_l)
    texts: dict[str, Literal] = {"id": row.coefficient_id, "operations": list(row.operations)}
    if row.open_weights:
        texts["open"] = True
    if row.by_its_family:
        texts["by_family"] = True
    return {**texts, **_day_bounds(row.days), **told}


def _bounds(name: str, amount: Interval) -> dict[str, Literal]:
    return {
        f"{name}_{bound}": value for bound, value in zip(_BOUNDS, (amount.low, amount.mid, amount.high), strict=True)
    }


def _day_bounds(days: Days) -> dict[str, Literal]:
    found: dict[str, Literal] = {"first_ns": _unix_ns(days.first)}
    if days.last is not None:
        found["end_ns"] = _unix_ns(days.last + timedelta(days=1))
    return found


def _unix_ns(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * _NS_PER_S


def days_condition(days: Days) -> str:
    """The condition that a span started on one of some days."""
    start, bounds = "span.start_time_unix_nano", _day_bounds(days)
    first = f"{start} >= {literal(bounds['first_ns'])}"
    return first if "end_ns" not in bounds else f"{first} and {start} < {literal(bounds['end_ns'])}"


def place_statements(tables: PlaceTables, *, all_homes: bool, all_regions: bool) -> Iterator[str]:
    """Find where the call ran; with not `all` tables exported, a name that they lack is left, and not unknown."""
    home, place, region = cache("home"), cache("place"), cache("region")
    homes = {name: row._asdict() for name, row in tables.homes.items()}
    yield put(home, looked_up(homes, cache("provider")), _GOES_ON)
    own = f"{cache('private')} == true and {cache('row')}[{literal('open')}] == true"
    yield put(home, literal(tables.own_machines._asdict()), f"{_GOES_ON} and {own}")
    regions = {name: row._asdict() for name, row in tables.regions.items()}
    yield put(place, looked_up(regions, region), f"{_GOES_ON} and {region} != nil")
    no_region, no_home = f"{region} != nil and {place} == nil", f"{region} == nil and {home} == nil"
    for where, told in ((no_region, all_regions), (no_home, all_homes)):
        yield _say(reasons.ZONE_UNKNOWN, where) if told else fail(f"{_GOES_ON} and {where}")
    for name in ("zone", "site"):
        own_key, found = literal(name), cache(name)
        yield put(
            found, f"{place}[{own_key}]", f"{_GOES_ON} and {place} != nil and {place}[{own_key}] != {literal('')}"
        )
        yield put(found, f"{home}[{own_key}]", f"{_GOES_ON} and {found} == nil and {home} != nil")
    yield put(cache("site"), literal(tables.own_machines.site), f"{_GOES_ON} and {cache('site')} == nil")
    yield from _facts_of_place(tables)


def _facts_of_place(tables: PlaceTables) -> Iterator[str]:
    zones: dict[str, Literal] = {
        name: {"id": row.grid_id, **_bounds("g", row.gco2e_per_kwh), **_bounds("l", row.l_per_kwh)}
        for name, row in tables.zones.items()
    }
    sites: dict[str, Literal] = {
        name: {**_bounds("pue", row.pue), **_bounds("wue", row.wue_l_per_it_kwh)} for name, row in tables.sites.items()
    }
    yield put(cache("grid"), looked_up(zones, cache("zone")), _GOES_ON)
    yield put(cache("fleet"), looked_up(sites, cache("site")), _GOES_ON)
    yield fail(f"{_GOES_ON} and {any_of((cache('grid') + ' == nil', cache('fleet') + ' == nil'))}")


def energy_amounts(own_chips: frozenset[str]) -> Iterator[str]:
    """Energy at the servers and at the facility, in kWh."""
    row, counts = cache("row"), {"input": "uncached", "read": "read", "write": "write", "output": "output"}
    for kind, count in counts.items():
        yield put(cache(f"{kind}_tokens"), f"Double({cache(count)})", _GOES_ON)
    output, given = cache("output"), cache("input")
    pairs = f"Double({output} * {given} + {output} * ({output} - 1) / 2)"
    yield put(cache("pairs"), pairs, f"{_GOES_ON} and {_of_row('pair_mid')} != nil")
    yield put(cache("output_high"), _of_row("output_high"), _GOES_ON)
    own_machine = f"{cache('home')} != nil and {cache('home')}[{literal('provider')}] == {literal(SELF_HOSTED)}"
    yield put(cache("self_hosted"), "true", f"{_GOES_ON} and {own_machine}")
    for kind, where in (
        ("own_chips", f"{cache('self_hosted')} == nil and {is_one_of(cache('provider'), own_chips)}"),
        ("self_hosted", f"{cache('self_hosted')} == true"),
    ):
        told = _of_row(f"output_high_{kind}")
        yield put(cache("output_high"), told, f"{_GOES_ON} and {told} != nil and {where}")
    for bound in _BOUNDS:
        of_output = cache("output_high") if bound == "high" else f"{row}[{literal(f'output_{bound}')}]"
        terms = [f"{cache(f'{kind}_tokens')} * {_of_row(f'{kind}_{bound}')}" for kind in ("input", "read", "write")]
        it_kwh = cache(f"it_{bound}")
        yield put(it_kwh, " + ".join((*terms, f"{cache('output_tokens')} * {of_output}")), _GOES_ON)
        yield put(it_kwh, f"{it_kwh} + {cache('pairs')} * {_of_row(f'pair_{bound}')}", f"{cache('pairs')} != nil")
        yield put(cache(f"kwh_{bound}"), f"{it_kwh} * {cache('fleet')}[{literal(f'pue_{bound}')}]", _GOES_ON)


def _of_row(name: str) -> str:
    return f"{cache('row')}[{literal(name)}]"


def other_amounts(embodied_gco2e_per_it_kwh: Interval) -> Iterator[str]:
    """Emissions in gCO2e at each bound and water in litres at mid, by the place or as a supplier had them assessed."""
    embodied = _bounds("", embodied_gco2e_per_it_kwh)
    home = cache("home")
    assessed = (
        f"{_of_row('supplier')} != nil and {home} != nil and {_of_row('supplier')} == {home}[{literal('provider')}]"
    )
    for bound in _BOUNDS:
        it_kwh, kwh, grams = cache(f"it_{bound}"), cache(f"kwh_{bound}"), cache(f"g_{bound}")
        operational = f"{kwh} * {cache('grid')}[{literal(f'g_{bound}')}]"
        yield put(grams, f"{operational} + {it_kwh} * {literal(embodied[f'_{bound}'])}", _GOES_ON)
        yield put(grams, f"{cache('output_tokens')} * {_of_row(f'assessed_g_{bound}')}", f"{_GOES_ON} and {assessed}")
    on_site = f"{cache('it_mid')} * {cache('fleet')}[{literal('wue_mid')}]"
    yield put(cache("l_mid"), f"{on_site} + {cache('kwh_mid')} * {cache('grid')}[{literal('l_mid')}]", _GOES_ON)
    yield put(cache("l_mid"), f"{cache('output_tokens')} * {_of_row('assessed_l_mid')}", f"{_GOES_ON} and {assessed}")


def written_attributes(registry_version: str) -> Iterator[str]:
    """Write what our processors write by default, in their order."""
    for key, name in (
        (ours.ENERGY_KWH, "kwh_mid"),
        (ours.ENERGY_KWH_LOW, "kwh_low"),
        (ours.ENERGY_KWH_HIGH, "kwh_high"),
        (ours.EMISSIONS_GCO2E, "g_mid"),
        (ours.EMISSIONS_GCO2E_LOW, "g_low"),
        (ours.EMISSIONS_GCO2E_HIGH, "g_high"),
        (ours.WATER_L, "l_mid"),
    ):
        yield put(attribute(key), cache(name), _GOES_ON)
    low, high = cache("kwh_low"), cache("kwh_high")
    confidence = cache("confidence")
    yield put(confidence, literal(ours.CONFIDENCE_LOW), _GOES_ON)
    for limit, word in (
        (MEDIUM_CONFIDENCE_BELOW_RATIO, ours.CONFIDENCE_MEDIUM),
        (HIGH_CONFIDENCE_BELOW_RATIO, ours.CONFIDENCE_HIGH),
    ):
        yield put(cache("limit"), f"{low} * {literal(limit)}", _GOES_ON)
        yield put(confidence, literal(word), f"{_GOES_ON} and {high} < {cache('limit')}")
    for key, value in (
        (ours.STATUS, literal(ours.STATUS_ESTIMATED)),
        (ours.COEFFICIENT_ID, _of_row("id")),
        (ours.GRID_ID, f"{cache('grid')}[{literal('id')}]"),
        (ours.TIER, literal(TIER)),
        (ours.CONFIDENCE, confidence),
        (ours.REGISTRY_VERSION, literal(registry_version)),
    ):
        yield put(attribute(key), value, _GOES_ON)
    unestimated = f"{OK} == true and {REASON} != {literal('')}"
    yield put(attribute(ours.STATUS), literal(ours.STATUS_UNESTIMATED), unestimated)
    yield put(attribute(ours.REASON), REASON, unestimated)
