"""`python -m tests.chaos.fuzz`: damaged payloads by every way in, while a good client must not notice."""

from __future__ import annotations

import itertools
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.backend import running_backend
from tests.chaos.bystander import busy_bystander
from tests.chaos.gunner import Gunner
from tests.chaos.reporting import mebibytes, parser, progress, report
from tests.chaos.shots import shot, store
from tests.chaos.victim import attacked_collector, config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.chaos.backend import Backend
    from tests.chaos.bystander import Bystander
    from tests.chaos.shots import Shot
    from tests.chaos.victim import Victim

CRASHERS = Path(__file__).with_name("crashers")
GUNNERS = 4
TOGETHER = 24
"""Shots that one attacker has on their way at a time."""
SLOWEST_GOOD_ANSWER_S = 20.0
MOST_RESIDENT_BYTES = 800 << 20
"""The documented bounds together: 250 MB of counting, 64 MiB of queue, bodies that are being read."""
MOST_FAILURES = 50
_TELL_EVERY = 30
"""Once in so many looks, of which there is one a second."""


@dataclass(slots=True)
class Outcome:
    """What an attack has shown.

    Attributes:
        shots: how many were sent.
        failures: shots that were answered wrongly, with what is wrong, up to `MOST_FAILURES` of them.
        complaints: everything else that should not be.
        outcomes: how often the collector said what, by channel.
        resident_bytes: memory before, and then as the attack went on.
        seconds: how long it took.
    """

    shots: int = 0
    failures: list[tuple[Shot, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    resident_bytes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    good_requests: int = 0
    good_p50_s: float = 0.0
    good_p99_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


def attack(victim: Victim, backend: Backend, shots: Iterable[Shot], *, seed: int = 0, tell: bool = False) -> Outcome:
    """Send shots from several attackers and see that a bystander is served all along."""
    outcome = Outcome(resident_bytes=[victim.resident_bytes()])
    began_s = time.monotonic()
    supply = _Shared(shots)
    with busy_bystander(victim, seed=seed) as bystander:
        attackers = [_attacker(victim, supply, outcome) for _ in range(GUNNERS)]
        for attacker in attackers:
            attacker.start()
        for attacker in attackers:
            while attacker.is_alive():
                attacker.join(1.0)
                _watch(victim, outcome, tell=tell, began_s=began_s)
    outcome.seconds = time.monotonic() - began_s
    _settle(victim, backend, bystander, outcome)
    return outcome


class _Shared:
    """One supply of shots for several threads."""

    def __init__(self, shots: Iterable[Shot]) -> None:
        self._shots = iter(shots)
        self._lock = threading.Lock()

    def take(self) -> list[Shot]:
        with self._lock:
            return list(itertools.islice(self._shots, TOGETHER))


def _attacker(victim: Victim, supply: _Shared, outcome: Outcome) -> threading.Thread:
    def run() -> None:
        with Gunner(victim) as gunner:
            while victim.is_alive() and (shots := supply.take()):
                try:
                    failures = list(gunner.fire(shots))
                except OSError as error:
                    failures = [(shots[0], f"{type(error).__name__}: {error}")]
                with outcome.lock:
                    outcome.shots += len(shots)
                    outcome.failures += failures[: MOST_FAILURES - len(outcome.failures)]
                if not victim.is_alive():
                    outcome.failures += [(each, "the collector died with this on its way") for each in shots]
            with outcome.lock:
                outcome.outcomes.update(gunner.outcomes)

    return threading.Thread(target=run, name="attacker", daemon=True)


def _watch(victim: Victim, outcome: Outcome, *, tell: bool, began_s: float) -> None:
    outcome.resident_bytes.append(victim.resident_bytes())
    if tell and len(outcome.resident_bytes) % _TELL_EVERY == 0:
        rate = outcome.shots / (time.monotonic() - began_s)
        memory = mebibytes(outcome.resident_bytes[-1])
        progress(f"{outcome.shots} sent, {rate:.0f}/s, {len(outcome.failures)} wrong, RSS {memory} MiB")


def _settle(victim: Victim, backend: Backend, bystander: Bystander, outcome: Outcome) -> None:
    """Judge what is left when the attack is over."""
    if not victim.is_alive():
        outcome.complaints.append(f"the collector died: {victim.process.tail()}")
        return
    outcome.complaints += bystander.complaints(backend.arrivals, timeout_s=120)
    outcome.good_requests = len(bystander.latencies_s)
    outcome.good_p50_s, outcome.good_p99_s = bystander.percentile_s(0.5), bystander.percentile_s(0.99)
    slowest_s = bystander.percentile_s(1.0)
    if slowest_s > SLOWEST_GOOD_ANSWER_S:
        outcome.complaints.append(f"a good request took {slowest_s:.1f} s")
    if not bystander.acknowledged:
        outcome.complaints.append("no good request was taken")
    if max(outcome.resident_bytes) > MOST_RESIDENT_BYTES:
        outcome.complaints.append(f"RSS reached {mebibytes(max(outcome.resident_bytes))} MiB")
    outcome.complaints += [f"log: {line[:300]}" for line in victim.faults()[:10]]
    if failures := victim.counter("otel_carbon_collector_processor_failures_total"):
        outcome.complaints.append(f"{failures:.0f} requests passed unprocessed because of a fault of ours")


def summary(outcome: Outcome) -> dict[str, Any]:
    """An outcome as it is reported."""
    return {
        "payloads": outcome.shots,
        "minutes": round(outcome.seconds / 60, 2),
        "payloads_per_s": round(outcome.shots / outcome.seconds),
        "wrong": [
            f"{why} ({each.channel}, {each.signal}, {len(each.payload)} bytes)" for each, why in outcome.failures
        ],
        "complaints": outcome.complaints,
        "answers": dict(sorted(outcome.outcomes.items())),
        "rss_before_mib": mebibytes(outcome.resident_bytes[0]),
        "rss_after_mib": mebibytes(outcome.resident_bytes[-1]),
        "rss_highest_mib": mebibytes(max(outcome.resident_bytes)),
        "good_requests": outcome.good_requests,
        "good_p50_ms": round(outcome.good_p50_s * 1000, 1),
        "good_p99_ms": round(outcome.good_p99_s * 1000, 1),
    }


def drawn(seed: int, payloads: int) -> Iterator[Shot]:
    """The shots of a seed."""
    return (shot(seed, number) for number in range(payloads))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when something was wrong, with every failing payload kept in `--crashers`."""
    options = parser(__doc__ or "")
    options.add_argument("--payloads", type=int, default=1_000_000, help="how many (default: a million)")
    options.add_argument("--hold", default="0s", help="`hold` of the collector, a duration (default: none)")
    options.add_argument("--crashers", type=Path, default=CRASHERS, help="where failing payloads are kept")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, running_backend() as backend:
        settings = config({"otlp_http": {"endpoint": backend.endpoint}}, carbon={"hold": chosen.hold})
        with attacked_collector(Path(folder), settings) as victim:
            outcome = attack(victim, backend, drawn(chosen.seed, chosen.payloads), seed=chosen.seed, tell=True)
    for number, (failed, why) in enumerate(outcome.failures):
        store(chosen.crashers, f"seed{chosen.seed}-{number}", failed, why)
    report(summary(outcome), as_json=chosen.json)
    return 1 if outcome.failures or outcome.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
