"""One turn: start a contestant on a core of its own, warm it up, send it a load, and say what that took."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from tests.bench.collector.client import send_all, send_at
from tests.bench.collector.coefficients import FACTORS_VARIABLE
from tests.bench.collector.contestants import Contestant, Place
from tests.bench.collector.process_cost import cpu_s, rss_mib
from tests.bench.collector.sink import Summary, ask_summary
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.collector.bodies import Load
    from tests.bench.collector.client import Sent

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]
_START_TIMEOUT_S = 60.0
_IDLE_S = 0.4
_IDLE_CPU_S = 0.015
"""One tick of the clock in that time is housekeeping."""
_DRAIN_TIMEOUT_S = 60.0
_SAMPLE_S = 0.1
_CALLS_COUNTED = "otel_carbon_operations_total"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one load took.

    Attributes:
        cpu_us_per_span: of the server and its children, sending included, in microseconds.
        spans_per_s: by the wall clock, until the last answer.
        rss_mib: the most resident memory that was seen while the load ran, in MiB.
        refused: answers that asked to come back later.
        latencies_s: of each request, in seconds; only of a load at a steady rate.
        arrived: what came out at the backend; None where nothing is sent.
    """

    cpu_us_per_span: float
    spans_per_s: float
    rss_mib: float
    refused: int
    latencies_s: list[float]
    arrived: Summary | None


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that takes requests."""

    process: ManagedProcess
    place: Place

    @property
    def pid(self) -> int:
        return self.process.popen.pid


def take_turn(
    contestant: Contestant, warm_up: Load, load: Load, *, folder: Path, factors: Path, requests_per_s: float | None
) -> Turn:
    """Run one contestant once.

    Args:
        contestant: which one.
        warm_up: sent before the clock starts.
        load: what is measured.
        folder: an empty folder for files.
        factors: the file with the numbers of `coefficients`.
        requests_per_s: at which rate to send; None is as fast as it is answered.

    Raises:
        RuntimeError: it ended, refused for good, or not all that was sent arrived at the backend.
    """
    with _sink(factors) as backend_port, running(contestant, folder, factors, backend_port) as server:
        send_all(server.place.http_port, warm_up.requests)
        _settle(server, warm_up.spans if contestant.exports else None)
        before_s = cpu_s(server.pid)
        with MemoryWatch(server.pid) as memory:
            sent = _send(server.place.http_port, load, requests_per_s)
        arrived = _settle(server, warm_up.spans + load.spans if contestant.exports else None)
        taken_s = cpu_s(server.pid) - before_s
        if contestant.counts:
            _check_counted(server.place.other_ports[0], warm_up.calls + load.calls)
    _check_enriched(contestant, arrived, warm_up.genai_spans + load.genai_spans)
    return Turn(
        cpu_us_per_span=taken_s / load.spans * 1e6,
        spans_per_s=load.spans / sent.seconds,
        rss_mib=max(memory.samples_mib),
        refused=sent.refused,
        latencies_s=sent.latencies_s,
        arrived=arrived,
    )


@contextmanager
def running(contestant: Contestant, folder: Path, factors: Path, backend_port: int) -> Iterator[Running]:
    """A contestant on the server's core."""
    http_port, *other_ports = free_ports(4)
    place = Place(http_port, (other_ports[0], other_ports[1], other_ports[2]), backend_port, folder, factors)
    environment = dict(os.environ) | {FACTORS_VARIABLE: str(factors)}
    command = ["taskset", "-c", str(SERVER_CORE), *contestant.command(place)]
    process = start(command, folder=folder, name="contestant", environment=environment)
    try:
        process.wait_until_listening(http_port, timeout_s=_START_TIMEOUT_S)
        yield Running(process, place)
    finally:
        process.stop()


class MemoryWatch:
    """Looks at the memory of a process while the block runs, ten times a second; `samples_mib` is in MiB."""

    def __init__(self, pid: int) -> None:
        self.samples_mib = [rss_mib(pid)]
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self._thread.join()
        self.samples_mib.append(rss_mib(self._pid))

    def _look(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            self.samples_mib.append(rss_mib(self._pid))


@contextmanager
def _sink(factors: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.bench.collector.sink", str(factors)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sink:
        try:
            assert sink.stdout is not None
            yield int(sink.stdout.readline())
        finally:
            sink.terminate()


def _send(port: int, load: Load, requests_per_s: float | None) -> Sent:
    return send_all(port, load.requests) if requests_per_s is None else send_at(port, load.requests, requests_per_s)


def _settle(server: Running, spans: int | None) -> Summary | None:
    """Wait until the server rests, and all spans have arrived if it sends them."""
    arrived = None
    deadline_s = time.monotonic() + _DRAIN_TIMEOUT_S
    while time.monotonic() < deadline_s:
        before_s = cpu_s(server.pid)
        time.sleep(_IDLE_S)
        if cpu_s(server.pid) > before_s + _IDLE_CPU_S:
            continue
        if spans is None:
            return None
        arrived = ask_summary(server.place.backend_port)
        if arrived.spans == spans:
            return arrived
        if arrived.spans > spans:
            break
    raise RuntimeError(
        f"no rest within {_DRAIN_TIMEOUT_S} s; {spans} spans were to arrive: {arrived}\n{server.process.tail()}"
    )


def _check_counted(metrics_port: int, calls: int) -> None:
    """All calls must have been new to it: to recognise a repeated one costs less."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=_START_TIMEOUT_S) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    counted = sum(each.value for family in families for each in family.samples if each.name == _CALLS_COUNTED)
    if counted != calls:
        raise RuntimeError(f"{calls} calls were sent; counted are {counted}")


def _check_enriched(contestant: Contestant, arrived: Summary | None, genai_spans: int) -> None:
    """A comparison with something that does not do the work would be worth nothing."""
    if arrived is None:
        return
    expected = genai_spans if contestant.enriches else 0
    if arrived.enriched_spans != expected or (contestant.enriches and arrived.worst_error > 1e-6):
        raise RuntimeError(f"{contestant.name}: {expected} spans should carry the right figures; got {arrived}")
