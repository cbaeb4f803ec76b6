"""Every coefficient of the registry in compact tables, with range, evidence, validity and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.activity import TIER as REQUEST_TIER
from otel_carbon.activity import TIER_NUMBER as REQUEST_TIER_NUMBER
from otel_carbon.methodology.document import Code, Link, Section, paragraph, table
from otel_carbon.methodology.tables import prose
from otel_carbon.methods.call_place import TIER, TIER_NUMBER
from otel_carbon.registry.facts import (
    ActivityTokens,
    Assessment,
    CharactersPerToken,
    DirectIntensity,
    Embodied,
    EnergyCoefficient,
    Fallback,
    GridIntensity,
    Meter,
    ProviderPlace,
    RangeRule,
    Region,
    Site,
    TokenRatio,
    WaterIntensity,
    Zone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.methodology.document import Block, Cell, Table
    from otel_carbon.registry.catalog import F, Registry
    from otel_carbon.registry.facts import Fact

_TAIL = (("evidence", "evidence"), ("valid", "valid"), ("sources", "sources"), ("note", "note"))


def models_section(registry: Registry) -> Section:
    """Energy of all models, and of those that no coefficient is about."""
    facts = registry.current(EnergyCoefficient)
    counts = {kind: sum(fact.evidence == kind for fact in facts) for kind in sorted({fact.evidence for fact in facts})}
    guessed = sum(fact.size_evidence == "guessed" for fact in facts)
    said = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    intro = prose(
        "models",
        count=f"{len(facts):,}",
        by_evidence=said,
        guessed=guessed,
        tier=TIER,
        tier_number=TIER_NUMBER,
    )
    return Section(
        "models",
        "Energy of models",
        (
            paragraph(intro),
            _models_table(facts),
            paragraph(prose("assessments")),
            _table(registry, Assessment, "assessments", "Assessments by suppliers", _ASSESSED, _assessed_cells),
            paragraph(prose("fallbacks")),
            _fallbacks_table(registry),
        ),
    )


def places_section(registry: Registry) -> Section:
    """Grids, sites and water, and where calls are taken to run."""
    blocks: list[Block] = [
        paragraph(prose("places")),
        _table(
            registry, GridIntensity, "grids", "Grids", _GRID, lambda f: (f.zone, f.basis, f.gco2e_per_kwh, f.derivation)
        ),
        _table(registry, Site, "sites", "Sites", _SITE, lambda f: (f.site, f.pue, f.wue_l_per_it_kwh)),
        _table(registry, WaterIntensity, "water", "Water of electricity", _WATER, lambda f: (f.zone, f.l_per_kwh)),
        _table(
            registry,
            ProviderPlace,
            "providers",
            "Default places",
            _HOME,
            lambda f: (f.provider, f.names, f.zone, f.site),
        ),
        _table(registry, Region, "regions", "Cloud regions", _REGION, lambda f: (f.region, f.cloud, f.zone, f.site)),
        _table(registry, Zone, "zones", "Grid zones", _ZONE, lambda f: (f.zone, f.names, f.water_zone)),
        _table(
            registry, DirectIntensity, "direct", "Direct emissions", _DIRECT, lambda f: (f.zone, f.direct_gco2e_per_kwh)
        ),
    ]
    return Section("places", "Grids, sites and water", tuple(blocks))


def shared_section(registry: Registry) -> Section:
    """Factors that all calls share, and the rules that make ranges."""
    blocks: list[Block] = [
        _table(
            registry,
            Embodied,
            "embodied",
            "Embodied",
            (("amount", "gCO2e per IT kWh"),),
            lambda f: (f.gco2e_per_it_kwh,),
        ),
        _table(
            registry,
            TokenRatio,
            "ratios",
            "Cached tokens",
            (("token_kind", "kind of token"), ("ratio", "energy relative to an uncached input token")),
            lambda f: (f.token_kind, f.ratio),
        ),
        _table(
            registry,
            RangeRule,
            "ranges",
            "Range rules: factors on a mid that was published without a range",
            (("factor_low", "low: mid times"), ("factor_high", "high: mid times")),
            lambda f: (f.factor_low, f.factor_high),
        ),
    ]
    blocks += [
        paragraph(prose("activities", tier=REQUEST_TIER, tier_number=REQUEST_TIER_NUMBER)),
        _table(
            registry,
            ActivityTokens,
            "activities",
            "Tokens of a request that nobody counted",
            (("product", "product"), ("input_tokens", "input tokens"), ("output_tokens", "output tokens")),
            lambda f: (f.product, f.input_tokens, f.output_tokens),
        ),
        _table(
            registry,
            CharactersPerToken,
            "characters",
            "Length of a token",
            (("script", "script"), ("characters_per_token", "characters")),
            lambda f: (f.script, f.characters_per_token),
        ),
        _table(
            registry,
            Meter,
            "meters",
            "What the meter of a call covers",
            (("boundary", "boundary"), ("it_per_metered", "IT energy per metered energy")),
            lambda f: (f.boundary, f.it_per_metered),
        ),
    ]
    return Section("shared", "Embodied, cache, uncounted tokens and ranges", tuple(blocks))


_ASSESSED = (
    ("supplier", "supplier"),
    ("models", "models"),
    ("boundary", "boundary"),
    ("gco2e_per_output_ktoken", "gCO2e per 1,000 output tokens"),
    ("l_per_output_ktoken", "L per 1,000 output tokens"),
)
_GRID = (("zone", "zone"), ("basis", "basis"), ("gco2e_per_kwh", "gCO2e per kWh"), ("how", "how"))
_SITE = (("site", "site"), ("pue", "PUE"), ("wue_l_per_it_kwh", "WUE, L per IT kWh"))
_WATER = (("zone", "zone"), ("l_per_kwh", "L per kWh"))
_HOME = (("provider", "provider"), ("names", "names"), ("zone", "zone"), ("site", "site"))
_REGION = (("region", "region"), ("cloud", "cloud"), ("zone", "zone"), ("site", "site"))
_ZONE = (("zone", "zone"), ("names", "names"), ("water_zone", "water of"))
_DIRECT = (("zone", "zone"), ("direct_gco2e_per_kwh", "gCO2e per kWh, direct"))


def _table(
    registry: Registry,
    kind: type[F],
    key: str,
    title: str,
    columns: tuple[tuple[str, str], ...],
    own_cells: Callable[[F], tuple[Cell, ...]],
) -> Table:
    rows = tuple((Code(fact.id), *own_cells(fact), *_tail(fact)) for fact in registry.current(kind))
    return table(key, title, (("fact", "fact"), *columns, *_TAIL), rows)


def _assessed_cells(fact: Assessment) -> tuple[Cell, ...]:
    return (fact.supplier, fact.models, fact.boundary, fact.gco2e_per_output_ktoken, fact.l_per_output_ktoken)


def _models_table(facts: Sequence[EnergyCoefficient]) -> Table:
    columns = (
        ("fact", "fact"),
        ("models", "models"),
        ("output_wh_per_ktoken", "output"),
        ("input_wh_per_ktoken", "input"),
        ("tier", "tier"),
        ("active_b", "active"),
        ("total_b", "total"),
        ("size_evidence", "size is"),
        ("output_usd_per_mtok", "price"),
        ("assumptions", "assumptions"),
        ("how", "how"),
        *_TAIL,
    )
    rows = tuple(
        (
            Code(fact.id),
            fact.models,
            fact.output_wh_per_ktoken,
            fact.input_wh_per_ktoken,
            TIER_NUMBER,
            _ends(fact.active_b_low, fact.active_b_high),
            _ends(fact.total_b_low, fact.total_b_high),
            fact.size_evidence,
            fact.output_usd_per_mtok,
            tuple(Code(code) for code in fact.assumptions),
            fact.derivation,
            *_tail(fact),
        )
        for fact in facts
    )
    return table("models", "Coefficients", columns, rows)


def _fallbacks_table(registry: Registry) -> Table:
    columns = (
        ("fact", "fact"),
        ("patterns", "names"),
        ("output_wh_per_ktoken", "output"),
        ("input_wh_per_ktoken", "input"),
        *_TAIL,
    )
    rows = tuple(
        (
            Code(fact.id),
            tuple(Code(pattern) for pattern in fact.patterns),
            *((None, None) if fact.level == "none" else (fact.output_wh_per_ktoken, fact.input_wh_per_ktoken)),
            *_tail(fact),
        )
        for fact in registry.current(Fallback)
    )
    return table("fallbacks", "Models without a coefficient of their own", columns, rows)


def _ends(low: float | None, high: float | None) -> str | None:
    if low is None or high is None:
        return None
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _tail(fact: Fact) -> tuple[Cell, ...]:
    until = f" until {fact.valid_to}" if fact.valid_to else ""
    sources = tuple(Link(source, f"#{source}") for source in fact.sources)
    return (fact.evidence, f"{fact.valid_from}{until}", sources, fact.note)
