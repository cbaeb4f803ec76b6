"""The services of `deploy/compose.yaml` as processes of this machine: their own commands and files, on free ports.

What a container would see under a path is copied to a folder of the service, and `service:port` in files and commands
becomes an address on the loopback. Nothing else is changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.collector_process import COMMAND
from tests.support.components import require_alertmanager, require_jaeger, require_prometheus3
from tests.support.deploy_files import DEPLOY, documents
from tests.support.ports import free_ports
from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LISTENS = {
    "collector": (4317, 4318, 9464, 13133),
    "jaeger": (4317, 4318, 16685, 16686),
    "prometheus": (9090,),
    "alertmanager": (9093,),
    "alert-webhook": (8080,),
}
"""What each service listens on inside its container."""
_PROGRAMS: dict[str, Callable[[], Path]] = {
    "otel-carbon:local": lambda: COMMAND,
    "otel-carbon-traffic:local": lambda: COMMAND,
    "docker.io/prom/prometheus": require_prometheus3,
    "docker.io/prom/alertmanager": require_alertmanager,
    "docker.io/jaegertracing/jaeger": require_jaeger,
}
"""What runs in place of an image's entry point; pinned images by their name without the tag."""
_LISTEN_OPTION = {
    "prometheus": "--web.listen-address=0.0.0.0:9090",
    "alertmanager": "--web.listen-address=0.0.0.0:9093",
}
"""What the images listen on by default, and a program of a package perhaps not."""
_ADDRESS = re.compile(r"(?P<host>[a-z][a-z-]*|0\.0\.0\.0|127\.0\.0\.1):(?P<port>\d{4,5})\b")
_OWN = {"0.0.0.0", "127.0.0.1", "localhost"}
_START_TIMEOUT_S = 60.0


def compose_services() -> dict[str, dict[str, Any]]:
    """The services of `compose.yaml` by name."""
    (document,) = documents((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services: dict[str, dict[str, Any]] = document["services"]
    return services


def default_command(target: str) -> list[str]:
    """What the image of a target of the Dockerfile runs when it is told nothing."""
    stage = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").partition(f" AS {target}\n")[2].partition("\nFROM ")[0]
    (command,) = re.findall(r"^CMD (\[.*\])$", stage, re.MULTILINE)
    words: list[str] = documents(command)[0]
    return words


@dataclass(slots=True)
class ComposedServices:
    """Services that run; `url` has their addresses, `processes` what was started."""

    folder: Path
    stack: ExitStack
    ports: dict[tuple[str, int], int]
    processes: dict[str, ManagedProcess] = field(default_factory=dict)

    def url(self, service: str, port: int) -> str:
        """Where the port of a service really is."""
        return f"http://127.0.0.1:{self.ports[service, port]}"

    def start(self, name: str) -> None:
        """Start a service, and before it those that it depends on, in the states that it wants them in."""
        if name in self.processes:
            return
        service = compose_services()[name]
        for needed, how in service.get("depends_on", {}).items():
            self.start(needed)
            self._wait_for(needed, how["condition"])
        self._mount(name, service)
        process = start(self._command(name, service), folder=self.folder, name=name)
        self.stack.callback(process.stop)
        self.processes[name] = process

    def _wait_for(self, name: str, condition: str) -> None:
        if condition == "service_completed_successfully":
            process = self.processes[name]
            assert process.popen.wait(_START_TIMEOUT_S) == 0, process.tail()
        elif condition == "service_healthy":
            self.wait_until_healthy(name)

    def wait_until_healthy(self, name: str) -> None:
        """Return when the health check that the file has for a service succeeds."""
        kind, *words = compose_services()[name]["healthcheck"]["test"]
        assert (kind, words[0]) == ("CMD", "python")
        command = [sys.executable, *(self._here(name, word) for word in words[1:])]
        self.processes[name].wait_for(
            lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0,
            timeout_s=_START_TIMEOUT_S,
            what=f"healthy {name}",
        )

    def _mount(self, name: str, service: dict[str, Any]) -> None:
        """Copy the files of a service to where it finds them, and make its volumes."""
        for volume in service.get("volumes", ()):
            source, _, target = volume.removesuffix(":ro").partition(":")
            place = self._place(name, target)
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.startswith("."):
                self._copy(name, DEPLOY / source, place)
            else:
                kept = self.folder / "volumes" / source
                kept.mkdir(parents=True, exist_ok=True)
                place.symlink_to(kept)

    def _copy(self, name: str, source: Path, place: Path) -> None:
        if source.is_dir():
            place.mkdir()
            for each in source.iterdir():
                self._copy(name, each, place / each.name)
        else:
            place.write_text(self._here(name, source.read_text(encoding="utf-8")), encoding="utf-8")

    def _command(self, name: str, service: dict[str, Any]) -> list[str]:
        image = service["image"]
        entry = service.get("entrypoint")
        if entry:
            assert entry[0] == "python"
            words = [sys.executable, *entry[1:]]
        else:
            words = [str(_PROGRAMS[image if image in _PROGRAMS else image.rpartition(":")[0]]())]
        arguments: Sequence[str] = service.get("command") or default_command(service["build"]["target"])
        options = [_LISTEN_OPTION[name]] if name in _LISTEN_OPTION else []
        return [words[0], *(self._here(name, word) for word in (*words[1:], *arguments, *options))]

    def _place(self, name: str, target: str) -> Path:
        return self.folder / "containers" / name / target.lstrip("/")

    def _here(self, name: str, text: str) -> str:
        """A text of a service with its paths and addresses as they are on this machine."""

        def address(found: re.Match[str]) -> str:
            host, port = found["host"], int(found["port"])
            real = self.ports.get((name if host in _OWN else host, port))
            return f"127.0.0.1:{real}" if real else found[0]

        text = _ADDRESS.sub(address, text)
        targets = [each.removesuffix(":ro").partition(":")[2] for each in compose_services()[name].get("volumes", ())]
        for target in sorted(targets, key=len, reverse=True):
            text = re.sub(rf"(?<![\w/]){re.escape(target)}(?![\w-])", str(self._place(name, target)), text)
        return text


@contextmanager
def composed(folder: Path, *names: str) -> Iterator[ComposedServices]:
    """These services and all that they depend on; they are stopped in the end, the last one first."""
    wanted = [(service, port) for service, listens in LISTENS.items() for port in listens]
    ports = dict(zip(wanted, free_ports(len(wanted)), strict=True))
    with ExitStack() as stack:
        services = ComposedServices(folder, stack, ports)
        for name in names:
            services.start(name)
        yield services
