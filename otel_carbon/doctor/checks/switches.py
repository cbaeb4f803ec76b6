"""Is something switched off, or set to what cannot be read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.doctor.facts import ALL_INSTRUMENTATIONS, CARBON, DISABLED_INSTRUMENTATIONS, Environment
from otel_carbon.doctor.findings import Change, finding, setting
from otel_carbon.switches import DISABLED, SDK_DISABLED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined


def check_switches(examined: Examined) -> Iterator[Finding]:
    """Findings about variables that switch off or are wrong."""
    environment = examined.environment
    if environment.is_true(DISABLED):
        yield finding("carbon_disabled", [f"{DISABLED}={environment.variables[DISABLED]}"])
    if environment.variables.get(SDK_DISABLED, "").strip().lower() == "true":  # the SDK takes no other word
        yield finding("sdk_disabled", [f"{SDK_DISABLED}=true"])
    has_carbon = any(provider.carbon for provider in examined.providers)
    if environment.leaves_out(CARBON) and not has_carbon:
        text = environment.variables[DISABLED_INSTRUMENTATIONS]
        evidence = [f"{DISABLED_INSTRUMENTATIONS}={text}"]
        yield finding("carbon_instrumentor_disabled", evidence, remaining=remaining(environment, CARBON))
    for wrong in environment.wrong_settings:
        evidence = [f"{wrong.variable}: {wrong.problem}"]
        if wrong.is_of_pairs:
            yield setting("setting_invalid", evidence, Change(wrong.variable, wrong.pairs))
        else:
            yield finding("setting_invalid", evidence, advice=wrong.advice)
    if environment.config_problem:
        yield finding("config_file_unusable", [environment.config_problem], advice=_config_advice(environment))


def remaining(environment: Environment, name: str) -> str:
    """The instrumentations that stay switched off when one is taken out; with the wildcard none can be taken out."""
    names = environment.disabled_instrumentations()
    return ",".join(each for each in names if each not in (name, ALL_INSTRUMENTATIONS))


def _config_advice(environment: Environment) -> str:
    if "not installed" in environment.config_problem:
        return "pip install opentelemetry-configuration"
    return "OTEL_CONFIG_FILE=FILE # one that can be read, or unset it"
