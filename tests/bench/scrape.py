"""`python -m tests.bench.scrape`: what a scrape of many series costs the exports that come meanwhile.

Directional only: compare the two latencies of one run. Scrapes follow each other without a pause, so that every export
comes during one; a Prometheus with its usual interval scrapes one minute of an hour or less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.collector.bodies import make_load
from tests.bench.collector.client import send_all, send_at
from tests.bench.collector.contestants import ours
from tests.bench.collector.turns import running
from tests.bench.load import traces_request
from tests.bench.measuring import progress, say

_SPANS_PER_REQUEST = 64
_WARM_UP_SPANS = 10_000
_FILL_SPANS = 512
_SERIES_OF_LABELS = 13
"""Amounts with their bounds, three kinds of tokens, and calls."""
_SCRAPE_TIMEOUT_S = 30.0
_PERCENTILES = (50, 90, 99)
_OPENMETRICS = "application/openmetrics-text;version=1.0.0"


@dataclass(slots=True)
class Scrapes:
    """What scrapes took.

    Attributes:
        seconds: from the request to the end of the page, of each, in seconds.
        series: on the last page.
        size_bytes: of the last page.
    """

    seconds: list[float] = field(default_factory=list)
    series: int = 0
    size_bytes: int = 0

    def add(self, more: Scrapes) -> None:
        """Take in what a process has scraped, which may be nothing."""
        self.seconds += more.seconds
        if more.seconds:
            self.series, self.size_bytes = more.series, more.size_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each load, in seconds")
    parser.add_argument("--requests-per-s", type=float, default=100.0)
    parser.add_argument("--genai-share", type=float, default=1.0, help="of the spans, between 0 and 1")
    arguments = parser.parse_args()
    taken: dict[str, list[tuple[float, ...]]] = {"without scrapes": [], "during scrapes": []}
    scrapes = Scrapes()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ours(exports=False), Path(folder), Path(), 0) as server,
        ProcessPoolExecutor(1, get_context("spawn")) as scraper,
    ):
        send_all(server.place.http_port, make_load(_WARM_UP_SPANS, _SPANS_PER_REQUEST, 1.0).requests)
        send_all(server.place.http_port, _filling(arguments.series))
        for number in range(arguments.rounds):
            progress(f"round {number + 1} of {arguments.rounds}")
            for name, latencies in taken.items():
                spans = int(arguments.requests_per_s * arguments.seconds) * _SPANS_PER_REQUEST
                load = make_load(spans, _SPANS_PER_REQUEST, arguments.genai_share)
                until_s = time.monotonic() + (arguments.seconds if name == "during scrapes" else 0.0)
                found = scraper.submit(_scrape, server.place.other_ports[0], until_s)
                sent = send_at(
                    server.place.http_port,
                    load.requests,
                    arguments.requests_per_s,
                    unmeasured=round(arguments.requests_per_s),
                )
                percentiles = statistics.quantiles(sent.latencies_s, n=100)
                latencies.append(tuple(percentiles[each - 1] * 1000 for each in _PERCENTILES))
                scrapes.add(found.result())
    _report(taken, scrapes, arguments)


def _filling(series: int) -> list[bytes]:
    """Calls of as many tenants as it takes."""
    tenants = iter(range(1, series // _SERIES_OF_LABELS + 1))
    requests = []
    for seed in range(-(-series // _SERIES_OF_LABELS // _FILL_SPANS)):
        request = ExportTraceServiceRequest.FromString(traces_request(_FILL_SPANS, 1.0, 10**6 + seed))
        for resource_spans in request.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span, tenant in zip(list(scope_spans.spans), tenants, strict=False):
                    found = next(each for each in span.attributes if each.key == "otel_carbon.tenant")
                    found.value.string_value = f"customer-{tenant}"
        requests.append(request.SerializeToString())
    return requests


def _scrape(port: int, until_s: float) -> Scrapes:
    """One scrape after the other until a time of the monotonic clock, in a process of its own."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    scrapes = Scrapes()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"accept": _OPENMETRICS})
    page = b""
    while time.monotonic() < until_s:
        began_s = time.perf_counter()
        with urllib.request.urlopen(request, timeout=_SCRAPE_TIMEOUT_S) as answer:
            page = answer.read()
        scrapes.seconds.append(time.perf_counter() - began_s)
    scrapes.series = sum(not line.startswith(b"#") for line in page.splitlines())
    scrapes.size_bytes = len(page)
    return scrapes


def _report(taken: dict[str, list[tuple[float, ...]]], scrapes: Scrapes, arguments: argparse.Namespace) -> None:
    say(f"{scrapes.series} series, {scrapes.size_bytes / 2**20:.1f} MiB a page, {len(scrapes.seconds)} scrapes,")
    say(f"  {statistics.median(scrapes.seconds):.3f} s each, {max(scrapes.seconds):.3f} s the longest")
    share, per_s = arguments.genai_share, arguments.requests_per_s
    say(f"exports of {_SPANS_PER_REQUEST} spans, {share:.0%} GenAI, {per_s:.0f} a second,")
    say("  latency in ms, median of rounds:")
    rows = {
        name: [statistics.median(each) for each in zip(*latencies, strict=True)] for name, latencies in taken.items()
    }
    quiet, during = taken.values()
    pairs = [[one / other for one, other in zip(*both, strict=True)] for both in zip(during, quiet, strict=True)]
    rows["ratio (limit of the 99th: 2)"] = [statistics.median(each) for each in zip(*pairs, strict=True)]
    say(f"  {'':28} " + " ".join(f"{f'{each}th':>8}" for each in _PERCENTILES))
    for name, figures in rows.items():
        say(f"  {name:28} " + " ".join(f"{each:8.2f}" for each in figures))


if __name__ == "__main__":
    main()
