"""A collector with the configuration that a deployment file has in it, on free ports and in a folder of the test."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tests.support.collector_process import COMMAND
from tests.support.ports import free_ports
from tests.support.processes import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PORTS = (4317, 4318, 9464, 13133)
_TIMEOUT_S = 60.0


def localised(config: str, folder: Path, ports: dict[int, int], others: dict[str, str]) -> str:
    """The configuration with free ports, its folder of state in `folder`, and other addresses as given."""
    for written, real in others.items():
        assert written in config
        config = config.replace(written, real)
    for port, free in ports.items():
        config, found = re.subn(rf"(0\.0\.0\.0|localhost):{port}\b", f"127.0.0.1:{free}", config)
        assert found == 1, f"port {port}"
    assert "/var/lib/otel-carbon" in config
    return config.replace("/var/lib/otel-carbon", str(folder / "state"))


@contextmanager
def running_deployed_collector(
    config: str, folder: Path, others: dict[str, str] | None = None
) -> Iterator[dict[int, str]]:
    """The collector with this configuration, after `collector validate`; yields `host:port` by the written port.

    Raises:
        AssertionError: the configuration is not valid, or the collector did not end well when asked to.
    """
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    path = folder / "collector.yaml"
    path.write_text(localised(config, folder, ports, others or {}), encoding="utf-8")
    checked = subprocess.run(
        [COMMAND, "collector", "validate", "--config", path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    process = start([COMMAND, "collector", "--config", path], folder=folder, name="collector")
    try:
        process.wait_for(lambda: _is_healthy(ports[13133]), timeout_s=_TIMEOUT_S, what="healthy collector")
        yield {written: f"127.0.0.1:{free}" for written, free in ports.items()}
        process.popen.terminate()
        assert process.popen.wait(_TIMEOUT_S) == 0, process.tail()
    finally:
        process.stop()


def _is_healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").is_success
    except httpx.TransportError:
        return False
