"""A collector with a durable queue as a process of its own, to be killed, and a client that repeats itself."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.integration.collector_under_test import PROTOBUF
from tests.support.collector_process import COMMAND
from tests.support.ports import is_listening
from tests.support.processes import ManagedProcess, start
from tests.unit.otlp.messages import inference_span, request_of

if TYPE_CHECKING:
    from pathlib import Path

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 60.0
_PAUSE_S = 0.02


@dataclass
class DurableCollector:
    """One collector after another on the same ports and the same directory.

    Attributes:
        folder: where configuration, output and queue are.
        exporters: the exporters section by component id, without `prometheus`.
        storage: further settings of the file storage.
        carbon: settings of the carbon processor.
        processors: further processors by component id, placed before carbon.
        prometheus: further settings of the prometheus exporter.
    """

    folder: Path
    exporters: dict[str, dict[str, Any]]
    storage: dict[str, Any] = field(default_factory=dict)
    carbon: dict[str, Any] = field(default_factory=dict)
    processors: dict[str, dict[str, Any]] = field(default_factory=dict)
    prometheus: dict[str, Any] = field(default_factory=dict)
    command_prefix: tuple[str, ...] = ()
    process: ManagedProcess | None = None
    starts: int = 0

    def __post_init__(self) -> None:
        self.http, self.metrics, self.health = _lasting_ports(3)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}/v1/traces"

    @property
    def queue_folder(self) -> Path:
        return self.folder / "queue"

    def start(self) -> None:
        path = self.folder / "collector.yaml"
        path.write_text(json.dumps(self._config()), encoding="utf-8")  # JSON is YAML
        self.starts += 1
        command: list[str | Path] = [*self.command_prefix, COMMAND, "collector", "--config", path]
        self.process = start(command, folder=self.folder, name=f"collector-{self.starts}")
        self.process.wait_for(self.is_healthy, timeout_s=_START_TIMEOUT_S, what="ready collector")

    def kill(self) -> None:
        assert self.process is not None
        self.process.popen.send_signal(signal.SIGKILL)
        self.process.popen.wait(_STOP_TIMEOUT_S)
        self.process.close_input()

    def stop(self) -> int:
        assert self.process is not None
        self.process.popen.terminate()
        code = self.process.popen.wait(_STOP_TIMEOUT_S)
        self.process.close_input()
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        if self.process is not None and self.process.popen.poll() is None:
            self.kill()

    def page(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10).text

    def said(self) -> str:
        assert self.process is not None
        return self.process.tail()

    def is_healthy(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.health}/", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def _config(self) -> dict[str, Any]:
        pipeline = {
            "receivers": ["otlp"],
            "processors": [*self.processors, "carbon"],
            "exporters": [*self.exporters, "prometheus"],
        }
        return {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.http}"}}}},
            "processors": {**self.processors, "carbon": self.carbon},
            "exporters": {**self.exporters, "prometheus": {"endpoint": f"127.0.0.1:{self.metrics}", **self.prometheus}},
            "extensions": {
                "health_check": {"endpoint": f"127.0.0.1:{self.health}"},
                "file_storage": {"directory": str(self.queue_folder), **self.storage},
            },
            "service": {"extensions": ["health_check", "file_storage"], "pipelines": {"traces": pipeline}},
        }


def _lasting_ports(count: int) -> list[int]:
    """Free ports below those that the system hands out: nobody gets them by chance while a collector is down."""
    found: list[int] = []
    for port in random.sample(range(15_000, 30_000), 1000):
        if len(found) < count and not is_listening(port):
            found.append(port)
    return found


def durable_exporter(endpoint: str, **queue: Any) -> dict[str, Any]:
    """An OTLP/HTTP exporter whose queue is on the disk and that tries again quickly."""
    retry = {"initial_interval": "50ms", "max_interval": "200ms"}
    return {"endpoint": endpoint, "retry_on_failure": retry, "sending_queue": {"storage": "file_storage", **queue}}


def body_of(number: int, spans: int = 1) -> bytes:
    """A request of model calls, each a distinct one."""
    first = number * spans + 1
    return request_of(*(inference_span(first + each) for each in range(spans))).SerializeToString()


class Client(threading.Thread):
    """Sends request after request, each until it is acknowledged, as an SDK with endless patience would."""

    def __init__(self, url: str, first: int, spans: int = 4) -> None:
        super().__init__()
        self.acknowledged: list[int] = []
        self.refusals = 0
        self.latencies_s: list[float] = []
        self._url = url
        self._next = first
        self._spans = spans
        self._enough = threading.Event()
        self._gave_up = threading.Event()

    def run(self) -> None:
        with httpx.Client(headers=PROTOBUF, timeout=10) as client:
            while not self._enough.is_set():
                body, began_s = body_of(self._next, self._spans), time.monotonic()
                while not self._is_taken(client, body):
                    self.refusals += 1
                    time.sleep(_PAUSE_S)  # between two attempts, as clients do
                    if self._gave_up.is_set():
                        return
                self.latencies_s.append(time.monotonic() - began_s)
                self.acknowledged.append(self._next)
                self._next += 1

    def finish(self, timeout_s: float = 30.0) -> None:
        """Begin no further request, and end once the last one is acknowledged, or after a time in seconds."""
        self._enough.set()
        self.join(timeout_s)
        self._gave_up.set()
        self.join()

    def _is_taken(self, client: httpx.Client, body: bytes) -> bool:
        try:
            return client.post(self._url, content=body).status_code == 200
        except httpx.HTTPError:
            return False
