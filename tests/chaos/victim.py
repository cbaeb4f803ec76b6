"""A collector under attack: a process of its own, started by its command, watched from outside."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
ANY_PORT = "127.0.0.1:0"
MEBIBYTE = 1 << 20
_LISTENS = re.compile(r"(\S+) listens on ([\w.:]+)")
_FAULTS = re.compile(r"Traceback|unexpected error|goes on unprocessed|Exception in|RuntimeWarning")

Section = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port on this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Victim:
    """A running collector and the addresses of its parts."""

    process: ManagedProcess
    http: Address
    grpc: Address
    metrics: Address
    health: Address

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.popen.poll() is None

    def resident_bytes(self) -> int:
        """Resident memory of the process and, where a wrapper started it, of its only child; 0 once it has ended."""
        return max((_resident_bytes(pid) for pid in _family(self.process.popen.pid)), default=0)

    def page(self) -> str:
        """The metrics page, read by a scraper."""
        return httpx.get(f"http://{self.metrics}/metrics", timeout=30).raise_for_status().text

    def counter(self, name: str, **labels: str) -> float:
        """Sum of the samples of one name that carry the labels."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.page())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def is_ready(self) -> bool:
        """Whether the health check says so."""
        return httpx.get(f"http://{self.health}/", timeout=30).status_code == httpx.codes.OK

    def faults(self) -> list[str]:
        """Lines of the log that tell of a fault of the collector's own."""
        return [line for line in self.process.stderr().splitlines() if _FAULTS.search(line)]


@contextmanager
def watched_memory(victim: Victim, *, every_s: float = 0.1) -> Iterator[list[int]]:
    """Resident memory in bytes, looked at now and then on a thread of its own; the list grows meanwhile."""
    seen = [victim.resident_bytes()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            seen.append(victim.resident_bytes())

    thread = threading.Thread(target=look, name="memory watch")
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        seen.append(victim.resident_bytes())


def pipelines(exporters: Sequence[str], *, metrics_processors: Sequence[str] = ("carbon",)) -> Section:
    """All three signals from one receiver to the named exporters."""
    sending = [name for name in exporters if not name.startswith("prometheus")]
    return {
        "traces": {"receivers": ["otlp"], "processors": ["carbon"], "exporters": list(exporters)},
        "metrics": {"receivers": ["otlp"], "processors": list(metrics_processors), "exporters": sending},
        "logs": {"receivers": ["otlp"], "exporters": sending},
    }


def config(exporters: Mapping[str, Section], *, carbon: Section | None = None) -> Section:
    """A configuration that listens on free ports of loopback and serves its counters."""
    both = {"grpc": {"endpoint": ANY_PORT}, "http": {"endpoint": ANY_PORT}}
    usage = {"usage_source": {"services": {"claude-code": "metrics"}}}
    with_page = {**exporters, "prometheus": {"endpoint": ANY_PORT}}
    return {
        "receivers": {"otlp": {"protocols": both}},
        "processors": {"carbon": {"attributes": "full", **usage, **(carbon or {})}},
        "exporters": with_page,
        "extensions": {"health_check": {"endpoint": ANY_PORT}},
        "service": {"extensions": ["health_check"], "pipelines": pipelines(list(with_page))},
    }


@contextmanager
def attacked_collector(
    folder: Path,
    settings: Section,
    *,
    name: str = "victim",
    wrapper: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    exit_codes: Sequence[int] = (0,),
) -> Iterator[Victim]:
    """A collector that must still be there, and end well, when the attack is over.

    Args:
        folder: where its configuration and output go.
        settings: its configuration.
        name: of its files.
        wrapper: a command that starts it, such as `nice`.
        environment: added to the environment of the tests.
        exit_codes: what it may end with; 1 tells that queued telemetry could not be sent.

    Raises:
        AssertionError: it died under attack, or did not end well.
    """
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")  # JSON is YAML
    command = [*wrapper, sys.executable, "-m", "otel_carbon.cli", "collector", "--config", str(path)]
    process = start(command, folder=folder, name=name, environment={**os.environ, **(environment or {})})
    try:
        yield _ready(process)
        assert process.popen.poll() is None, f"the collector died under attack:\n{process.tail()}"
        process.popen.terminate()
        code = process.popen.wait(STOP_TIMEOUT_S)
        assert code in exit_codes, f"the collector ended with {code}:\n{process.tail()}"
    finally:
        process.stop()


def _ready(process: ManagedProcess) -> Victim:
    names = ("receivers.otlp.http", "receivers.otlp.grpc", "exporters.prometheus", "extensions.health_check")

    def addresses() -> list[Address] | None:
        found = dict(_LISTENS.findall(process.stderr()))
        return [_address(found[name]) for name in names] if found.keys() >= set(names) else None

    return Victim(process, *process.wait_for(addresses, timeout_s=START_TIMEOUT_S, what="addresses of the collector"))


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host, int(port))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [pid, *map(int, children)]


def _resident_bytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
