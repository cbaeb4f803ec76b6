"""What a run found, as a table for a terminal and as the page `docs/benchmarks.md`."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.collector.plan import comparisons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.collector.backend_down import Down
    from tests.bench.collector.plan import Scenario

_PACKAGES = ("otel-carbon", "protobuf", "uvicorn", "httptools", "httpx", "rotel")
_UNITS = {"cpu_us_per_span": "CPU us/span", "rss_mib": "RSS MiB"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds, and how far CPU spread.

    Attributes:
        cpu_us_per_span: CPU time, in microseconds.
        lowest_cpu_us_per_span: of the best round.
        highest_cpu_us_per_span: of the worst round.
        spans_per_s: by the wall clock, from the first request to the last answer.
        rss_mib: the most resident memory during the load, in MiB.
        refused: answers that asked to come back later, in all rounds.
        sent_bytes_per_span: compressed bytes at the backend; None where nothing is sent.
    """

    cpu_us_per_span: float
    lowest_cpu_us_per_span: float
    highest_cpu_us_per_span: float
    spans_per_s: float
    rss_mib: float
    refused: int
    sent_bytes_per_span: float | None


@dataclass(slots=True)
class Results:
    """All that a run found; `figures` by scenario and contestant."""

    machine: str
    rounds: int
    spans: int
    scenarios: Sequence[Scenario]
    figures: dict[str, Figures]
    latency_requests_per_s: float = 0.0
    latency: dict[str, dict[str, float]] = field(default_factory=dict)
    down: Down | None = None

    def figures_of(self, scenario: Scenario, name: str) -> Figures:
        """The figures of one contestant in one scenario."""
        return self.figures[f"{scenario.title}, {scenario.shape}: {name}"]


def machine(otelcol: Path | None) -> str:
    """This machine, how busy it is already, and what runs on it, in one line."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    if otelcol is not None:
        packages += f", {subprocess.check_output([otelcol, '--version'], text=True).strip()}"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {cpu},"
        f" load average {os.getloadavg()[0]:.1f} before the run, {platform.system()} {platform.release()},"
        f" {platform.python_implementation()} {platform.python_version()}, {packages}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


Row = tuple[str, str, str, str, str, str]
_HEAD: Row = ("what", "ours", "other", "ratio", "target", "beside")


def rows(results: Results) -> Iterator[Row]:
    """What, our figure, theirs, the ratio, its target, and whose figure it is."""
    for each in comparisons(results.scenarios):
        our_figures = results.figures_of(each.scenario, each.scenario.contestants[0].name)
        ours = float(getattr(our_figures, each.measure))
        theirs = float(getattr(results.figures_of(each.scenario, each.peer), each.measure))
        what = f"{_UNITS[each.measure]}, {each.what}, {each.scenario.shape}"
        yield _row(what, ours, theirs, each.target, each.peer)
    if results.latency:
        (our_name, ours_ms), (peer, theirs_ms) = results.latency.items()
        assert our_name.startswith("otel-carbon")
        for which in ours_ms:
            what = f"latency {which.replace('_', ', ')}, 64 spans, {results.latency_requests_per_s:.0f} requests/s"
            yield _row(what, ours_ms[which], theirs_ms[which], 1.0, peer)
    if results.down is not None:
        what = f"RSS MiB, backend down for {results.down.seconds:.0f} s, last quarter"
        down = results.down
        yield _row(what, down.last_quarter_mib, down.second_quarter_mib, 1.0, "the second quarter of that time")


def _row(what: str, ours: float, theirs: float, target: float | None, beside: str) -> Row:
    aim = "" if target is None else f"<= {target:g}"
    return what, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}", aim, beside


def table(results: Results) -> str:
    """For a terminal."""
    lines = [_HEAD, *rows(results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["  ".join(f"{text:{width}}" for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([results.machine, *shown, "", *_all_figures(results)])


def _all_figures(results: Results) -> Iterator[str]:
    for name, each in results.figures.items():
        sent = "" if each.sent_bytes_per_span is None else f", {each.sent_bytes_per_span:.0f} B/span sent"
        yield (
            f"{name}: {each.cpu_us_per_span:.2f} us/span"
            f" ({each.lowest_cpu_us_per_span:.2f} to {each.highest_cpu_us_per_span:.2f}),"
            f" {each.spans_per_s:.0f} spans/s, {each.rss_mib:.0f} MiB, {each.refused} refused{sent}"
        )


def markdown(results: Results) -> str:
    """The page of the documentation."""
    shown = [_HEAD, ("---", "---:", "---:", "---:", "---:", "---"), *rows(results)]
    lines = "\n".join("| " + " | ".join(row) + " |" for row in shown)
    figures = "\n".join(f"- {line}" for line in _all_figures(results))
    return _PAGE_TEXT.format(
        machine=results.machine, rounds=results.rounds, spans=results.spans, table=lines, figures=figures
    )


_PAGE_TEXT = """# Benchmarks of the collector

<!-- Written by `python -m tests.bench.collector --markdown`; do not edit. -->

Directional only: compare the ratios of one run, never the times of two machines.
Where other programs were busy on the machine, as its load average tells, CPU times spread and latencies say little.

{machine}.

Every contestant had {rounds} turns, in turns with the others; medians are shown.
A turn starts it anew on one core, sends it {spans} spans from the other core after a tenth as many to warm up,
and takes the CPU time of the process until it has sent all and rests.
GenAI spans have 20 attributes and 840 bytes, the others 12 attributes.
No two spans, traces or responses of a turn have one id, so that all calls are counted.
Where something is sent, the backend has checked that all spans arrived, each GenAI span with its figures,
and that a sample of the figures is tokens times factors.

What the others do is less than what we do: the processor of rotel and the statements of the official Collector look up
numbers that were worked out for four models beforehand; they know no dialects and count every span.
Rotel compresses at gzip's level 6, we by ISA-L to about the same size.

What favours us: spans of the load hold no content and many are of equal length, so nearly all are read at fixed places;
and where nothing is sent, spans are read, judged and counted, but no figures are worked out for each, as nobody would
get them: totals are tokens times factors.

## Ratios

A ratio is ours divided by the other's; lower is better for us.

{table}

## All figures

CPU per span with the lowest and highest round, spans a second by the wall clock,
the most resident memory during the load, and how often a client was asked to come back later.

{figures}
"""
