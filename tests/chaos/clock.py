"""`python -m tests.chaos.clock`: a wall clock that jumps, and spans that claim to be of any time."""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.chaos.backend import running_backend
from tests.chaos.bystander import PATIENCE_S, TRACES_PATH, busy_bystander
from tests.chaos.good_calls import good_call, twin_of
from tests.chaos.reporting import parser, progress, report
from tests.chaos.victim import attacked_collector, config
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.backend import Backend
    from tests.chaos.good_calls import Call
    from tests.chaos.victim import Victim

JUMPS = ("+0", "+2h", "-2h", "+40d", "-3000d", "+9000d", "+1y", "-1y", "+0")
"""What is added to the wall clock, one after the other: hours, days or years."""
CALLS_EACH = 20
YEAR_NS = 365 * 24 * 3600 * 10**9
BEFORE_ALL_FACTS_NS = ((0, 0), (0, 1), (1, 0), (5, 2**63), (0, 2**64 - 1), (20 * YEAR_NS, 21 * YEAR_NS))
"""Begin and end of spans that claim to be older than the facts hold for: no estimate, `outside_validity`."""
LATER_NS = (
    (2**64 - 1, 2**64 - 1), (2**63, 5), (130 * YEAR_NS, 131 * YEAR_NS), (300 * YEAR_NS, 0),
    (57 * YEAR_NS, 57 * YEAR_NS - 1),
)  # fmt: skip
_TWINS_FROM = 1_000_000
_ODD_FROM = 2_000_000
OPERATIONS, ENERGY = "otel_carbon_operations_total", "otel_carbon_energy_joules_total"
_PROTOBUF = {"content-type": "application/x-protobuf"}


def libfaketime() -> Path | None:
    """The library that gives a process another clock, if it is installed."""
    return next(iter(sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))), None)


def endure_jumps(
    folder: Path, library: Path, *, seed: int, calls_each: int = CALLS_EACH, tell: bool = False
) -> dict[str, Any]:
    """Let the wall clock of a collector jump; send new calls, all former ones again, and what others tell of them.

    Returns:
        What it came to; `complaints` holds what should not be.
    """
    offset = folder / "offset"
    offset.write_text("+0\n", encoding="ascii")
    calls: list[Call] = []
    twins: list[Call] = []
    complaints: list[str] = []
    with running_backend() as backend:
        settings = config({"otlp_http": {"endpoint": backend.endpoint}})
        with attacked_collector(folder, settings, environment=_clock(library, offset)) as victim:
            with busy_bystander(victim, seed=seed + 1) as bystander:
                for jump in JUMPS:
                    offset.write_text(f"{jump}\n", encoding="ascii")
                    new = [good_call(len(calls) + n, seed=seed) for n in range(calls_each)]
                    calls += new
                    twins += [twin_of(call, _TWINS_FROM + len(twins) + n, seed=seed) for n, call in enumerate(new)]
                    complaints += _send(victim, [*calls, *twins])
                    if tell:
                        progress(f"the clock was off by {jump}; {len(calls)} calls so far")
            complaints += bystander.complaints(backend.arrivals)
            booked = bystander.acknowledged | {call.trace_id for call in calls}
            complaints += _unlike(victim, backend, calls=calls, twins=twins, booked=booked)
    return {"jumps": list(JUMPS), "calls": len(calls), "twins": len(twins), "complaints": complaints}


def endure_odd_times(victim: Victim, backend: Backend, *, seed: int) -> list[str]:
    """Send spans of any time, each twice; what is said of them must not depend on which time it is.

    Returns:
        What should not be.
    """
    times_ns = (*BEFORE_ALL_FACTS_NS, *LATER_NS)
    calls = [good_call(_ODD_FROM + n, seed=seed, times_ns=each) for n, each in enumerate(times_ns)]
    complaints = _send(victim, [*calls, *calls])
    identities = {call.trace_id for call in calls}
    wait_until(lambda: _deliveries(backend, identities) >= 2 * len(calls), timeout_s=PATIENCE_S, what="odd spans")
    told = [next(iter(backend.arrivals.verdicts({call.trace_id}))) for call in calls]
    wanted = ["unestimated"] * len(BEFORE_ALL_FACTS_NS) + ["estimated"] * len(LATER_NS)
    return complaints + [
        f"a span of {each} ns is {seen}, not {due}"
        for each, seen, due in zip(times_ns, told, wanted, strict=True)
        if seen != due
    ]


def _clock(library: Path, offset: Path) -> dict[str, str]:
    """Another wall clock for a process; the monotonic one is left alone, as it is when a real clock is set."""
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _send(victim: Victim, calls: Sequence[Call]) -> list[str]:
    with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
        url = f"http://{victim.http}{TRACES_PATH}"
        statuses = [client.post(url, content=call.request, headers=_PROTOBUF).status_code for call in calls]
    return [f"HTTP {status} to a good request" for status in statuses if status != httpx.codes.OK]


def _deliveries(backend: Backend, trace_ids: set[bytes]) -> int:
    with backend.arrivals.lock:
        return sum(len(backend.arrivals.statuses.get(each, ())) for each in trace_ids)


def _unlike(
    victim: Victim, backend: Backend, *, calls: Sequence[Call], twins: Sequence[Call], booked: set[bytes]
) -> list[str]:
    """Where verdicts and counters differ from what was really called."""
    called, told_again = {call.trace_id for call in calls}, {call.trace_id for call in twins}
    expected = (len(calls) + len(twins)) * (len(JUMPS) + 1) // 2  # the first ones in every round, the last ones once
    wait_until(lambda: _deliveries(backend, called | told_again) >= expected, timeout_s=60, what="all deliveries")
    found = {
        "calls": (dict(backend.arrivals.verdicts(called)), {"estimated": len(called)}),
        "twins": (dict(backend.arrivals.verdicts(told_again)), {"duplicate": len(told_again)}),
        "counted calls": (victim.counter(OPERATIONS, otel_carbon_status="estimated"), len(booked)),
    }
    wrong = [f"{what}: {seen}, not {wanted}" for what, (seen, wanted) in found.items() if seen != wanted]
    joules, wanted_joules = victim.counter(ENERGY), backend.arrivals.energy_joules(booked)
    if not math.isclose(joules, wanted_joules, rel_tol=1e-9):
        wrong.append(f"counted energy: {joules} J, not {wanted_joules} J")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when something was wrong, 2 when there is no libfaketime."""
    chosen = parser(__doc__ or "").parse_args(arguments)
    library = libfaketime()
    if library is None:
        progress("needs libfaketime, install with apt-get install --no-install-recommends faketime")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        told = endure_jumps(Path(folder), library, seed=chosen.seed, tell=True)
    report(told, as_json=chosen.json)
    return 1 if told["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
