"""Do spans reach a provider that has our processor, and exporters?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_carbon.doctor.clients import client_table, starts_with
from otel_carbon.doctor.facts import CAPTURE_SCOPE
from otel_carbon.doctor.findings import finding
from otel_carbon.doctor.signals import TRACES, wanted_exporters
from otel_carbon.spans.dialect import known_dialects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from otel_carbon.doctor.facts import Environment
    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined, ProcessReport

LIMITS = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")
LEAST_ATTRIBUTES = 48
"""Some thirty that instrumentations write on a call, and the core ones of ours; the SDK's own limit is 128."""


def check_set_up(examined: Examined) -> Iterator[Finding]:
    """Findings about packages that automatic instrumentation needs."""
    environment = examined.environment
    automatic = any(report.automatic for report in examined.reports)
    asked = automatic or (not examined.observed and TRACES.exporter in environment.variables)
    if asked and not environment.configurators and not any(report.provider_set for report in examined.reports):
        version = environment.packages.get("opentelemetry-instrumentation", "")
        evidence = [f"opentelemetry-instrumentation {version}", "no entry point opentelemetry_configurator"]
        yield finding("distro_missing", evidence)
    if asked or (not examined.observed and environment.configurators):
        for name in _missing_exporters(environment):
            told = environment.variables.get(TRACES.exporter, "otlp, by default")
            package = client_table().exporters.get(name, name)
            yield finding("exporter_missing", [f"{TRACES.exporter}={told}", f"no exporter {name}"], package=package)


def _missing_exporters(environment: Environment) -> Iterator[str]:
    return (name for name in wanted_exporters(environment) if name not in environment.trace_exporters)


def check_providers(examined: Examined) -> Iterator[Finding]:
    """Findings about the tracer provider: missing, late, refused, or without our processor."""
    with_provider = [report for report in examined.reports if report.provider_set or report.providers]
    without = [report for report in examined.reports if report not in with_provider]
    lost = _lost(without)
    if lost or (examined.observed and examined.clients and not with_provider):
        evidence = lost or [f"{name} was loaded" for name in examined.clients]
        line = f"opentelemetry-instrument {examined.command_line}"
        if examined.automatic:
            line = "trace.set_tracer_provider(TracerProvider()) # before the first call"
        yield finding("provider_missing", evidence, advice=line)
    if lost_early := _lost(with_provider):
        yield finding("provider_too_late", lost_early)
    if refused := sum(report.providers_refused for report in examined.reports):
        yield finding("provider_refused", [f"{refused} of them"])
    for kind in sorted({each.kind for each in examined.providers if each.with_calls and not each.carbon}):
        yield finding("processor_missing", [kind])


def _lost(reports: Iterable[ProcessReport]) -> list[str]:
    lost = spans_of_calls(report.lost_before_provider for report in reports)
    return [f"{scope}: {count} lost" for scope, count in sorted(lost.items())]


def check_attribute_limit(examined: Examined) -> Iterator[Finding]:
    """Findings about limits that leave no room for a call's attributes."""
    variables = examined.environment.variables
    variable = next((name for name in LIMITS if variables.get(name, "").strip().isdecimal()), "")
    told = [int(variables[variable])] if variable else []
    if examined.observed:
        told = [each.attribute_limit for each in examined.providers if each.attribute_limit is not None]
    if told and min(told) < LEAST_ATTRIBUTES:
        evidence = [f"{variable or 'the limits of the provider'}: {min(told)}"]
        yield finding("attribute_limit_small", evidence, variable=variable or LIMITS[0], least=str(LEAST_ATTRIBUTES))


def spans_of_calls(tallies: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Of counts by scope those whose scope reports calls to models."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update({scope: count for scope, count in tally.items() if _reports_calls(scope)})
    return total


def _reports_calls(scope: str) -> bool:
    return known_dialects().of_scope(scope) is not None or starts_with(scope, CAPTURE_SCOPE)
