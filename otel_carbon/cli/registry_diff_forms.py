"""The difference of two registries as a page and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_carbon.change_effects import ratio_of
from otel_carbon.cli.wording import range_words, rounded
from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import WH_PER_KWH
from otel_carbon.registry.differences import ADDED, CHANGES

if TYPE_CHECKING:
    from otel_carbon.change_effects import CallEffect, UsageEffect
    from otel_carbon.cli.console import Console
    from otel_carbon.cli.fact_pages import Json
    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.differences import Amount, AmountChange, FactChange, RegistryDifference

FORMAT = 1
FACT_COLUMNS = ("change", "fact", "in place of", "amounts before and after", "sources")
EFFECT_COLUMNS = ("call", "tokens", "Wh before", "Wh after", "Wh ratio", "gCO2e before", "gCO2e after", "gCO2e ratio")
NOTHING = "-"
MOST_FIELDS_NAMED = 3
"""More fields of a fact than this are counted; `--json` names them all."""


def show_difference(
    console: Console,
    names: tuple[str, str],
    difference: RegistryDifference,
    effect: UsageEffect,
    *,
    with_added: bool,
) -> None:
    """Write the page: how many facts changed and how, which, and the figures of calls before and after."""
    console.line(f"from {names[0]} to {names[1]}: {_counts(difference)}")
    shown = [each for each in difference.facts if with_added or each.change != ADDED]
    if shown:
        console.line()
        console.table("", FACT_COLUMNS, [_fact_row(change) for change in shown])
    for words, ids in _source_lines(difference):
        console.line(f"sources {words}: {', '.join(ids)}")
    console.line()
    rows = [_effect_row(each) for each in effect.calls]
    title = "modelled energy at the facility and emissions of calls, mid"
    console.table(title, EFFECT_COLUMNS, [*rows, _total_row(effect)], right=EFFECT_COLUMNS[2:])
    if effect.counted < len(effect.calls):
        console.line(f"the total is over the {effect.counted} of {len(effect.calls)} calls that both estimate")


def difference_json(
    before: Registry, after: Registry, difference: RegistryDifference, effect: UsageEffect
) -> dict[str, Json]:
    """Everything with ranges; a call without an estimate has its reason instead of amounts."""
    return {
        "format": FORMAT,
        "before": {"registry_version": before.version, "registry_digest": before.digest},
        "after": {"registry_version": after.version, "registry_digest": after.digest},
        "facts": [_fact_json(change) for change in difference.facts],
        "sources_added": [*difference.sources_added],
        "sources_removed": [*difference.sources_removed],
        "sources_changed": [*difference.sources_changed],
        "calls": [_call_json(each) for each in effect.calls],
        "total": {
            "calls": effect.counted,
            "energy_kwh": _both(effect.before.energy_kwh, effect.after.energy_kwh),
            "emissions_gco2e": _both(effect.before.emissions_gco2e, effect.after.emissions_gco2e),
        },
    }


def _counts(difference: RegistryDifference) -> str:
    counts = Counter(change.change for change in difference.facts)
    said = [
        f"{counts[code]:,} fact{'' if counts[code] == 1 else 's'} {code.replace('_', ' ')}"
        for code in CHANGES
        if counts[code]
    ]
    return ", ".join(said) or "no fact differs"


def _source_lines(difference: RegistryDifference) -> list[tuple[str, tuple[str, ...]]]:
    lines = [
        ("added", difference.sources_added),
        ("removed", difference.sources_removed),
        ("changed", difference.sources_changed),
    ]
    return [(words, ids) for words, ids in lines if ids]


def _fact_row(change: FactChange) -> tuple[str, ...]:
    amounts = "; ".join(_amount_words(each) for each in change.amounts)
    others = ", ".join(change.other_fields)
    if len(change.other_fields) > MOST_FIELDS_NAMED:
        others = f"{len(change.other_fields)} other fields"
    sources = [f"+{source}" for source in change.sources_added] + [f"-{source}" for source in change.sources_removed]
    return (
        change.change.replace("_", " "),
        change.fact_id,
        change.before_id or NOTHING,
        "; ".join(words for words in (amounts, others) if words) or NOTHING,
        " ".join(sources) or NOTHING,
    )


def _amount_words(change: AmountChange) -> str:
    """The mids and their ratio; the ranges where the mid stays and they do not."""
    if change.ratio == 1.0:
        return f"{change.field}: {_range_words(change.before)} to {_range_words(change.after)}"
    ratio = "" if change.ratio is None else f" (x {change.ratio:.3g})"
    return f"{change.field}: {_mid_words(change.before)} to {_mid_words(change.after)}{ratio}"


def _mid_words(amount: Amount) -> str:
    return f"{amount.mid:.4g}" if isinstance(amount, Interval) else f"{amount:.6g}"


def _range_words(amount: Amount) -> str:
    return range_words(amount) if isinstance(amount, Interval) else f"{amount:.6g}"


def _effect_row(effect: CallEffect) -> tuple[str, ...]:
    call, was, now = effect
    at = f" in {call.region}" if call.region else ""
    tokens = f"{call.input_tokens or 0:,} + {call.output_tokens or 0:,}"
    cells = (*_pair(was, now, "energy_kwh", WH_PER_KWH), *_pair(was, now, "emissions_gco2e", 1.0))
    return (f"{call.model} at {call.provider}{at}", tokens, *cells)


def _pair(
    before: Footprint | Unestimated, after: Footprint | Unestimated, quantity: str, units: float
) -> tuple[str, str, str]:
    was, now = (getattr(each, quantity) if isinstance(each, Footprint) else None for each in (before, after))
    ratio = ratio_of(was, now) if was is not None and now is not None else None
    return (_words(was, units), _words(now, units), _ratio_words(ratio))


def _words(amount: Interval | None, units: float) -> str:
    return NOTHING if amount is None else rounded(amount.mid * units)


def _total_row(effect: UsageEffect) -> tuple[str, ...]:
    (was, was_gco2e), (now, now_gco2e) = effect.before, effect.after
    return (
        f"{effect.counted} calls",
        "",
        rounded(was.mid * WH_PER_KWH),
        rounded(now.mid * WH_PER_KWH),
        _ratio_words(ratio_of(was, now)),
        rounded(was_gco2e.mid),
        rounded(now_gco2e.mid),
        _ratio_words(ratio_of(was_gco2e, now_gco2e)),
    )


def _ratio_words(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{ratio:.3f}"


def _fact_json(change: FactChange) -> dict[str, Json]:
    return {
        "change": change.change,
        "fact": change.fact_id,
        "in_place_of": change.before_id or None,
        "amounts": [
            {"field": each.field, "before": _json(each.before), "after": _json(each.after), "ratio": each.ratio}
            for each in change.amounts
        ],
        "other_fields": [*change.other_fields],
        "sources_added": [*change.sources_added],
        "sources_removed": [*change.sources_removed],
    }


def _call_json(effect: CallEffect) -> dict[str, Json]:
    return {**_usage_json(effect.call), "before": _figure_json(effect.before), "after": _figure_json(effect.after)}


def _usage_json(call: TokenUsage) -> dict[str, Json]:
    return {
        "provider": call.provider,
        "model": call.model,
        "region": call.region,
        "date": call.at.isoformat() if call.at else None,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
    }


def _figure_json(found: Footprint | Unestimated) -> dict[str, Json]:
    if isinstance(found, Footprint):
        return {
            "energy_kwh": _json(found.energy_kwh),
            "emissions_gco2e": _json(found.emissions_gco2e),
            "coefficient": found.provenance.coefficient_id,
            "grid": found.provenance.grid_id,
            "site": found.provenance.site_id,
        }
    return {"unestimated": found.reason, "detail": found.detail}


def _both(before: Interval, after: Interval) -> dict[str, Json]:
    return {"before": _json(before), "after": _json(after), "ratio": ratio_of(before, after)}


def _json(amount: Amount) -> Json:
    return {**amount.as_dict()} if isinstance(amount, Interval) else amount
