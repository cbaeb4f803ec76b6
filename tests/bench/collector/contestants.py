"""The collectors that are compared, and how each is started."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.collector.otelcol_config import otelcol_config
from tests.support.components import find_rotel

if TYPE_CHECKING:
    from collections.abc import Callable

Command = list[str | Path]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contestant runs in one turn.

    Attributes:
        http_port: where it takes OTLP/HTTP.
        other_ports: for whatever else it must listen on, three of them.
        backend_port: where it sends to.
        folder: for its files.
        factors: the file with the numbers of `coefficients`.
    """

    http_port: int
    other_ports: tuple[int, int, int]
    backend_port: int
    folder: Path
    factors: Path


@dataclass(frozen=True, slots=True)
class Contestant:
    """A collector in one way of running it.

    Attributes:
        name: as it is shown.
        command: how it is started.
        exports: whether it sends what it takes to the backend.
        enriches: whether it adds the figures.
        counts: whether it counts calls, on a page of metrics at the first of the other ports.
    """

    name: str
    command: Callable[[Place], Command]
    exports: bool
    enriches: bool
    counts: bool = False


def ours(*, exports: bool) -> Contestant:
    """Our collector as it comes, with its core attributes; without exporting it still serves its metrics."""

    def command(place: Place) -> Command:
        exporters: dict[str, object] = {"prometheus": {"endpoint": _address(place.other_ports[0])}}
        if exports:
            exporters["otlp_http"] = {"endpoint": f"http://{_address(place.backend_port)}", "compression": "gzip"}
        config = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": _address(place.http_port)}}}},
            "processors": {"carbon": None},
            "exporters": exporters,
            "service": {
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "processors": ["carbon"], "exporters": list(exporters)},
                }
            },
        }
        path = _written(place.folder / "otel-carbon.yaml", config)
        return [Path(sys.executable).with_name("otel-carbon"), "collector", "--config", path]

    return Contestant(f"otel-carbon{_out(exports)}", command, exports=exports, enriches=True, counts=True)


def rotel(*, exports: bool, enriches: bool) -> Contestant:
    """Rotel; it enriches by a processor in Python, the one way that it has of computing anything."""

    def command(place: Place) -> Command:
        agent = find_rotel()
        if agent is None:
            raise FileNotFoundError("rotel is not installed: pip install 'otel-carbon[dev]'")
        command: Command = [agent, "start", f"--pid-file={place.folder / 'rotel.pid'}"]
        command += [f"--otlp-http-endpoint={_address(place.http_port)}"]
        command += [f"--otlp-grpc-endpoint={_address(place.other_ports[0])}"]
        if exports:
            command += ["--exporter=otlp", f"--otlp-exporter-endpoint=http://{_address(place.backend_port)}"]
            command += ["--otlp-exporter-protocol=http", "--otlp-exporter-compression=gzip"]
        else:
            command += ["--exporter=blackhole"]
        if enriches:
            command += [f"--otlp-with-trace-processor={Path(__file__).with_name('rotel_processor.py')}"]
        return command

    how = " + Python processor" if enriches else ", no enrichment"
    return Contestant(f"rotel{how}{_out(exports)}", command, exports=exports, enriches=enriches)


def otelcol(binary: Path, *, exports: bool) -> Contestant:
    """The official Collector; it enriches by statements of its transform processor."""

    def command(place: Place) -> Command:
        factors = json.loads(place.factors.read_text(encoding="utf-8"))
        backend = f"http://{_address(place.backend_port)}" if exports else None
        config = otelcol_config(_address(place.http_port), backend, factors)
        return [binary, "--config", _written(place.folder / "otelcol.yaml", config)]

    return Contestant(f"otelcol + transform{_out(exports)}", command, exports=exports, enriches=True)


def _out(exports: bool) -> str:
    return ", gzip out" if exports else ", no export"


def _address(port: int) -> str:
    return f"127.0.0.1:{port}"


def _written(path: Path, config: object) -> Path:
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")  # JSON is YAML
    return path
