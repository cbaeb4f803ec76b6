"""Memory of our collector while nothing listens where it sends to, and clients go on sending."""

from __future__ import annotations

import socket
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench.collector.bodies import make_load
from tests.bench.collector.client import send_for
from tests.bench.collector.contestants import ours
from tests.bench.collector.turns import MemoryWatch, running
from tests.bench.measuring import progress

_SPANS_PER_REQUEST = 512
_SPANS = 300_000


@dataclass(frozen=True, slots=True)
class Down:
    """Memory while the backend is down, in MiB.

    Attributes:
        seconds: how long was sent.
        refused: requests that were refused since the queue was full.
        idle_mib: before the first request.
        second_quarter_mib: median of the second quarter of the time; the queue is full by then.
        last_quarter_mib: median of the last quarter.
        most_mib: the most.
    """

    seconds: float
    refused: int
    idle_mib: float
    second_quarter_mib: float
    last_quarter_mib: float
    most_mib: float


def memory_while_down(seconds: float, factors: Path) -> Down:
    """Send GenAI spans as fast as they are taken for some seconds, to a collector that cannot send."""
    progress(f"backend down, {seconds:.0f} s")
    load = make_load(_SPANS, _SPANS_PER_REQUEST, 1.0)
    with socket.socket() as nobody, tempfile.TemporaryDirectory() as folder:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens: connections are refused
        backend_port = nobody.getsockname()[1]
        with (
            running(ours(exports=True), Path(folder), factors, backend_port) as server,
            MemoryWatch(server.pid) as memory,
        ):
            sent = send_for(server.place.http_port, load.requests, seconds)
    samples = memory.samples_mib
    quarter = len(samples) // 4
    return Down(
        seconds=sent.seconds,
        refused=sent.refused,
        idle_mib=samples[0],
        second_quarter_mib=statistics.median(samples[quarter : 2 * quarter]),
        last_quarter_mib=statistics.median(samples[-quarter:]),
        most_mib=max(samples),
    )
