"""What papers and vendors publish, applied to a call as far as their functional unit allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.interval import Interval
from otel_carbon.core.reasons import NO_USAGE
from otel_carbon.core.units import TOKENS_PER_KTOKEN, WH_PER_KWH
from otel_carbon.methods.literature_tables import (
    disclosures,
    fit_source,
    fits,
    plain_name,
    sources,
)
from otel_carbon.methods.result import (
    CALL,
    NO_INPUT_COUNT,
    NOT_IDENTIFIED,
    NOT_PUBLISHED,
    MethodResult,
    present,
)

if TYPE_CHECKING:
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.methods.literature_tables import Disclosure, QueryFit
    from otel_carbon.methods.result import Amount

ML_PER_L = 1000.0
TOKENS_PER_MTOKEN = 1e6
_SILENT = Unestimated(NOT_PUBLISHED)


def literature_results(usage: TokenUsage, developer: str) -> tuple[MethodResult, ...]:
    """Every published figure that speaks of the call's model, or of the models of its developer.

    Args:
        usage: the call.
        developer: who made the model, such as `openai`; empty where it is not known.
    """
    model = plain_name(usage.model)
    fitted = (_fit_result(usage, fits()[model]),) if model in fits() else ()
    spoken = [
        _disclosure_result(name, disclosure, usage)
        for name, disclosure in disclosures().items()
        if model in map(plain_name, disclosure.models) or developer in disclosure.developers
    ]
    return (*fitted, *spoken)


def _fit_result(usage: TokenUsage, fit: QueryFit) -> MethodResult:
    about = fit_source()
    energy_kwh = _fitted_energy_kwh(usage, fit)
    return MethodResult(
        method="jegham_fit",
        version=_version(about.source),
        boundary=about.boundary,
        functional_unit=CALL,
        counts=about.counts,
        energy_kwh=energy_kwh,
        emissions_gco2e=_SILENT,
        water_l=_SILENT,
        comparable=present({"energy_kwh": energy_kwh}, "energy_kwh"),
        not_mid_because=about.not_mid_because,
        source_ids=(about.source,),
        notes=_fit_notes(fit),
    )


def _fitted_energy_kwh(usage: TokenUsage, fit: QueryFit) -> Amount:
    """`input * e_in + output * e_out + e_request` at the facility, in kWh."""
    if fit.input_wh_per_ktoken is None or fit.output_wh_per_ktoken is None or fit.request_wh is None:
        return Unestimated(NOT_IDENTIFIED)
    if usage.output_tokens is None:
        return Unestimated(NO_USAGE)
    if usage.input_tokens is None:
        return Unestimated(NO_INPUT_COUNT)
    input_wh = usage.input_tokens * fit.input_wh_per_ktoken / TOKENS_PER_KTOKEN
    output_wh = usage.output_tokens * fit.output_wh_per_ktoken / TOKENS_PER_KTOKEN
    return Interval.exactly((input_wh + output_wh + fit.request_wh) / WH_PER_KWH)


def _fit_notes(fit: QueryFit) -> tuple[str, ...]:
    """What the terms rest on; as many points as terms leave no residual that could show an error."""
    hardware, points = f"the source infers {fit.hardware}", f"{fit.points} points for three terms"
    if fit.largest_relative_error is None:
        return (hardware, points)
    return (hardware, f"{points}, missed by at most {fit.largest_relative_error:.1%}")


def _disclosure_result(name: str, disclosure: Disclosure, usage: TokenUsage) -> MethodResult:
    amounts = {
        "energy_kwh": _scaled(disclosure, disclosure.energy_wh, usage, WH_PER_KWH),
        "emissions_gco2e": _scaled(disclosure, disclosure.emissions_gco2e, usage, 1.0),
        "water_l": _scaled(disclosure, disclosure.water_ml, usage, ML_PER_L),
    }
    return MethodResult(
        method=name,
        version=_version(disclosure.source),
        boundary=disclosure.boundary,
        functional_unit=disclosure.functional_unit,
        counts=disclosure.counts,
        **amounts,
        comparable=present(amounts, *disclosure.comparable),
        not_mid_because=disclosure.not_mid_because,
        source_ids=(disclosure.source,),
        notes=(sources()[disclosure.source].note,),
    )


def _scaled(disclosure: Disclosure, amount: Interval | None, usage: TokenUsage, units_per_ours: float) -> Amount:
    """The amount in our unit; scaled to the call's output where the source says for how many tokens it is."""
    if amount is None:
        return _SILENT
    if disclosure.output_tokens is None:
        return amount.scaled(1 / units_per_ours)
    if usage.output_tokens is None:
        return Unestimated(NO_USAGE)
    return amount.scaled(usage.output_tokens / (disclosure.output_tokens * units_per_ours))


def _version(source_id: str) -> str:
    source = sources()[source_id]
    return f"{source.producer}, {source.year}"
