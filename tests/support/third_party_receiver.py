"""A collector that is not ours (`rotel`), which hands on what it understood to a sink the test can read."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.components import require_rotel
from tests.support.otlp_sink import OtlpSink, running_otlp_sink
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_START_ATTEMPTS = 3
_START_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Rotel:
    """Where a running `rotel` takes OTLP; without `/v1/...` and, for gRPC, with `http://`."""

    http_endpoint: str
    grpc_endpoint: str


@dataclass(frozen=True, slots=True)
class ThirdPartyReceiver:
    """An OTLP receiver written by others.

    Attributes:
        http_endpoint: where it takes OTLP/HTTP, without `/v1/...`.
        grpc_endpoint: where it takes OTLP/gRPC.
        sink: what it decoded, re-encoded by itself: reading there proves that it understood what it was sent.
    """

    http_endpoint: str
    grpc_endpoint: str
    sink: OtlpSink


@pytest.fixture
def third_party_receiver(tmp_path: Path) -> Iterator[ThirdPartyReceiver]:
    """A running third-party collector in front of an empty sink."""
    with running_third_party_receiver(tmp_path) as receiver:
        yield receiver


@contextmanager
def running_third_party_receiver(folder: Path) -> Iterator[ThirdPartyReceiver]:
    """A third-party collector in front of an empty sink; its output goes to `folder`."""
    with running_otlp_sink() as sink, running_rotel(folder, ["--otlp-exporter-endpoint", sink.http_endpoint]) as rotel:
        yield ThirdPartyReceiver(rotel.http_endpoint, rotel.grpc_endpoint, sink)


@contextmanager
def running_rotel(folder: Path, exporter: Sequence[str]) -> Iterator[Rotel]:
    """A third-party collector that sends on, by OTLP/HTTP unless `exporter`, its settings of that, says otherwise."""
    process, http_port, grpc_port = _start_listening(require_rotel(), folder, exporter)
    try:
        yield Rotel(f"http://127.0.0.1:{http_port}", f"http://127.0.0.1:{grpc_port}")
    finally:
        process.stop()


def _start_listening(agent: Path, folder: Path, exporter: Sequence[str]) -> tuple[ManagedProcess, int, int]:
    """Start it, again if need be: it cannot bind port 0, so the ports it is given may be taken meanwhile."""
    for attempt in range(_START_ATTEMPTS):
        http_port, grpc_port = free_ports(2)
        process = start(_command(agent, http_port, grpc_port, exporter), folder=folder, name=f"rotel-{attempt}")
        try:
            for port in (http_port, grpc_port):
                _wait_for_port(process, port)
        except (RuntimeError, TimeoutError):
            process.stop()
            if attempt == _START_ATTEMPTS - 1:
                raise
        else:
            return process, http_port, grpc_port
    raise AssertionError("the last attempt either returns or raises")


def _command(agent: Path, http_port: int, grpc_port: int, exporter: Sequence[str]) -> list[str | Path]:
    return [
        agent,
        "start",
        f"--otlp-http-endpoint=127.0.0.1:{http_port}",
        f"--otlp-grpc-endpoint=127.0.0.1:{grpc_port}",
        "--exporter=otlp",
        "--batch-timeout=50ms",
        *([] if "--otlp-exporter-protocol" in exporter else ["--otlp-exporter-protocol", "http"]),
        *exporter,
    ]


def _wait_for_port(process: ManagedProcess, port: int) -> None:
    process.wait_for(lambda: _listens(port), timeout_s=_START_TIMEOUT_S, what=f"listener on port {port}")


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False
