"""`python -m tests.chaos.soak`: steady load for a long time; memory must stay, and the counters must tell the truth."""

from __future__ import annotations

import math
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.backend import running_backend
from tests.chaos.memory_plot import memory_plot
from tests.chaos.reporting import mebibytes, parser, progress, report
from tests.chaos.steady_load import Truth, clients
from tests.chaos.victim import attacked_collector, config
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.backend import Backend
    from tests.chaos.victim import Victim

MINUTES = 10.0
SPANS_PER_S = 1200.0
SETTLED_WITHIN_S = 60.0
REMEMBERED_BYTES = 1000
"""What counting remembers of a call and of the spans that are no call of their own, until it is packed or forgotten."""
MOST_OTHER_BYTES = 200 << 20
"""What memory may grow by beside until it is warm: heaps, caches, what is on its way."""
MOST_DRIFT_BYTES = 32 << 20
"""What the median of the last quarter may lie above that of the second, beside what counting remembers."""
WARM_MINUTES = 2.0
CPU = "otelcol_process_cpu_seconds_total"
_TELL_EVERY = 60


def endure(
    folder: Path, *, minutes: float, spans_per_s: float, seed: int, wrapper: Sequence[str] = (), tell: bool = False
) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """Send at a steady pace and compare what was counted with what was sent.

    Returns:
        What it came to, of which `complaints` holds what should not be; and memory as seconds and MiB.
    """
    truth = Truth()
    with running_backend() as backend:
        settings = config({"otlp_http": {"endpoint": backend.endpoint}})
        with attacked_collector(folder, settings, wrapper=wrapper) as victim:
            cpu_before_s = victim.counter(CPU)
            sending = list(clients(victim, truth, seed=seed, spans_per_s=spans_per_s))
            for client in sending:
                client.start()
            samples = _watch(victim, truth, minutes * 60, tell=tell)
            for client in sending:
                client.stop()
            complaints = _unlike(victim, backend, truth) + _grown(samples, len(truth.calls), minutes)
            complaints += [f"log: {line[:300]}" for line in victim.faults()[:10]]
            cpu_s = victim.counter(CPU) - cpu_before_s
    latencies_s = sorted(truth.latencies_s)
    told = {
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d', time.gmtime())}",
        "minutes": minutes,
        "requests": truth.requests,
        "spans": truth.spans,
        "spans_per_s": round(truth.spans / minutes / 60),
        "calls": len(truth.calls),
        "twins": len(truth.twins),
        "asked_to_wait": truth.asked_to_wait,
        "p50_ms": round(latencies_s[len(latencies_s) // 2] * 1000, 1),
        "p99_ms": round(latencies_s[len(latencies_s) * 99 // 100] * 1000, 1),
        "cpu_us_per_span": round(cpu_s / max(1, truth.spans) * 1e6, 1),
        "rss_first_mib": samples[0][1],
        "rss_second_quarter_mib": _median_mib(samples, 1),
        "rss_last_quarter_mib": _median_mib(samples, 3),
        "rss_highest_mib": max(mib for _, mib in samples),
        "complaints": complaints,
    }
    return told, samples


def _watch(victim: Victim, truth: Truth, seconds: float, *, tell: bool) -> list[tuple[float, float]]:
    """Look at memory once a second, or oftener where it does not go on for long."""
    samples: list[tuple[float, float]] = []
    began_s = time.monotonic()
    pause = threading.Event()
    while (passed_s := time.monotonic() - began_s) < seconds and victim.is_alive():
        samples.append((round(passed_s, 1), mebibytes(victim.resident_bytes())))
        if tell and len(samples) % _TELL_EVERY == 0:
            progress(f"{truth.spans} spans, {len(truth.calls)} calls, RSS {samples[-1][1]} MiB")
        pause.wait(min(1.0, seconds / 20))
    return samples


def _unlike(victim: Victim, backend: Backend, truth: Truth) -> list[str]:
    """Where what has arrived and what was counted differ from what was sent."""
    arrivals, every = backend.arrivals, truth.calls | truth.twins
    wait_until(lambda: not arrivals.missing(every), timeout_s=SETTLED_WITHIN_S, what="all calls at the backend")
    sent = "otelcol_exporter_sent_spans_total"
    wait_until(lambda: victim.counter(sent) >= truth.spans, timeout_s=SETTLED_WITHIN_S, what="all spans sent")
    tokens = "otel_carbon_tokens_total"
    input_tokens = sum(
        victim.counter(tokens, otel_carbon_token_type=kind) for kind in ("input_uncached", "cache_read", "cache_write")
    )
    found = {
        "verdicts of calls": (dict(arrivals.verdicts(truth.calls)), {"estimated": len(truth.calls)}),
        "verdicts of twins": (dict(arrivals.verdicts(truth.twins)), {"duplicate": len(truth.twins)}),
        "accepted spans": (victim.counter("otelcol_receiver_accepted_spans_total"), truth.spans),
        "sent spans": (victim.counter(sent), truth.spans),
        "counted calls": (
            victim.counter("otel_carbon_operations_total", otel_carbon_status="estimated"), len(truth.calls),
        ),
        "input tokens": (input_tokens, truth.tokens["input"]),
        "all tokens": (victim.counter(tokens), truth.tokens.total()),
    }  # fmt: skip
    wrong = [f"{what}: {seen}, not {wanted}" for what, (seen, wanted) in found.items() if seen != wanted]
    wrong += [f"{outcome} to a good request, {times} times" for outcome, times in truth.wrong.items()]
    joules, wanted_joules = victim.counter("otel_carbon_energy_joules_total"), arrivals.energy_joules(truth.calls)
    if not math.isclose(joules, wanted_joules, rel_tol=1e-9):
        wrong.append(f"counted energy: {joules} J, not {wanted_joules} J")
    return wrong


def _grown(samples: Sequence[tuple[float, float]], calls: int, minutes: float) -> list[str]:
    """Whether memory grew beyond what warming up and remembering take."""
    first, highest = samples[0][1], max(mib for _, mib in samples)
    allowed = mebibytes(calls * REMEMBERED_BYTES + MOST_OTHER_BYTES)
    wrong = [f"RSS grew from {first} to {highest} MiB, by more than {allowed}"] if highest - first > allowed else []
    before, after = _median_mib(samples, 1), _median_mib(samples, 3)
    drift = mebibytes(calls * REMEMBERED_BYTES / 2 + MOST_DRIFT_BYTES)  # half of the calls came in between
    if minutes >= WARM_MINUTES and after - before > drift:
        wrong.append(f"RSS drifted from {before} to {after} MiB, by more than {drift}")
    return wrong


def _median_mib(samples: Sequence[tuple[float, float]], quarter: int) -> float:
    """Median of memory in a quarter of the time, counted from 0."""
    size = max(1, len(samples) // 4)
    return round(statistics.median(mib for _, mib in samples[quarter * size : (quarter + 1) * size]), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when something was wrong."""
    options = parser(__doc__ or "")
    options.add_argument("--minutes", type=float, default=MINUTES, help=f"of load (default: {MINUTES:.0f})")
    options.add_argument("--spans-per-s", type=float, default=SPANS_PER_S, help=f"to send (default: {SPANS_PER_S:.0f})")
    options.add_argument("--plot", type=Path, help="write a picture of memory over time to this SVG file")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        told, samples = endure(
            Path(folder), minutes=chosen.minutes, spans_per_s=chosen.spans_per_s, seed=chosen.seed, tell=True
        )
    if chosen.plot:
        words = (
            f"From {told['rss_first_mib']} MiB at the start to {told['rss_second_quarter_mib']} MiB in the second "
            f"quarter and {told['rss_last_quarter_mib']} MiB in the last one."
        )
        chosen.plot.write_text(memory_plot(samples, words), encoding="utf-8")
    report(told, as_json=chosen.json)
    return 1 if told["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
