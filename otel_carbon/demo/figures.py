"""What arrived at the backend, summed up: nothing here comes from the plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon import attributes as ours
from otel_carbon.core.interval import Interval, total
from otel_carbon.demo import genai_keys as keys
from otel_carbon.demo.span_trees import BEDROCK_SCOPE
from otel_carbon.estimating import day_from_unix_ns
from otel_carbon.spans.counts import BASIS_CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from otel_carbon.demo.arrivals import ArrivedSpan

UNKNOWN = "unknown"
NO_TENANT = "none"
_CALLS = (ours.STATUS_ESTIMATED, ours.STATUS_UNESTIMATED)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Facility energy in kWh, emissions in gCO2e and water in L, modelled."""

    energy_kwh: Interval
    emissions_gco2e: Interval
    water_l: Interval


@dataclass(frozen=True, slots=True)
class Row:
    """Calls that have something in common; `amounts` is `None` when none of them could be estimated.

    Tokens are those of all calls that report them, estimated or not.
    """

    name: tuple[str, ...]
    calls: int
    estimated: int
    input_tokens: int
    output_tokens: int
    amounts: Amounts | None

    @property
    def unestimated(self) -> int:
        """Calls whose footprint is unknown."""
        return self.calls - self.estimated


@dataclass(frozen=True, slots=True)
class FactIds:
    """What the spans say they were estimated with; places are (provider, region, evidence)."""

    coefficients: tuple[str, ...]
    grids: tuple[str, ...]
    sites: tuple[str, ...]
    places: tuple[tuple[str, str, str], ...]
    assumptions: Mapping[str, int]
    """Code to the number of calls that rest on it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that the table and the page show; rows come with the largest emissions first."""

    overall: Row
    models: tuple[Row, ...]
    tenants: tuple[Row, ...]
    regions: tuple[Row, ...]
    days: tuple[Row, ...]
    daily_emissions_gco2e: Mapping[tuple[str, str], float]
    """(ISO date, model) to the mid of its emissions."""
    reasons: Mapping[tuple[str, str], int]
    """(status, reason) of spans without a figure of their own."""
    spans: int
    other_spans: int
    """Spans that are no inference: tools, web requests."""
    registry_versions: tuple[str, ...]
    fact_ids: FactIds

    def spans_with_status(self, status: str) -> int:
        """How many spans have a status that comes with a reason."""
        return sum(count for (found, _), count in self.reasons.items() if found == status)


def figures_of(spans: Sequence[ArrivedSpan]) -> Figures:
    """Sum up enriched spans by their `otel_carbon.*` attributes."""
    calls = [span for span in spans if span.attributes.get(ours.STATUS) in _CALLS]
    estimated = [span for span in calls if span.attributes[ours.STATUS] == ours.STATUS_ESTIMATED]
    judged = [span for span in spans if ours.STATUS in span.attributes]
    return Figures(
        overall=_row(("all calls",), calls),
        models=_rows(calls, lambda span: (_text(span, keys.PROVIDER), model_of(span))),
        tenants=_rows(calls, lambda span: (_text(span, ours.TENANT) or NO_TENANT,)),
        regions=_rows(calls, lambda span: _place_of(span)[1:]),
        days=tuple(sorted(_rows(calls, lambda span: (_day(span).isoformat(),)), key=lambda row: row.name)),
        daily_emissions_gco2e=_daily_emissions(estimated),
        reasons=Counter(_reason_of(span) for span in judged if ours.REASON in span.attributes),
        spans=len(spans),
        other_spans=len(spans) - len(judged),
        registry_versions=_distinct(estimated, ours.REGISTRY_VERSION),
        fact_ids=_fact_ids(estimated),
    )


def model_of(span: ArrivedSpan) -> str:
    """The model that answered, else the one asked for."""
    return _text(span, keys.RESPONSE_MODEL) or _text(span, keys.REQUEST_MODEL)


def _rows(calls: Iterable[ArrivedSpan], name_of: Callable[[ArrivedSpan], tuple[str, ...]]) -> tuple[Row, ...]:
    groups: dict[tuple[str, ...], list[ArrivedSpan]] = defaultdict(list)
    for span in calls:
        groups[name_of(span)].append(span)
    rows = [_row(name, members) for name, members in groups.items()]
    return tuple(sorted(rows, key=lambda row: (-_emissions_mid(row), row.name)))


def _row(name: tuple[str, ...], calls: Sequence[ArrivedSpan]) -> Row:
    estimated = [span for span in calls if span.attributes[ours.STATUS] == ours.STATUS_ESTIMATED]
    return Row(
        name,
        len(calls),
        len(estimated),
        sum(_input_tokens(span) for span in calls),
        sum(_count(span, keys.OUTPUT_TOKENS) for span in calls),
        _amounts(estimated) if estimated else None,
    )


def _input_tokens(span: ArrivedSpan) -> int:
    """All input, also of a span that leaves cache out."""
    cached = _count(span, keys.CACHE_READ_TOKENS) + _count(span, keys.CACHE_WRITE_TOKENS)
    return _count(span, keys.INPUT_TOKENS) + (cached if span.scope == BEDROCK_SCOPE else 0)


def _emissions_mid(row: Row) -> float:
    return row.amounts.emissions_gco2e.mid if row.amounts else -1.0


def _amounts(spans: Sequence[ArrivedSpan]) -> Amounts:
    return Amounts(
        _sum(spans, ours.ENERGY_KWH_LOW, ours.ENERGY_KWH, ours.ENERGY_KWH_HIGH),
        _sum(spans, ours.EMISSIONS_GCO2E_LOW, ours.EMISSIONS_GCO2E, ours.EMISSIONS_GCO2E_HIGH),
        _sum(spans, ours.WATER_L_LOW, ours.WATER_L, ours.WATER_L_HIGH),
    )


def _sum(spans: Sequence[ArrivedSpan], low: str, mid: str, high: str) -> Interval:
    return total(Interval(_amount(span, low), _amount(span, mid), _amount(span, high)) for span in spans)


def _daily_emissions(estimated: Iterable[ArrivedSpan]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for span in sorted(estimated, key=lambda each: each.start_ns):
        sums[_day(span).isoformat(), model_of(span)] += _amount(span, ours.EMISSIONS_GCO2E)
    return dict(sorted(sums.items()))


def _fact_ids(estimated: Sequence[ArrivedSpan]) -> FactIds:
    assumptions: Counter[str] = Counter()
    for span in estimated:
        codes = span.attributes.get(ours.ASSUMPTIONS, ())
        assumptions.update(code for code in (codes if isinstance(codes, tuple) else ()) if code not in BASIS_CODES)
    return FactIds(
        _distinct(estimated, ours.COEFFICIENT_ID),
        _distinct(estimated, ours.GRID_ID),
        _distinct(estimated, ours.SITE_ID),
        tuple(sorted({_place_of(span) for span in estimated})),
        dict(sorted(assumptions.items())),
    )


def _distinct(spans: Iterable[ArrivedSpan], key: str) -> tuple[str, ...]:
    return tuple(sorted({_text(span, key) for span in spans}))


def _place_of(span: ArrivedSpan) -> tuple[str, str, str]:
    region = _text(span, ours.REGION) or UNKNOWN
    return (_text(span, keys.PROVIDER), region, _text(span, ours.REGION_EVIDENCE) or UNKNOWN)


def _reason_of(span: ArrivedSpan) -> tuple[str, str]:
    return (_text(span, ours.STATUS), _text(span, ours.REASON))


def _day(span: ArrivedSpan) -> date:
    return day_from_unix_ns(span.start_ns)


def _text(span: ArrivedSpan, key: str) -> str:
    found = span.attributes.get(key, "")
    return found if isinstance(found, str) else str(found)


def _count(span: ArrivedSpan, key: str) -> int:
    found = span.attributes.get(key, 0)
    return found if isinstance(found, int) else 0


def _amount(span: ArrivedSpan, key: str) -> float:
    found = span.attributes[key]
    if not isinstance(found, (int, float)):
        raise TypeError(f"{key} of a span of {span.service} is {found!r}, no number")
    return float(found)
