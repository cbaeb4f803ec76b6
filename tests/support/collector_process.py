"""Our own collector as a process of its own, started through the command that a user types."""

from __future__ import annotations

import json
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = Path(sys.executable).with_name("otel-carbon")
_START_ATTEMPTS = 3
_START_TIMEOUT_S = 30.0
_HTTP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class RunningCollector:
    """Where the collector takes OTLP, and `host:port` of its `/metrics`."""

    http_endpoint: str
    grpc_endpoint: str
    metrics_target: str


@dataclass(frozen=True, slots=True)
class _Ports:
    http: int
    grpc: int
    metrics: int
    health: int


@contextmanager
def running_collector(
    folder: Path, backend_http_endpoint: str, backend_grpc_target: str = ""
) -> Iterator[RunningCollector]:
    """A collector that sends what it enriched to an OTLP/HTTP backend, and serves its own counters.

    With `backend_grpc_target` (`host:port`) it sends everything there as well, over gRPC.

    Raises:
        AssertionError: when it does not end well after it was asked to.
    """
    exporters: dict[str, object] = {"otlp_http": {"endpoint": backend_http_endpoint}}
    if backend_grpc_target:
        exporters["otlp_grpc"] = {"endpoint": f"http://{backend_grpc_target}"}
    process, ports = _start_healthy(folder, exporters)
    try:
        yield RunningCollector(
            f"http://127.0.0.1:{ports.http}", f"http://127.0.0.1:{ports.grpc}", f"127.0.0.1:{ports.metrics}"
        )
        process.popen.terminate()
        assert process.popen.wait(_START_TIMEOUT_S) == 0, process.tail()
    finally:
        process.stop()


def _start_healthy(folder: Path, exporters: dict[str, object]) -> tuple[ManagedProcess, _Ports]:
    """Start it, again if a port it was given was taken meanwhile."""
    for attempt in range(_START_ATTEMPTS):
        ports = _Ports(*free_ports(4))
        config_path = folder / f"collector-{attempt}.yaml"
        config_path.write_text(_config(ports, exporters), encoding="utf-8")
        process = start([COMMAND, "collector", "--config", config_path], folder=folder, name=f"collector-{attempt}")
        try:
            _wait_until_healthy(process, ports.health)
        except (RuntimeError, TimeoutError):
            process.stop()
            if attempt == _START_ATTEMPTS - 1:
                raise
        else:
            return process, ports
    raise AssertionError("the last attempt either returns or raises")


def _config(ports: _Ports, exporters: dict[str, object]) -> str:
    protocols = {
        "grpc": {"endpoint": f"127.0.0.1:{ports.grpc}"},
        "http": {"endpoint": f"127.0.0.1:{ports.http}"},
    }
    pipeline = {"receivers": ["otlp"], "processors": ["carbon"], "exporters": [*exporters, "prometheus"]}
    config = {
        "receivers": {"otlp": {"protocols": protocols}},
        "processors": {"carbon": {"attributes": "full"}},
        "exporters": {**exporters, "prometheus": {"endpoint": f"127.0.0.1:{ports.metrics}"}},
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{ports.health}"}},
        "service": {"extensions": ["health_check"], "pipelines": {"traces": pipeline}},
    }
    return json.dumps(config, indent=2)  # JSON is YAML


def _wait_until_healthy(process: ManagedProcess, port: int) -> None:
    process.wait_for(lambda: _is_healthy(port), timeout_s=_START_TIMEOUT_S, what="healthy collector")


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=_HTTP_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
