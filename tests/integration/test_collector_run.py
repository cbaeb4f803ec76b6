from __future__ import annotations

import re
import socket
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.collector_under_test import PROTOBUF, config_text, scripted_backend, trace_request
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAM = """
import sys
import time
from pathlib import Path
from otel_carbon.collector.app import run_collector
from otel_carbon.collector.assembly import CarbonStage
from otel_carbon.collector.config.load import load_config
from otel_carbon.collector.signals import Signal

def build_carbon(config):
    return CarbonStage(lambda body: body, lambda accept: (b"", "text/plain; version=0.0.4"))

decoders = {signal: bytes for signal in Signal}
sys.exit(run_collector(load_config(Path(sys.argv[1])).config, build_carbon=build_carbon, json_decoders=decoders))
"""
LISTENS = re.compile(r"receivers\.otlp\.http listens on (\S+)")


@pytest.fixture
def start_collector(tmp_path: Path) -> Iterator[Callable[[str], ManagedProcess]]:
    """Start collectors as processes of their own; they are ended with the test."""
    started: list[ManagedProcess] = []

    def start_one(text: str) -> ManagedProcess:
        path = tmp_path / "collector.yaml"
        path.write_text(text, encoding="utf-8")
        process = start(
            [sys.executable, "-W", "error", "-c", PROGRAM, path], folder=tmp_path, name=f"collector{len(started)}"
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.stop()


def http_address(process: ManagedProcess) -> str:
    found = process.wait_for(lambda: LISTENS.search(process.stderr()), timeout_s=20, what="address of the receiver")
    return found[1]


def accepts_connections(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def test_sigterm_sends_what_is_queued_and_ends_with_0(start_collector: Callable[[str], ManagedProcess]) -> None:
    with scripted_backend(accepting=False) as backend:
        text = config_text(f'otlp_http: {{endpoint: "{backend.endpoint}"}}', names="otlp_http")
        process = start_collector(text)
        address = http_address(process)
        names = [f"span {number}" for number in range(5)]
        for name in names:
            response = httpx.post(f"http://{address}/v1/traces", content=trace_request(name), headers=PROTOBUF)
            assert response.status_code == 200
        process.popen.terminate()
        process.wait_for(lambda: "stopping" in process.stderr(), timeout_s=10, what="stop")
        process.wait_for(lambda: not accepts_connections(address), timeout_s=10, what="closed receiver")
        with backend.lock:
            backend.requests.clear()
            backend.accepting.set()
        assert process.popen.wait(20) == 0
    # What waits is sent together: requests put end to end are one request.
    assert b"".join(body for _, _, body in backend.requests) == b"".join(trace_request(name) for name in names)
    assert "stopped; nothing was left in the queues" in process.stderr()
    assert process.stdout() == ""


def test_every_address_is_logged_once(start_collector: Callable[[str], ManagedProcess]) -> None:
    process = start_collector(config_text("debug:", names="debug"))
    http_address(process)
    process.popen.terminate()
    assert process.popen.wait(20) == 0
    named = re.findall(r"(\S+) listens on 127\.0\.0\.1:\d+", process.stderr())
    assert sorted(named) == ["extensions.health_check", "receivers.otlp.grpc", "receivers.otlp.http"]


def test_a_taken_port_ends_with_2_and_names_the_key(start_collector: Callable[[str], ManagedProcess]) -> None:
    first = start_collector(config_text("debug:", names="debug"))
    taken = http_address(first)
    receiver = f'otlp: {{protocols: {{http: {{endpoint: "{taken}"}}}}}}'
    second = start_collector(config_text("debug:", names="debug", receiver=receiver))
    assert second.popen.wait(20) == 2
    assert (
        f"receivers.otlp.protocols.http.endpoint: cannot listen on {taken}: address already in use" in second.stderr()
    )
    assert "Traceback" not in second.stderr()


@pytest.mark.parametrize(("drain_timeout", "least_s", "most_s"), [("0s", 0.0, 8.0), ("2s", 2.0, 10.0)])
def test_a_stop_takes_no_longer_than_the_configuration_lets_it(
    start_collector: Callable[[str], ManagedProcess], drain_timeout: str, least_s: float, most_s: float
) -> None:
    text = config_text('otlp_http: {endpoint: "http://127.0.0.1:9"}', names="otlp_http")
    process = start_collector(text.replace("service:\n", f"service:\n  drain_timeout: {drain_timeout}\n"))
    address = http_address(process)
    assert httpx.post(f"http://{address}/v1/traces", content=trace_request("a"), headers=PROTOBUF).status_code == 200
    began_s = time.monotonic()
    process.popen.terminate()
    assert process.popen.wait(20) == 1
    assert least_s <= time.monotonic() - began_s < most_s  # by default it would be ten seconds and more
    assert "1 queued items could not be sent in time and are lost" in process.stderr()
