"""`python -m tests.chaos.hostile`: clients that hold on to what they can, while a good client must not notice."""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
import zlib
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.backend import running_backend
from tests.chaos.bystander import busy_bystander
from tests.chaos.floods import CHUNKED, flood, upload_endlessly
from tests.chaos.framing import HTTP_START, PREFACE, SETTINGS
from tests.chaos.gunner import connect
from tests.chaos.reporting import mebibytes, parser, progress, report
from tests.chaos.victim import attacked_collector, config, watched_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.chaos.backend import Backend
    from tests.chaos.bystander import Bystander
    from tests.chaos.victim import Address, Victim

CONNECTIONS = 200
SECONDS = 5.0
SLOWEST_P99_S = 5.0
"""What a good client's p99 must stay below; alone it is some tens of milliseconds, but machines are shared."""
MOST_ADDED_BYTES = 400 << 20
"""Four bodies of 64 MiB that are being received, and what else a connection takes."""
CLOSED_WITHIN_S = 45.0
"""The longest deadline, that of bodies, and some time to spare."""
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Attack:
    """Something done to many connections at once.

    Attributes:
        name: in words.
        to_grpc: whether it goes to the gRPC port.
        opening: what is sent when the connection is made.
        drip: what is sent again and again from then on; empty sends nothing.
        is_cut_off: whether the collector must end the connection by itself in `CLOSED_WITHIN_S`.
        half_closed: whether our side is closed after the opening.
    """

    name: str
    to_grpc: bool = False
    opening: bytes = b""
    drip: bytes = b""
    is_cut_off: bool = True
    half_closed: bool = False


ATTACKS = (
    Attack("says nothing"),
    Attack("headers a byte at a time", opening=b"POST /v1/traces HTTP/1.1\r\n", drip=b"x"),
    Attack("headers without end", opening=b"POST /v1/traces HTTP/1.1\r\n", drip=b"x: y\r\n"),
    Attack("a body a byte at a time", opening=HTTP_START + b"content-length: 60000000\r\n\r\n", drip=b"x"),
    Attack("a chunked body a byte at a time", opening=HTTP_START + CHUNKED, drip=b"1\r\nx\r\n"),
    Attack("a body beyond the limit", opening=HTTP_START + b"content-length: 99999999999\r\n\r\n", drip=b"x" * 999),
    Attack("a body that never comes", opening=HTTP_START + b"content-length: 1000\r\n\r\n"),
    Attack("half closed before the body", opening=HTTP_START + b"content-length: 1000\r\n\r\n", half_closed=True),
    Attack("half closed and silent", half_closed=True),
    # grpcio keeps connections that send nothing; what matters is that they cost no worker.
    Attack("gRPC: says nothing", to_grpc=True, is_cut_off=False),
    Attack("gRPC: a preface and no more", to_grpc=True, opening=PREFACE + SETTINGS, is_cut_off=False),
    Attack("gRPC: a preface a byte at a time", to_grpc=True, drip=b"P", is_cut_off=False),
    Attack("gRPC: pings", to_grpc=True, opening=PREFACE + SETTINGS, drip=b"\0\0\x08\x06\0\0\0\0\0" + bytes(8),
           is_cut_off=False),
)  # fmt: skip


def endure(
    victim: Victim,
    backend: Backend,
    attack: Attack,
    *,
    connections: int,
    seconds: float,
    seed: int,
    waits: bool = True,
) -> dict[str, Any]:
    """Attack for some seconds beside a good client, and see that the collector ends the connections if it `waits`.

    Returns:
        What it came to; `complaints` holds what should not be.
    """
    address = victim.grpc if attack.to_grpc else victim.http
    complaints: list[str] = []
    with ExitStack() as open_all:
        held = [open_all.enter_context(_attacking(address, attack)) for _ in range(connections)]
        with watched_memory(victim) as resident_bytes, busy_bystander(victim, pause_s=0.02, seed=seed) as bystander:
            cut_off = _drip(held, attack, seconds)
        if waits and attack.is_cut_off and not _all_end(held):
            complaints.append(f"connections are still open after {CLOSED_WITHIN_S:.0f} s")
    complaints += bystander.complaints(backend.arrivals)
    if bystander.asked_to_wait:
        complaints.append(f"{bystander.asked_to_wait} good requests were asked to wait")
    complaints += _slow(bystander) + _grown(resident_bytes)
    return {
        "attack": attack.name,
        "connections": connections,
        "cut_off_meanwhile": cut_off,
        "good_requests": len(bystander.latencies_s),
        "p50_ms": round(bystander.percentile_s(0.5) * 1000, 1),
        "p99_ms": round(bystander.percentile_s(0.99) * 1000, 1),
        "rss_highest_mib": mebibytes(max(resident_bytes)),
        "complaints": complaints,
    }


def _slow(bystander: Bystander) -> list[str]:
    p99_s = bystander.percentile_s(0.99)
    return [f"p99 of the good client is {p99_s:.2f} s"] if p99_s > SLOWEST_P99_S else []


def _grown(resident_bytes: Sequence[int]) -> list[str]:
    first, most = resident_bytes[0], max(resident_bytes)
    if most - first <= MOST_ADDED_BYTES:
        return []
    return [f"RSS grew from {mebibytes(first)} to {mebibytes(most)} MiB"]


@contextmanager
def _attacking(address: Address, attack: Attack) -> Iterator[socket.socket]:
    with connect(address, CLOSED_WITHIN_S) as connection:
        with suppress(OSError):
            connection.sendall(attack.opening)
            if attack.half_closed:
                connection.shutdown(socket.SHUT_WR)
        yield connection


def _drip(held: Sequence[socket.socket], attack: Attack, seconds: float) -> int:
    """Send a little on every connection now and then; returns how many were ended meanwhile."""
    ended = set()
    deadline_s = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline_s:
        for connection in held:
            if attack.drip and connection not in ended and not attack.half_closed:
                try:
                    connection.send(attack.drip)
                except OSError:
                    ended.add(connection)
        pause.wait(0.2)
    return len(ended)


def _all_end(held: Sequence[socket.socket]) -> bool:
    """Whether the collector closes all of them, once they have been told all there was to tell."""
    deadline_s = time.monotonic() + CLOSED_WITHIN_S
    for connection in held:
        try:
            while True:
                connection.settimeout(max(0.1, deadline_s - time.monotonic()))
                if not connection.recv(_PIECE_BYTES):
                    break
        except TimeoutError:
            return False
        except OSError:
            continue
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all attacks one after the other; 1 when something was wrong."""
    options = parser(__doc__ or "")
    options.add_argument("--connections", type=int, default=CONNECTIONS, help=f"at a time (default: {CONNECTIONS})")
    options.add_argument("--seconds", type=float, default=SECONDS, help=f"for each attack (default: {SECONDS:.0f})")
    chosen = options.parse_args(arguments)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, running_backend() as backend:
        settings = config({"otlp_http": {"endpoint": backend.endpoint}})
        with attacked_collector(Path(folder), settings) as victim:
            for number, attack in enumerate(ATTACKS):
                progress(attack.name)
                told = endure(
                    victim, backend, attack,
                    connections=chosen.connections, seconds=chosen.seconds, seed=chosen.seed + number,
                )  # fmt: skip
                results.append(told)
            results.append(
                beside_good_client(victim, backend, "8 endless bodies", lambda: upload_endlessly(victim.http, 8))
            )
            floods = (("5000 connections to HTTP", victim.http), ("5000 connections to gRPC", victim.grpc))
            for name, address in floods:
                results.append(beside_good_client(victim, backend, name, partial(flood, address, 5000)))
    wrong = [f"{told['attack']}: {each}" for told in results for each in told["complaints"]]
    report({"attacks": results, "wrong": wrong}, as_json=chosen.json)
    return 1 if wrong else 0


def beside_good_client(victim: Victim, backend: Backend, name: str, attack: Callable[[], list[str]]) -> dict[str, Any]:
    """Run an attack that ends by itself beside a good client, which may be asked to wait meanwhile."""
    progress(name)
    seed = zlib.crc32(name.encode()) & 0xFFFF
    with watched_memory(victim) as resident_bytes, busy_bystander(victim, pause_s=0.02, seed=seed) as bystander:
        complaints = attack()
    return {
        "attack": name,
        "good_requests": len(bystander.latencies_s),
        "asked_to_wait": bystander.asked_to_wait,
        "p50_ms": round(bystander.percentile_s(0.5) * 1000, 1),
        "p99_ms": round(bystander.percentile_s(0.99) * 1000, 1),
        "rss_highest_mib": mebibytes(max(resident_bytes)),
        "complaints": complaints + bystander.complaints(backend.arrivals) + _slow(bystander) + _grown(resident_bytes),
    }


if __name__ == "__main__":
    sys.exit(main())
