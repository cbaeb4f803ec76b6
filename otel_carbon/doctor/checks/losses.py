"""Do spans get lost: by sampling, or on the way to where telemetry is sent?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_carbon.doctor.checks.wiring import spans_of_calls
from otel_carbon.doctor.findings import counted, finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

SAMPLER = "OTEL_TRACES_SAMPLER"
SAMPLER_ARGUMENT = "OTEL_TRACES_SAMPLER_ARG"
USUAL_PORTS = {4317: "grpc", 4318: "http/protobuf"}
_ROOT = re.compile(r"^ParentBased\{root:(?P<root>.*?),\s*remoteParentSampled")
_RATIO = re.compile(r"^TraceIdRatioBased\{(?P<ratio>[0-9.eE+-]+)\}")
_OURS = "CarbonSampler{"


def check_sampling(examined: Examined) -> Iterator[Finding]:
    """Findings about samplers that drop."""
    if not examined.observed:
        told = delegate_from_variables(examined.environment.variables)
        if told:
            yield finding("sampling_loss", [f"{SAMPLER}={examined.environment.variables[SAMPLER]}"], delegate=told)
        return
    dropped = spans_of_calls(report.not_recorded for report in examined.reports)
    lost = [f"{scope}: {count} dropped" for scope, count in sorted(dropped.items())]
    for sampler in dict.fromkeys(provider.sampler for provider in examined.providers):
        if sampler.startswith(_OURS):
            continue
        delegate = delegate_from_description(sampler)
        if delegate or lost:
            yield finding("sampling_loss", [sampler, *lost], delegate=delegate or "NAME:ARGUMENT")


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
    exporters = [exporter for provider in examined.providers for exporter in provider.exporters]
    delivering = {exporter.endpoint for exporter in exporters if exporter.delivered}
    for probe in examined.probes:
        usual = USUAL_PORTS.get(_port(probe.endpoint))
        if usual is not None and usual != probe.protocol and probe.endpoint not in delivering:
            yield finding("exporter_protocol_mismatch", [f"{probe.endpoint} over {probe.protocol}"], protocol=usual)
        if probe.problem and probe.endpoint not in delivering:
            evidence = [f"{probe.endpoint} over {probe.protocol}: {probe.problem}"]
            yield finding("exporter_unreachable", evidence, endpoint=probe.endpoint)
    for exporter in dict.fromkeys(exporters):
        if exporter.failed:
            evidence = [f"{exporter.kind}: {counted(exporter.failed, 'batch')} failed, {exporter.delivered} arrived"]
            yield finding("exporter_failing", evidence, endpoint=exporter.endpoint or "unknown")


def _port(endpoint: str) -> int:
    found = re.search(r":(\d{1,5})(?:/|$)", endpoint)
    return int(found[1]) if found else 0
