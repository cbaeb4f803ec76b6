"""The demo from end to end: plan, play, read back, check, show."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from otel_carbon import attributes as ours
from otel_carbon.demo.checks import differences_from_counters, differences_from_truth
from otel_carbon.demo.figures import figures_of
from otel_carbon.demo.pipeline import running_pipeline
from otel_carbon.demo.playback import play_service
from otel_carbon.demo.presentation.page import render_page
from otel_carbon.demo.presentation.tables import MODEL_COLUMN, model_table
from otel_carbon.demo.traffic import plan_traffic, truth_of
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from pathlib import Path

    from otel_carbon.demo.figures import Figures
    from otel_carbon.demo.pipeline import RunningPipeline
    from otel_carbon.demo.traffic import TrafficPlan

EXIT_DONE = 0
EXIT_OUR_FAULT = 70
DEFAULT_METRICS_PORT = 9464
PAGE_NAME = "index.html"
METRICS_NAME = "metrics.txt"
ARRIVAL_TIMEOUT_S = 40.0


class DemoConsole(Protocol):
    """Where the demo writes: notes on the work to standard error, results to standard output."""

    def note(self, text: str) -> None:
        """Say what is going on."""

    def fits(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, shortened: Collection[str] = ()) -> bool:
        """Whether there is room for a table with the texts of some columns shortened."""

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Collection[str] = (),
        shortened: Collection[str] = (),
    ) -> None:
        """Print a table of the result; numbers, in the columns named in `right`, stay whole."""

    def line(self, text: str = "") -> None:
        """Print a line of the result."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What came out of the pipeline, and what of it is not as it should be."""

    figures: Figures
    exposition: str
    differences: tuple[str, ...]


def run_demo(
    out_dir: Path,
    *,
    serve: bool,
    console: DemoConsole,
    port: int = DEFAULT_METRICS_PORT,
    last_day: date | None = None,
) -> int:
    """Play thirty days of sample traffic through the real pipeline, show the result, and check it.

    Args:
        out_dir: where the page and the scraped metrics go; made when absent.
        serve: keep `/metrics` up until interrupted, if standard error is a terminal.
        console: where to write.
        port: of `/metrics`; a free one is taken when it is in use, and always when it is 0.
        last_day: the last day of traffic, UTC; yesterday when absent.

    Returns:
        The exit code: 0 when everything agrees, 70 when the pipeline did not find the truth.

    Raises:
        ServiceNotPlayed: a sample service could not send its spans.
        OSError: the page cannot be written.
    """
    stays_up = serve and sys.stderr.isatty()
    plan = plan_traffic(last_day or datetime.now(UTC).date() - timedelta(days=1))
    registry = Registry.bundled()
    out_dir.mkdir(parents=True, exist_ok=True)
    with running_pipeline(port, registry) as pipeline:
        findings = play_and_check(plan, pipeline, registry, console)
        if findings.differences:
            return _report_fault(findings, console)
        console.note("drawing the page")
        page = out_dir / PAGE_NAME
        page.write_text(render_page(findings.figures, registry, proof_of(findings.figures)), encoding="utf-8")
        scraped = out_dir / METRICS_NAME
        scraped.write_text(findings.exposition, encoding="utf-8")
        _show_table(findings.figures, console)
        console.line(f"Page: {page.resolve()}")
        console.line(f"Metrics: {pipeline.metrics_url if stays_up else scraped.resolve()}")
        if stays_up:
            _serve_until_interrupted(pipeline, console)
    return EXIT_DONE


def play_and_check(plan: TrafficPlan, pipeline: RunningPipeline, registry: Registry, console: DemoConsole) -> Findings:
    """Play a plan, wait until all of it has arrived, and compare with the truth and the counters."""
    truth = truth_of(plan)
    console.note(f"collector listens on {pipeline.traces_url}; {truth.spans:,} spans to play")
    for service in plan.services:
        enriched_by = "its own span processor" if service.scenario.in_process else "the collector"
        console.note(f"playing {service.scenario.name}, enriched by {enriched_by}")
        play_service(service, pipeline.traces_url, registry)
    figures = figures_of(pipeline.backend.wait_for(truth.spans, ARRIVAL_TIMEOUT_S))
    exposition = pipeline.scrape()
    wrong = (*differences_from_truth(figures, truth), *differences_from_counters(figures, exposition))
    return Findings(figures, exposition, wrong)


def proof_of(figures: Figures) -> str:
    """What was checked, in one sentence."""
    duplicates = figures.spans_with_status(ours.STATUS_DUPLICATE)
    roll_ups = figures.spans_with_status(ours.STATUS_AGGREGATE)
    return (
        f"{figures.overall.calls:,} calls counted once; {duplicates:,} duplicate and {roll_ups:,} roll-up spans "
        f"recognised. Calls and tokens agree with the script of the sample traffic, the amounts with /metrics."
    )


def _show_table(figures: Figures, console: DemoConsole) -> None:
    first, last = figures.days[0].name[0], figures.days[-1].name[0]
    headings, rows = model_table(figures)
    names = (MODEL_COLUMN,)
    whole = console.fits(headings, rows, shortened=names)
    if not whole:
        headings, rows = model_table(figures, ranges=False)
    title = f"Sample traffic from {first} to {last}: modelled, not metered"
    console.table(title, headings, rows, right=headings[1:], shortened=names)
    if not whole:
        console.line("This terminal is too narrow for the ranges, so only mids are shown; the page has the ranges.")
    console.line(proof_of(figures))
    console.line(f"Registry {', '.join(figures.registry_versions)}; worst-case bounds, not a confidence interval.")


def _report_fault(findings: Findings, console: DemoConsole) -> int:
    console.note("the pipeline did not find the truth; please report this with the lines below")
    for difference in findings.differences:
        console.note(f"  {difference}")
    return EXIT_OUR_FAULT


def _serve_until_interrupted(pipeline: RunningPipeline, console: DemoConsole) -> None:
    console.note(f"serving {pipeline.metrics_url}; press Ctrl+C to end")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.note("ended")
