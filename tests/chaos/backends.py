"""`python -m tests.chaos.backends`: backends that misbehave all at once, beside one that works."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.backend import accepts, running_backend, running_grpc_backend
from tests.chaos.bystander import busy_bystander
from tests.chaos.misbehaving import CASES, stranger
from tests.chaos.reporting import mebibytes, parser, progress, report
from tests.chaos.victim import attacked_collector, config, watched_memory
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from tests.chaos.backend import Backend
    from tests.chaos.bystander import Bystander
    from tests.chaos.misbehaving import Case, Stranger
    from tests.chaos.victim import Victim

SECONDS = 30.0
SETTLED_WITHIN_S = 60.0
SLOWEST_P99_S = 5.0
MOST_ADDED_BYTES = 200 << 20
"""For some thirty exporters at once, of which each may read 4 MiB of an answer; queues hardly fill here."""
SLOWEST_ROUND_S = 3.0
"""An attempt of a second, a delay below half a second, and time to spare on a machine that is shared."""
COUNTERS = ("otelcol_exporter_sent_spans_total", "otelcol_exporter_send_failed_spans_total")


def endure(folder: Path, cases: Sequence[Case], *, seconds: float, seed: int, tell: bool = False) -> dict[str, Any]:
    """Send to all of them and to one that works, then mend those from which something must arrive.

    Returns:
        What it came to for each; `complaints` holds what should not be.
    """
    with ExitStack() as strange, ExitStack() as sound:
        good = sound.enter_context(running_backend())
        backends = {case: sound.enter_context(running_backend(case.answers)) for case in cases if case.answers}
        strangers = {case: strange.enter_context(stranger(case.speech)) for case in cases if not case.answers}
        ports = {case: each.port for case, each in (backends | strangers).items()}
        exporters = {case.exporter_id: case.settings(ports[case]) for case in cases}
        settings = config({"otlp_http/good": {"endpoint": good.endpoint}, **exporters})
        with attacked_collector(folder, settings, exit_codes=(0, 1)) as victim:
            with watched_memory(victim) as resident_bytes, busy_bystander(victim, seed=seed) as bystander:
                time.sleep(seconds)  # how long the attack lasts
            if tell:
                progress(f"{len(bystander.acknowledged)} spans acknowledged; now the backends mend their ways")
            complaints = _complaints(bystander, good, resident_bytes)
            complaints += _endless_attempts(strangers, seconds)
            strange.close()
            for case in strangers:
                backends[case] = sound.enter_context(_healed(case, ports[case]))
            for case, backend in backends.items():
                if case.fate == "arrives":
                    backend.answers = accepts
            told = {case: _settle(victim, case, bystander, backends[case]) for case in cases}
            complaints += [f"log: {line[:300]}" for line in victim.faults()[:10]]
    return {
        "good_requests": len(bystander.latencies_s),
        "acknowledged": len(bystander.acknowledged),
        "p50_ms": round(bystander.percentile_s(0.5) * 1000, 1),
        "p99_ms": round(bystander.percentile_s(0.99) * 1000, 1),
        "rss_before_mib": mebibytes(resident_bytes[0]),
        "rss_highest_mib": mebibytes(max(resident_bytes)),
        "exporters": [f"{case.exporter_id}: {each}" for case, each in told.items()],
        "complaints": complaints + [f"{case.exporter_id}: {each}" for case, each in told.items() if each != case.fate],
    }


def _complaints(bystander: Bystander, good: Backend, resident_bytes: Sequence[int]) -> list[str]:
    """What the misbehaviour of others did to the client and to the backend that works."""
    found = bystander.complaints(good.arrivals)
    if bystander.asked_to_wait:
        found.append(f"{bystander.asked_to_wait} good requests were asked to wait")
    if (p99_s := bystander.percentile_s(0.99)) > SLOWEST_P99_S:
        found.append(f"p99 of the good client is {p99_s:.2f} s")
    if max(resident_bytes) - resident_bytes[0] > MOST_ADDED_BYTES:
        found.append(f"RSS grew from {mebibytes(resident_bytes[0])} to {mebibytes(max(resident_bytes))} MiB")
    return found


def _endless_attempts(strangers: Mapping[Case, Stranger], seconds: float) -> list[str]:
    """One attempt takes a second at most, and the next one comes soon after; gRPC waits longer to connect again."""
    expected = int(seconds / SLOWEST_ROUND_S)
    return [
        f"{case.exporter_id}: {met.connections} attempts in {seconds:.0f} s; one attempt outlives its timeout of 1 s"
        for case, met in strangers.items()
        if case.speech and case.is_cut_short and case.exporter == "otlp_http" and met.connections < expected
    ]


def _healed(case: Case, port: int) -> AbstractContextManager[Backend]:
    return running_grpc_backend(port) if case.exporter == "otlp_grpc" else running_backend(port=port)


def _settle(victim: Victim, case: Case, bystander: Bystander, backend: Backend) -> str:
    """What became of the spans that were meant for one backend, in the words of `Fate`, or what does not add up."""
    spans = len(bystander.acknowledged)

    def counted() -> tuple[int, int]:
        sent, failed = (int(victim.counter(name, exporter=case.exporter_id)) for name in COUNTERS)
        return sent, failed

    try:
        wait_until(lambda: sum(counted()) >= spans, timeout_s=SETTLED_WITHIN_S, what="all spans counted")
    except TimeoutError:
        return f"{spans} spans were acknowledged, sent and failed are {counted()}"
    sent, failed = counted()
    missing = len(backend.arrivals.missing(bystander.acknowledged))
    if sent + failed != spans:
        return f"{spans} spans were acknowledged, sent and failed are {(sent, failed)}"
    if case.fate == "is counted":
        return "is counted"
    if failed == spans:
        return "is refused"
    if failed:
        return "is partly refused"
    return "arrives" if not missing else f"{missing} of {spans} spans were counted as sent and did not arrive"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when something was wrong."""
    options = parser(__doc__ or "")
    options.add_argument("--seconds", type=float, default=SECONDS, help=f"of misbehaviour (default: {SECONDS:.0f})")
    options.add_argument("--only", help="the cases whose names hold this text")
    chosen = options.parse_args(arguments)
    cases = [case for case in CASES if not chosen.only or chosen.only in case.exporter_id]
    with tempfile.TemporaryDirectory() as folder:
        told = endure(Path(folder), cases, seconds=chosen.seconds, seed=chosen.seed, tell=True)
    report(told, as_json=chosen.json)
    return 1 if told["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
