"""`python -m tests.bench.collector`: our collector beside others, in turns, on this machine.

Report-only: nothing here passes or fails. Linux alone; at least two cores, one for the servers and one for the client.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.collector.backend_down import memory_while_down
from tests.bench.collector.bodies import make_load
from tests.bench.collector.coefficients import model_factors
from tests.bench.collector.latency import latencies_ms
from tests.bench.collector.plan import Shape, scenarios
from tests.bench.collector.results import Figures, Results, machine, markdown, table
from tests.bench.collector.turns import CLIENT_CORE, Turn, take_turn
from tests.bench.measuring import progress, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.collector.bodies import Load
    from tests.bench.collector.plan import Scenario

EXIT_TERMINATED = 128 + signal.SIGTERM
_WARM_UP_PART = 10
_REPEATED_REQUESTS = 8
_PAGE = Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md"


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for and show it."""
    options = _parse(arguments)
    os.sched_setaffinity(0, {CLIENT_CORE})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))  # so that what was started is stopped
    with tempfile.TemporaryDirectory() as folder:
        factors = Path(folder) / "factors.json"
        factors.write_text(json.dumps([asdict(each) for each in model_factors()]), encoding="utf-8")
        results = _run(options, factors)
    say(table(results))
    if options.json:
        options.json.write_text(json.dumps(asdict(results), indent=1, default=str) + "\n", encoding="utf-8")
    if options.markdown:
        _PAGE.write_text(markdown(results), encoding="utf-8")
        progress(f"written: {_PAGE}")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.collector", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant; medians are shown")
    parser.add_argument("--spans", type=int, default=200_000, help="spans of a turn")
    parser.add_argument("--only", default="", help="run scenarios whose title or load holds this text")
    parser.add_argument("--otelcol", type=Path, help="binary of the official Collector, of deploy/otelcol/build.sh")
    parser.add_argument("--down-s", type=float, default=40.0, help="seconds to send while the backend is down; 0: not")
    parser.add_argument("--no-latency", action="store_true", help="leave latencies out")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    parser.add_argument("--markdown", action="store_true", help="write docs/benchmarks.md")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, factors: Path) -> Results:
    planned = [each for each in scenarios(options.otelcol) if options.only in f"{each.title}, {each.shape}"]
    figures = {}
    for scenario in planned:
        for name, turns in _turns(scenario, options, factors).items():
            figures[f"{scenario.title}, {scenario.shape}: {name}"] = _figures(turns)
    results = Results(machine(options.otelcol), options.rounds, options.spans, planned, figures)
    small = next((each for each in planned if each.contestants[0].exports and each.shape == Shape(64, 1.0)), None)
    if small is not None and not options.no_latency:
        pair = small.contestants[:2]
        slowest = max(results.figures_of(small, each.name).cpu_us_per_span for each in pair)
        results.latency_requests_per_s, results.latency = latencies_ms(
            pair, slowest, rounds=options.rounds, factors=factors
        )
    if options.down_s:
        results.down = memory_while_down(options.down_s, factors)
    return results


def _turns(scenario: Scenario, options: argparse.Namespace, factors: Path) -> dict[str, list[Turn]]:
    """Every contestant once in each round, with the same requests, which are new in each round."""
    taken: dict[str, list[Turn]] = {each.name: [] for each in scenario.contestants}
    for number in range(options.rounds):
        warm_up = _load(options.spans // _WARM_UP_PART, scenario.shape)
        load = _load(options.spans, scenario.shape)
        for contestant in scenario.contestants:
            with tempfile.TemporaryDirectory() as folder:
                turn = take_turn(contestant, warm_up, load, folder=Path(folder), factors=factors, requests_per_s=None)
            taken[contestant.name].append(turn)
            progress(
                f"{scenario.title}, {scenario.shape}, round {number + 1} of {options.rounds}: {contestant.name}:"
                f" {turn.cpu_us_per_span:.2f} us/span, {turn.rss_mib:.0f} MiB, {turn.refused} refused"
            )
    return taken


def _load(spans: int, shape: Shape) -> Load:
    distinct = _REPEATED_REQUESTS if shape.repeated else None
    return make_load(spans, shape.spans_per_request, shape.genai_share, distinct=distinct)


def _figures(turns: Sequence[Turn]) -> Figures:
    cpu = [turn.cpu_us_per_span for turn in turns]
    arrived = turns[-1].arrived
    return Figures(
        cpu_us_per_span=statistics.median(cpu),
        lowest_cpu_us_per_span=min(cpu),
        highest_cpu_us_per_span=max(cpu),
        spans_per_s=statistics.median(turn.spans_per_s for turn in turns),
        rss_mib=statistics.median(turn.rss_mib for turn in turns),
        refused=sum(turn.refused for turn in turns),
        sent_bytes_per_span=arrived.wire_bytes / arrived.spans if arrived else None,
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
