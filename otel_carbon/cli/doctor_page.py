"""The page of `otel-carbon doctor`: what was seen, then what is wrong, worst first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_carbon.doctor.checks.command import how_it_ended
from otel_carbon.doctor.checks.coverage import clients_of
from otel_carbon.doctor.facts import CAPTURE, CAPTURE_SCOPE
from otel_carbon.doctor.findings import SEVERITIES, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.cli.console import Console
    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

MAX_CALL_ROWS = 20


def show_doctor(console: Console, examined: Examined, findings: Sequence[Finding]) -> None:
    """Print the page."""
    for line in _seen(examined):
        console.line(line)
    _show_calls(console, examined)
    console.line()
    console.line(_summary(findings))
    for each in findings:
        console.line()
        console.line(f"{each.severity}  {each.code}: {each.kind.sentence}")
        for piece in each.evidence:
            console.line(f"  {piece}")
        console.line(f"  > {each.advice}")


def _seen(examined: Examined) -> Iterator[str]:
    environment = examined.environment
    packages = environment.packages
    ours = (name for name in ("otel-carbon", "opentelemetry-sdk", "opentelemetry-distro") if name in packages)
    yield f"python        {environment.python_version}, {environment.python}"
    yield f"packages      {', '.join(f'{name} {packages[name]}' for name in ours)}"
    yield f"registry      {environment.registry.version}" + (
        f", overlay {environment.registry.overlay}" if environment.registry.overlay else ""
    )
    yield f"instruments   {', '.join(_instruments(examined)) or 'nothing'}"
    if examined.outcome is not None:
        yield f"command       {examined.command_line}: {how_it_ended(examined.outcome)}"
    for exporter in dict.fromkeys(examined.exporters):
        yield f"exporter      {exporter.kind} {exporter.endpoint}".rstrip()
    for each in examined.probes:
        yield f"endpoint      {each.endpoint}: {each.problem or 'answers'}"


def _instruments(examined: Examined) -> Iterator[str]:
    """Instrumentations that are active, or without a command those that are installed."""
    if examined.observed:
        yield from sorted({each.module for report in examined.reports for each in report.instrumentors if each.active})
        if any(report.captures for report in examined.reports):
            yield CAPTURE_SCOPE
        return
    clients = {client.distribution for client in clients_of(examined)}
    for each in examined.environment.instrumentations:
        if each.name == CAPTURE or not clients.isdisjoint(each.instruments):
            yield f"{each.name} ({each.distribution} {each.version})"


def _show_calls(console: Console, examined: Examined) -> None:
    counts: Counter[tuple[str, ...]] = Counter()
    for call in examined.calls:
        where = f"{call.region} ({call.region_evidence})" if call.region else ""
        outcome = call.match or call.reason
        counts[call.operator or call.provider, call.model, outcome, where, call.scope] += call.count
    if counts:
        rows = [[str(count), *key] for key, count in counts.most_common(MAX_CALL_ROWS)]
        console.line()
        columns = ["calls", "provider", "model", "match, or why none", "region", "reported by"]
        console.table("calls seen, each once", columns, rows, right=["calls"], shortened=["reported by"])


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing is wrong."
    counts = Counter(each.severity for each in findings)
    told = (counted(counts[each], each) for each in SEVERITIES if counts[each])
    return f"Found: {', '.join(told)}. The line behind > is the one to add or change."
