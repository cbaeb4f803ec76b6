"""Our collector with a configuration that a document shows, on ports that nobody has."""

from __future__ import annotations

import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMAND = Path(sys.executable).with_name("otel-carbon")
_PORTS = ("4317", "4318", "9464")
"""OTLP over gRPC, OTLP over HTTP and the page of metrics, as every configuration of the documents has them."""
_START_TIMEOUT_S = 30.0
_START_ATTEMPTS = 3
_HTTP_TIMEOUT_S = 5.0


class WrittenCollector:
    """A running collector; `ports` are the real ones by those that are written."""

    def __init__(self, process: ManagedProcess, ports: Mapping[str, int]) -> None:
        self.process = process
        self.grpc_endpoint = f"http://127.0.0.1:{ports['4317']}"
        self.http_endpoint = f"http://127.0.0.1:{ports['4318']}"
        self.metrics_url = f"http://127.0.0.1:{ports['9464']}/metrics"

    def metrics(self) -> str:
        """The page of metrics; raises `OSError` when it cannot be had."""
        with urllib.request.urlopen(self.metrics_url, timeout=_HTTP_TIMEOUT_S) as answer:
            return str(answer.read().decode())

    def log(self) -> str:
        """What it has logged so far."""
        return self.process.stdout() + self.process.stderr()


@contextmanager
def running_written_collector(
    config: str, folder: Path, environment: Mapping[str, str] | None = None, *, loses_items: bool = False
) -> Iterator[WrittenCollector]:
    """The collector with this configuration; it must end well, or say that it lost what no backend took."""
    collector = _start(config, folder, environment)
    try:
        yield collector
        collector.process.popen.terminate()
        assert collector.process.popen.wait(_START_TIMEOUT_S) == int(loses_items), collector.process.tail()
    finally:
        collector.process.stop()


def _start(config: str, folder: Path, environment: Mapping[str, str] | None) -> WrittenCollector:
    """Start it, again if a port it was given was taken meanwhile."""
    for attempt in range(_START_ATTEMPTS):
        ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        path = folder / "collector.yaml"
        path.write_text(_on_ports(config, ports), encoding="utf-8")
        command: list[str | Path] = [_COMMAND, "collector", "--config", path]
        process = start(command, folder=folder, name=f"collector-{attempt}", environment=environment)
        collector = WrittenCollector(process, ports)
        try:
            _wait_until_serving(collector)
        except (RuntimeError, TimeoutError):
            process.stop()
            if attempt == _START_ATTEMPTS - 1:
                raise
        else:
            return collector
    raise AssertionError("the last attempt either returns or raises")


def _on_ports(config: str, ports: Mapping[str, int]) -> str:
    for written, free in ports.items():
        assert f"localhost:{written}}}" in config
        config = config.replace(f"localhost:{written}}}", f"127.0.0.1:{free}}}")
    return config


def _wait_until_serving(collector: WrittenCollector) -> None:
    def is_serving() -> bool:
        try:
            return bool(collector.metrics())
        except OSError:
            return False

    collector.process.wait_for(is_serving, timeout_s=_START_TIMEOUT_S, what="page of metrics")
