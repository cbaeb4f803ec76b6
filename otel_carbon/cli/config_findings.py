"""Mistakes of a collector configuration, for people with the line itself, and as JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from otel_carbon.cli.console import ELLIPSIS, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.collector.config.source.findings import Finding

EXCERPT_WIDTH = 100
"""Longer lines are cut around what is meant."""


def show_findings(mistakes: Sequence[Finding], warnings: Sequence[Finding]) -> None:
    """Write mistakes, then warnings, each with its line and a mark below it, and how many there are."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for finding in mistakes:
        _show(finding, "", "red", coloured=coloured)
    for finding in warnings:
        _show(finding, "warning: ", "yellow", coloured=coloured)
    if mistakes:
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "1 mistake"
        click.echo(f"Error: {count} in the configuration", err=True)


def findings_json(files: Sequence[str], mistakes: Sequence[Finding], warnings: Sequence[Finding]) -> str:
    """The document of `collector validate --json`; its keys are fixed, scripts rely on them."""
    document = {
        "valid": not mistakes,
        "files": list(files),
        "mistakes": [asdict(finding) for finding in mistakes],
        "warnings": [asdict(finding) for finding in warnings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _show(finding: Finding, prefix: str, colour: str, *, coloured: bool) -> None:
    click.echo(prefix + printable(str(finding)), err=True)
    for line in _excerpt(finding):
        # click takes colours out where there is no terminal, and knows nothing of NO_COLOR.
        click.echo(click.style(line, fg=colour) if coloured and line.endswith("^") else line, err=True)


def _excerpt(finding: Finding) -> Iterator[str]:
    if not finding.written:
        return
    written, column = printable(finding.written), finding.column
    if len(written) > EXCERPT_WIDTH:
        begin = max(0, min(column - EXCERPT_WIDTH // 2, len(written) - EXCERPT_WIDTH))
        before, after = ELLIPSIS * (begin > 0), ELLIPSIS * (begin + EXCERPT_WIDTH < len(written))
        written = before + written[begin : begin + EXCERPT_WIDTH] + after
        column -= begin - len(before)
    number = f"{finding.line:>6}"
    yield f"{number} | {written}"
    if column > 0:
        yield f"{' ' * len(number)} | {' ' * (column - 1)}{'^' * min(finding.width, EXCERPT_WIDTH)}"
