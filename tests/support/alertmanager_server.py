"""A real Alertmanager with the configuration that a test gives it."""

from __future__ import annotations

import json
import re
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.components import require_alertmanager
from tests.support.processes import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_TIMEOUT_S = 30.0
_HTTP_TIMEOUT_S = 10.0
_LISTENING = re.compile(r'msg="Listening on" address=(\S+)')


@dataclass(frozen=True, slots=True)
class AlertmanagerServer:
    """A running Alertmanager; `target` is its `host:port`."""

    target: str

    def alerts(self) -> list[dict[str, Any]]:
        """All alerts that it holds, with what inhibits them."""
        with urllib.request.urlopen(f"http://{self.target}/api/v2/alerts", timeout=_HTTP_TIMEOUT_S) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())
            return found

    def inhibited(self, name: str, **labels: str) -> bool:
        """Whether it holds an alert and keeps it to itself because of another one."""
        wanted = {"alertname": name, **labels}
        return any(
            wanted.items() <= each["labels"].items() and bool(each["status"]["inhibitedBy"]) for each in self.alerts()
        )


@contextmanager
def running_alertmanager(folder: Path, config: str) -> Iterator[AlertmanagerServer]:
    """A real Alertmanager on a port of its own, alone: it looks for no others."""
    program = require_alertmanager()
    config_path = folder / "alertmanager.yml"
    config_path.write_text(config, encoding="utf-8")
    command: list[str | Path] = [
        program,
        f"--config.file={config_path}",
        f"--storage.path={folder / 'alertmanager'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    process = start(command, folder=folder, name="alertmanager")
    try:
        found = process.wait_for(
            lambda: _LISTENING.search(process.stderr()), timeout_s=_START_TIMEOUT_S, what="address of Alertmanager"
        )
        yield AlertmanagerServer(found[1])
    finally:
        process.stop()
