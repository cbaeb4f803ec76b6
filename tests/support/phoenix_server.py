"""Arize Phoenix, a backend for traces that is not ours, and what it says of the spans it has."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.clients import client_environment, client_program
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT = "phoenix"
_START_TIMEOUT_S = 120.0
_START_ATTEMPTS = 3
_HTTP_TIMEOUT_S = 10.0
_WAIT_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Phoenix:
    """A running Phoenix: where it takes OTLP, and its API."""

    http_endpoint: str
    grpc_endpoint: str

    def spans(self, project: str) -> list[dict[str, Any]]:
        """The spans of a project as its API returns them; none while it does not know the project."""
        try:
            with urllib.request.urlopen(
                f"{self.http_endpoint}/v1/projects/{project}/spans?limit=100", timeout=_HTTP_TIMEOUT_S
            ) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]
        except OSError:
            return []
        return found

    def wait_for_spans(self, project: str, count: int) -> list[dict[str, Any]]:
        """The spans of a project, once there are as many; raises `TimeoutError` when there are not."""

        def enough() -> list[dict[str, Any]] | None:
            spans = self.spans(project)
            return spans if len(spans) >= count else None

        return wait_until(enough, timeout_s=_WAIT_TIMEOUT_S, what=f"{count} spans of {project}")


@contextmanager
def running_phoenix(folder: Path) -> Iterator[Phoenix]:
    """A Phoenix that keeps what it gets in a folder."""
    process, phoenix = _start(folder)
    try:
        yield phoenix
    finally:
        process.stop()


def _start(folder: Path) -> tuple[ManagedProcess, Phoenix]:
    """Start it, again if a port it was given was taken meanwhile."""
    program = client_program(CLIENT, "phoenix")
    for attempt in range(_START_ATTEMPTS):
        http_port, grpc_port = free_ports(2)
        settings = {
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(http_port),
            "PHOENIX_GRPC_PORT": str(grpc_port),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        process = start(
            [program, "serve"],
            folder=folder,
            name=f"phoenix-{attempt}",
            environment=client_environment(CLIENT, settings),
        )
        try:
            for port in (grpc_port, http_port):
                process.wait_until_listening(port, timeout_s=_START_TIMEOUT_S)
        except (RuntimeError, TimeoutError):
            process.stop()
            if attempt == _START_ATTEMPTS - 1:
                raise
        else:
            return process, Phoenix(f"http://127.0.0.1:{http_port}", f"http://127.0.0.1:{grpc_port}")
    raise AssertionError("the last attempt either returns or raises")
