"""One row for each provider, model and region: what a token of each kind takes, with all factors multiplied out.

Amounts of a call are then sums of its token counts times the numbers of one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Unestimated
from otel_carbon.errors import RegistryError
from otel_carbon.methods.call_place import EVIDENCE_CONFIGURED, CallSubject
from otel_carbon.methods.per_token import resolve_factors
from otel_carbon.registry.subjects import SIGNS_MARK
from otel_carbon.spans.region import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.core.factors import Factors, FactorsAtBound
    from otel_carbon.exporting.selection import Selection

BOUNDS = ("low", "mid", "high")
TOKEN_KINDS = ("input", "cache_read", "cache_write", "output")
"""Additive kinds: `input` is without cache reads and writes, `output` with reasoning."""
CONTEXT_PAIR = "context_pair"
"""A pair of an output token and a token before it, where the model's energy for looking back is known, else 0."""
QUANTITIES = ("energy_kwh", "emissions_gco2e", "water_l")
AMOUNT_COLUMNS = tuple(
    f"{quantity}_per_{kind}{'' if kind == CONTEXT_PAIR else '_token'}_{bound}"
    for quantity in QUANTITIES
    for kind in (*TOKEN_KINDS, CONTEXT_PAIR)
    for bound in BOUNDS
)
TEXT_COLUMNS = (
    *("provider", "model", "region", "operations", "coefficient_id", "grid_id", "tier", "match"),
    *("registry_version", "registry_sha256", "facts_of"),
)


@dataclass(frozen=True, slots=True)
class FlatRow:
    """The row of one `key`: `provider/model`, or `provider/model/region` where a region is named."""

    key: str
    texts: dict[str, str]
    amounts: dict[str, float]


def flat_rows(selection: Selection) -> Iterator[FlatRow]:
    """The rows of a choice, in the order of its names; what the registry has no factors for is left out.

    Without models all those that the registry lists are taken, each under all its names; of regions, each provider's
    usual place is always among the rows.

    Raises:
        RegistryError: neither providers nor models are chosen, or models without a provider.
    """
    if not selection.providers:
        msg = "name providers: all of them, with all models, are far too many rows"
        raise RegistryError(msg)
    listed = (name for name in selection.registry.subjects("energy") if not name.startswith(SIGNS_MARK))
    for model in selection.models or sorted(listed):
        for provider in selection.providers:
            for region in (None, *selection.regions):
                found = _row(selection, provider, model, region)
                if found is not None:
                    yield found


def _row(selection: Selection, provider: str, model: str, region: str | None) -> FlatRow | None:
    evidence = EVIDENCE_CONFIGURED if region else UNKNOWN
    for operation in ("chat", "embeddings"):
        call = CallSubject(provider, model, operation, region, evidence, selection.day)
        factors = resolve_factors(selection.registry, call)
        if not isinstance(factors, Unestimated):
            key = "/".join((provider, model, *((region,) if region else ())))
            return FlatRow(key, _texts(selection, call, factors), _amounts(factors))
    return None


def _texts(selection: Selection, call: CallSubject, factors: Factors) -> dict[str, str]:
    provenance = factors.provenance
    fact = selection.registry.fact(provenance.coefficient_id)
    operations = getattr(fact, "operations", ())
    return dict(
        zip(
            TEXT_COLUMNS,
            (
                *(call.provider, call.model, call.region or "", " ".join(operations), provenance.coefficient_id),
                *(provenance.grid_id, provenance.tier, provenance.match, provenance.registry_version),
                *(provenance.registry_digest, selection.day.isoformat()),
            ),
            strict=True,
        )
    )


def _amounts(factors: Factors) -> dict[str, float]:
    assessed = factors.assessed
    by_bound = []
    for bound, of_bound in zip(BOUNDS, factors.at_bounds, strict=True):
        per_output = None
        if assessed is not None:
            per_output = (getattr(assessed.gco2e, bound), getattr(assessed.water_l, bound))
        by_bound.append(_at_bound(of_bound, per_output))
    rows = (by_bound[b][q][k] for q in range(len(QUANTITIES)) for k in range(len(TOKEN_KINDS) + 1) for b in range(3))
    return dict(zip(AMOUNT_COLUMNS, rows, strict=True))


def _at_bound(of_bound: FactorsAtBound, per_output: tuple[float, float] | None) -> tuple[tuple[float, ...], ...]:
    """Energy, emissions and water of each kind; the latter two of output tokens alone where a supplier said so."""
    it_kwh = (of_bound.input_kwh, of_bound.cache_read_kwh, of_bound.cache_write_kwh, of_bound.output_kwh)
    kinds = (*it_kwh, of_bound.unit_kwh)
    energy = tuple(kwh * of_bound.pue for kwh in kinds)
    if per_output is not None:
        gco2e, water_l = per_output
        return energy, (0.0, 0.0, 0.0, gco2e, 0.0), (0.0, 0.0, 0.0, water_l, 0.0)
    gco2e_per_it_kwh = of_bound.pue * of_bound.grid_gco2e_per_kwh + of_bound.embodied_gco2e_per_it_kwh
    l_per_it_kwh = of_bound.wue_l_per_it_kwh + of_bound.pue * of_bound.ewif_l_per_kwh
    return energy, tuple(kwh * gco2e_per_it_kwh for kwh in kinds), tuple(kwh * l_per_it_kwh for kwh in kinds)
