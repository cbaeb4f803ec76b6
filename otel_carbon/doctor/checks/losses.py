"""Do spans get lost: by sampling, or on the way to where telemetry is sent?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_carbon.doctor.checks.wiring import spans_of_calls
from otel_carbon.doctor.findings import counted, finding
from otel_carbon.doctor.signals import endpoint_setting, protocol_setting, signal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

SAMPLER = "OTEL_TRACES_SAMPLER"
SAMPLER_ARGUMENT = "OTEL_TRACES_SAMPLER_ARG"
USUAL_PORTS = {4317: "grpc", 4318: "http/protobuf"}
_ROOT = re.compile(r"^ParentBased\{root:(?P<root>.*?),\s*remoteParentSampled")
_RATIO = re.compile(r"^TraceIdRatioBased\{(?P<ratio>[0-9.eE+-]+)\}")
CODE = "CarbonSampler"
_OURS = f"{CODE}{{"


def check_sampling(examined: Examined) -> Iterator[Finding]:
    """Findings about samplers that drop."""
    if not examined.observed:
        told = delegate_from_variables(examined.environment.variables)
        if told:
            evidence = [f"{SAMPLER}={examined.environment.variables[SAMPLER]}"]
            yield finding("sampling_loss", evidence, advice=_variables_line(told))
        return
    dropped = spans_of_calls(report.not_recorded for report in examined.reports)
    lost = [f"{scope}: {count} dropped" for scope, count in sorted(dropped.items())]
    for sampler in dict.fromkeys(provider.sampler for provider in examined.providers):
        if sampler.startswith(_OURS):
            continue
        delegate = delegate_from_description(sampler)
        if delegate or lost:
            yield finding("sampling_loss", [sampler, *lost], advice=_sampler_line(examined, delegate))


def _sampler_line(examined: Examined, delegate: str) -> str:
    """The line for a sampler where it is set: one that code or a file gives is not changed by variables."""
    told = delegate_from_variables(examined.environment.variables)
    if told and told.partition(":")[0] == delegate.partition(":")[0]:
        return _variables_line(delegate)
    built = f"{CODE}({_in_code(delegate) or 'SAMPLER'})"
    if not told and SAMPLER in examined.environment.variables and not delegate:
        return _variables_line("NAME:ARGUMENT")
    return f"TracerProvider(sampler={built}) # in code; from otel_carbon import {CODE}"


def _variables_line(delegate: str) -> str:
    return f"{SAMPLER}=otel_carbon {SAMPLER_ARGUMENT}={delegate}"


def _in_code(delegate: str) -> str:
    """A sampler as Python of the SDK's names."""
    name, _, ratio = delegate.removeprefix("parentbased_").partition(":")
    plain = {"always_off": "ALWAYS_OFF", "traceidratio": f"TraceIdRatioBased({ratio})"}.get(name, "")
    return f"ParentBased({plain})" if delegate.startswith("parentbased_") else plain


def delegate_from_description(description: str) -> str:
    """A sampler as the argument of ours names it; empty for one that drops nothing, or that we do not know."""
    found = _ROOT.match(description)
    root, prefix = (found["root"], "parentbased_") if found else (description, "")
    if root.startswith("AlwaysOff"):
        return f"{prefix}always_off"
    ratio = _RATIO.match(root)
    return f"{prefix}traceidratio:{ratio['ratio']}" if ratio and float(ratio["ratio"]) < 1.0 else ""


def delegate_from_variables(variables: Mapping[str, str]) -> str:
    """The sampler that variables ask for, as above."""
    name, argument = variables.get(SAMPLER, "").strip().lower(), variables.get(SAMPLER_ARGUMENT, "").strip()
    if name.endswith("always_off"):
        return name
    if not name.endswith("traceidratio"):
        return ""
    try:
        return f"{name}:{argument}" if float(argument) < 1.0 else ""
    except ValueError:  # the SDK then takes 1
        return ""


def check_exporters(examined: Examined) -> Iterator[Finding]:
    """Findings about exporters and the endpoints that they send to."""
    exporters, variables = examined.exporters, examined.environment.variables
    delivering = {exporter.endpoint for exporter in exporters if exporter.delivered}
    for probe in examined.probes:
        usual, signal = USUAL_PORTS.get(_port(probe.endpoint)), signal_of(probe.endpoint, exporters)
        if usual is not None and usual != probe.protocol and probe.endpoint not in delivering:
            evidence = [f"{probe.endpoint} over {probe.protocol}"]
            line = protocol_setting(variables, signal, usual)
            yield finding("exporter_protocol_mismatch", evidence, advice=line)
        if probe.problem and probe.endpoint not in delivering:
            evidence = [f"{probe.endpoint} over {probe.protocol}: {probe.problem}"]
            line = _endpoint_line(examined, probe.endpoint, "where a collector listens")
            yield finding("exporter_unreachable", evidence, advice=line)
    for exporter in dict.fromkeys(exporters):
        if exporter.failed:
            evidence = [f"{exporter.kind}: {counted(exporter.failed, 'batch')} failed, {exporter.delivered} arrived"]
            line = _endpoint_line(examined, exporter.endpoint, "check it, and its protocol")
            yield finding("exporter_failing", evidence, advice=line)


def _endpoint_line(examined: Examined, endpoint: str, what: str) -> str:
    """The setting that is in force, to be changed, and what it is now."""
    if not endpoint:
        return "the exporter itself # it has no endpoint that can be seen"
    setting = endpoint_setting(examined.environment.variables, endpoint, signal_of(endpoint, examined.exporters))
    return f"{setting}{'; ' if ' # ' in setting else ' # '}{what}; it is {endpoint} now"


def _port(endpoint: str) -> int:
    found = re.search(r":(\d{1,5})(?:/|$)", endpoint)
    return int(found[1]) if found else 0
