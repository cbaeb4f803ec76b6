"""Web servers that fork or start again: every worker is instrumented, and each call is counted once."""

from __future__ import annotations

import signal
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients.apps import web_app
from tests.support.applications import EMISSIONS_GCO2E, INSTRUMENT, SET_UP, exporting_to
from tests.support.clients import client_environment, client_program
from tests.support.exported_calls import booked_calls, emissions_on
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.otlp_sink import OtlpSink

TIMEOUT_S = 30.0
START_ATTEMPTS = 3
AUTOMATIC = ["opentelemetry-instrument"]
BY_ITSELF: list[str] = []
OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
"""Not with servers that fork: the SDK's reader of metrics can hold a lock then, which its children wait for."""


@contextmanager
def serving(
    command: Sequence[str], folder: Path, sink: OtlpSink, changed: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a web server, whose `{port}` is a free one; it is stopped as a process manager does."""
    process, address = start_listening(command, folder, exporting_to(sink) | dict(changed or {}))
    try:
        yield address
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(TIMEOUT_S) in (0, -signal.SIGTERM), process.tail()
    finally:
        process.stop()


def start_listening(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[ManagedProcess, str]:
    """Start it, again if the port it was given was taken meanwhile."""
    for attempt in range(START_ATTEMPTS):
        (port,) = free_ports(1)
        arguments = [part.format(port=port) for part in command]
        process = start(
            [client_program("servers", arguments[0]), *arguments[1:]],
            folder=folder,
            name=f"server-{attempt}",
            environment=client_environment("servers", {"PYTHONPATH": str(folder), **variables}),
        )
        try:
            process.wait_until_listening(port, timeout_s=TIMEOUT_S)
        except (RuntimeError, TimeoutError):
            process.stop()
            if attempt == START_ATTEMPTS - 1:
                raise
        else:
            return process, f"http://127.0.0.1:{port}"
    raise AssertionError("the last attempt either returns or raises")


def answer_of(url: str) -> tuple[str, int]:
    """The version of the application that answered, and the process it ran in."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        version, pid = answer.read().decode().split()
        return version, int(pid)


@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["each worker imports", "preload"])
@pytest.mark.parametrize("by", [AUTOMATIC, BY_ITSELF], ids=["automatic", "by itself"])
def test_every_worker_of_gunicorn_counts_its_own_calls(
    by: list[str], preload: list[str], otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    application = Path(web_app.__file__).read_text(encoding="utf-8")
    (tmp_path / "web_app.py").write_text(application + ("" if by else SET_UP + INSTRUMENT), encoding="utf-8")
    command = [*by, "gunicorn", "--workers=2", "--bind=127.0.0.1:{port}", *preload, "web_app:wsgi"]

    answered: list[int] = []

    def both_have_answered() -> bool:
        answered.append(answer_of(f"{address}/chat")[1])
        return len(set(answered)) == 2

    with serving(command, tmp_path, otlp_sink) as address:
        wait_until(both_have_answered, timeout_s=TIMEOUT_S, what="answers of two workers")

    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * len(answered)
    assert booked_calls(otlp_sink) == len(answered)


@pytest.mark.parametrize("by", [AUTOMATIC, BY_ITSELF], ids=["automatic", "by itself"])
def test_what_uvicorn_has_reloaded_is_instrumented(by: list[str], otlp_sink: OtlpSink, tmp_path: Path) -> None:
    application = Path(web_app.__file__).read_text(encoding="utf-8") + ("" if by else SET_UP + INSTRUMENT)
    source = tmp_path / "web_app.py"
    source.write_text(application, encoding="utf-8")
    command = [*by, "uvicorn", "--reload", "--port={port}", f"--reload-dir={tmp_path}", "web_app:asgi"]
    answered: list[tuple[str, int]] = []

    def all_has_arrived() -> bool:
        return len(emissions_on(otlp_sink.spans())) == booked_calls(otlp_sink) == len(answered)

    with serving(command, tmp_path, otlp_sink, OFTEN) as address:
        answered.append(answer_of(f"{address}/chat"))
        # uvicorn ends a process by the signal that it was sent, so nothing is flushed at its exit.
        wait_until(all_has_arrived, timeout_s=TIMEOUT_S, what="export of the first application")
        second = tmp_path / "web_app.new"
        second.write_text(application.replace('VERSION = "first"', 'VERSION = "second"'), encoding="utf-8")
        second.replace(source)  # at once, so that no half of it is loaded
        wait_until(lambda: is_served(f"{address}/", "second"), timeout_s=TIMEOUT_S, what="reloaded application")
        answered.append(answer_of(f"{address}/chat"))
        wait_until(all_has_arrived, timeout_s=TIMEOUT_S, what="export of the reloaded application")

    assert len(set(answered)) == 2
    assert emissions_on(otlp_sink.spans()) == [EMISSIONS_GCO2E] * 2
    assert booked_calls(otlp_sink) == 2


def is_served(url: str, version: str) -> bool:
    try:
        return answer_of(url)[0] == version
    except OSError:  # it is just being started again
        return False
