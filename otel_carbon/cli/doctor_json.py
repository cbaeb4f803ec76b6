"""The JSON of `otel-carbon doctor --json`; its keys are fixed, scripts rely on them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from otel_carbon.doctor.checks.command import how_it_ended
from otel_carbon.doctor.findings import SEVERITIES, anything_wrong
from otel_carbon.doctor.shown_command import shown_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import CommandOutcome, Examined

    Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


def doctor_json(examined: Examined, findings: Sequence[Finding]) -> str:
    """The document: whether all is well, the findings, and what they rest on."""
    document: dict[str, Json] = {
        "status": "wrong" if anything_wrong(findings) else "well",
        "counts": {severity: sum(each.severity == severity for each in findings) for severity in SEVERITIES},
        "findings": [_finding(each) for each in findings],
        "command": _command(examined.outcome) if examined.outcome else None,
        "environment": dict(asdict(examined.environment)),
        "endpoints": [dict(asdict(each)) for each in examined.probes],
        "processes": [_without_environment(asdict(report)) for report in examined.reports],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finding(found: Finding) -> Json:
    return {
        "code": found.code,
        "severity": found.severity,
        "sentence": found.kind.sentence,
        "evidence": list(found.evidence),
        "advice": found.advice,
    }


def _command(outcome: CommandOutcome) -> Json:
    return {
        "arguments": list(shown_words(outcome.command)),
        "exit_code": outcome.exit_code,
        "ended": how_it_ended(outcome),
        "stopped": outcome.stopped,
    }


def _without_environment(report: dict[str, Json]) -> Json:
    """A report without what stands above for the one that matters."""
    return {key: value for key, value in report.items() if key != "environment"}
