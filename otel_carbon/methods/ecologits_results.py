"""EcoLogits beside other methods: our computation of it, and the installed package itself."""

from __future__ import annotations

import logging
import math
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.reasons import NO_USAGE
from otel_carbon.methods.ecologits import EcoLogitsImpacts, ecologits_impacts, interval_from_ends
from otel_carbon.methods.ecologits_tables import VERSION, Ends, provider_name
from otel_carbon.methods.result import (
    CALL,
    FUNCTIONAL_UNIT,
    PACKAGE_NOT_INSTALLED,
    QUANTITIES,
    MethodResult,
    present,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.core.interval import Interval
    from otel_carbon.core.usage import TokenUsage
    from otel_carbon.methods.ecologits_tables import Size
    from otel_carbon.methods.result import Amount

SOURCE_ID = "ecologits-0.11.3"
INSTALL = "pip install 'otel-carbon[ecologits]'"
G_PER_KG = 1000.0
_BOUNDARY = (
    "Accelerators and their share of the host, and the facility; grid over its life cycle, hardware, "
    "water on site and for electricity; without idle reserve."
)
_COUNTS = ("output_tokens", "host", "pue", "electricity", "embodied")


class EcoLogitsOptions(NamedTuple):
    """What a user may say about EcoLogits; `zone` is its own code, `sizes` are by its `provider/model`."""

    zone: str | None = None
    request_latency_s: float = math.inf
    sizes: Mapping[str, Size] | None = None
    sizes_from: str = ""
    """Where the sizes come from, for the result to name."""
    retired: bool = False


def ecologits_result(usage: TokenUsage, options: EcoLogitsOptions) -> MethodResult:
    """EcoLogits 0.11.3 from its formulas; a size or retired model that was used stands in the version."""
    if usage.output_tokens is None:
        return _without_figures("ecologits", VERSION, usage, Unestimated(NO_USAGE))
    impacts = ecologits_impacts(
        provider_name(usage.provider),
        usage.model,
        usage.output_tokens,
        request_latency_s=options.request_latency_s,
        zone=options.zone,
        sizes=options.sizes,
        retired=options.retired,
    )
    if isinstance(impacts, Unestimated):
        return _without_figures("ecologits", VERSION, usage, impacts)
    amounts = {name: getattr(impacts, name) for name in QUANTITIES}
    notes = (f"grid zone {impacts.zone}", *impacts.warnings)
    return _result("ecologits", _version(impacts, options), usage, amounts, notes)


def _version(impacts: EcoLogitsImpacts, options: EcoLogitsOptions) -> str:
    version = VERSION
    if impacts.last_seen != VERSION:
        version += f", retired model last seen in {impacts.last_seen}"
    return f"{version}, size from {options.sizes_from or 'the caller'}" if impacts.size_given else version


def ecologits_package_result(usage: TokenUsage, options: EcoLogitsOptions) -> MethodResult:
    """The same call asked of the installed package `ecologits`; without it the result says how to install it.

    The package knows neither sizes of the user's nor retired models, so `sizes` and `retired` play no part.
    """
    method = "ecologits_package"
    try:
        llm_impacts = _llm_impacts_of_package()
    except ImportError:
        return _without_figures(method, "absent", usage, Unestimated(PACKAGE_NOT_INSTALLED, INSTALL))
    installed = version("ecologits")
    if usage.output_tokens is None:
        return _without_figures(method, installed, usage, Unestimated(NO_USAGE))
    output = llm_impacts(
        provider_name(usage.provider), usage.model, usage.output_tokens, options.request_latency_s, options.zone
    )
    if output.errors:
        return _without_figures(method, installed, usage, Unestimated(output.errors[0].code, usage.model))
    amounts: dict[str, Amount] = {
        "energy_kwh": _interval(output.energy.value),
        "emissions_gco2e": _interval(output.gwp.value).scaled(G_PER_KG),
        "water_l": _interval(output.wcf.value),
    }
    return _result(method, installed, usage, amounts, tuple(warning.code for warning in output.warnings or ()))


def _llm_impacts_of_package() -> Callable[..., Any]:
    """The package's own function; what its import changes in logging is put back.

    What it would log stands in its result too, so it goes nowhere unless the application listens.

    Raises:
        ImportError: the package is not installed.
    """
    logger_class = logging.getLoggerClass()
    try:
        from ecologits.tracers.utils import llm_impacts
    finally:
        logging.setLoggerClass(logger_class)
    log = logging.getLogger("ecologits")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    found: Callable[..., Any] = llm_impacts
    return found


def _interval(amount: object) -> Interval:
    """The package's number, or its range with `min` and `max`."""
    low, high = getattr(amount, "min", amount), getattr(amount, "max", amount)
    assert isinstance(low, int | float)  # noqa: S101 - the package's own type says so
    assert isinstance(high, int | float)  # noqa: S101 - the same
    return interval_from_ends(Ends(low, high))


def _result(
    method: str, version: str, usage: TokenUsage, amounts: Mapping[str, Amount], notes: tuple[str, ...]
) -> MethodResult:
    return MethodResult(
        method=method,
        version=version,
        boundary=_BOUNDARY,
        functional_unit=CALL,
        counts=_COUNTS,
        energy_kwh=amounts["energy_kwh"],
        emissions_gco2e=amounts["emissions_gco2e"],
        water_l=amounts["water_l"],
        comparable=present(amounts, *QUANTITIES),
        # Reading the prompt costs nothing here, so a call that has one is only partly counted.
        not_mid_because=(FUNCTIONAL_UNIT,) if usage.input_tokens else (),
        source_ids=(SOURCE_ID,),
        notes=notes,
    )


def _without_figures(method: str, version: str, usage: TokenUsage, why: Unestimated) -> MethodResult:
    return _result(method, version, usage, dict.fromkeys(QUANTITIES, why), ())
