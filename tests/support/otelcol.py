"""The official OpenTelemetry Collector as `deploy/otelcol/build.sh` builds it, with the configurations beside that."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.components import require_built
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEPLOYED = Path(__file__).parents[2] / "deploy" / "otelcol"
_START_ATTEMPTS = 3
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_LENGTH = struct.Struct(">I")


def require_otelcol() -> Path:
    """Path of the official Collector; without one the test is skipped, or fails in CI where Go is."""
    return require_built("the official Collector", "deploy/otelcol/build.sh", "OTELCOL")


@dataclass(frozen=True, slots=True)
class OfficialCollector:
    """Where it takes OTLP, where `/metrics` is if it serves one, and the file that it writes."""

    process: ManagedProcess
    http_endpoint: str
    grpc_target: str
    metrics_target: str
    spans_path: Path

    def requests(self) -> list[ExportTraceServiceRequest]:
        """What it has written so far, whole messages only, in order."""
        content, found, at = self.spans_path.read_bytes() if self.spans_path.exists() else b"", [], 0
        while at + _LENGTH.size <= len(content):
            (length,) = _LENGTH.unpack_from(content, at)
            message = content[at + _LENGTH.size : at + _LENGTH.size + length]
            if len(message) < length:
                break
            found.append(ExportTraceServiceRequest.FromString(message))
            at += _LENGTH.size + length
        return found


@contextmanager
def running_otelcol(
    folder: Path, *configurations: Path, environment: Mapping[str, str] | None = None
) -> Iterator[OfficialCollector]:
    """The official Collector with some configurations, later ones on top; its files go to `folder`.

    Raises:
        AssertionError: when it does not end well after it was asked to.
    """
    collector = _start_ready(folder, configurations, environment or {})
    try:
        yield collector
        collector.process.popen.terminate()
        assert collector.process.popen.wait(_STOP_TIMEOUT_S) == 0, collector.process.tail()
    finally:
        collector.process.stop()


def _start_ready(folder: Path, configurations: tuple[Path, ...], environment: Mapping[str, str]) -> OfficialCollector:
    """Start it, again if a port it was given was taken meanwhile."""
    program = require_otelcol()
    options = [word for path in configurations for word in ("--config", path)]
    for attempt in range(_START_ATTEMPTS):
        http, grpc, metrics = (f"127.0.0.1:{port}" for port in free_ports(3))
        spans_path = folder / f"otelcol-{attempt}.binpb"
        variables = {"OTLP_HTTP": http, "OTLP_GRPC": grpc, "PROMETHEUS": metrics, "SPANS_FILE": str(spans_path)}
        process = start(
            [program, *options],
            folder=folder,
            name=f"otelcol-{attempt}",
            environment={**os.environ, **variables, **environment},
        )
        try:
            process.wait_for(
                lambda running=process: "Everything is ready" in running.stderr(),  # type: ignore[misc]  # binds it
                timeout_s=_START_TIMEOUT_S,
                what="ready official Collector",
            )
        except (RuntimeError, TimeoutError):
            process.stop()
            if attempt == _START_ATTEMPTS - 1:
                raise
        else:
            return OfficialCollector(process, f"http://{http}", grpc, metrics, spans_path)
    raise AssertionError("the last attempt either returns or raises")
