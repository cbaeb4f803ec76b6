"""The image is built from the Dockerfile and run as compose.yaml and the chart run it; only its base is another one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.containers import require_podman
from tests.support.deploy_files import DEPLOY
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.containers import Podman

IMAGE, AGAIN = "localhost/otel-carbon-test:one", "localhost/otel-carbon-test:two"
HARDENED = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--network", "none")
INSTALLED = "/opt/otel-carbon"
HEALTHY = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:13133/', timeout=2)"
TIMEOUT_S = 60.0


@pytest.fixture(scope="module")
def podman() -> Podman:
    podman = require_podman()
    podman.build(IMAGE, target="collector")
    return podman


@pytest.fixture
def container(podman: Podman) -> Iterator[str]:
    """The collector of compose.yaml in a container that can reach nothing, with a volume for its queue."""
    files = {"compose-collector.yaml": "collector.yaml", "budgets.yaml": "budgets.yaml"}
    mounts = [word for file, at in files.items() for word in ("-v", f"{DEPLOY / file}:/etc/otel-carbon/{at}:ro")]
    volume = podman.must("volume", "create")
    name = podman.must(
        "run", "--detach", *HARDENED, "--tmpfs", "/tmp", *mounts, "-v", f"{volume}:/var/lib/otel-carbon", IMAGE
    )
    yield name
    podman.must("rm", "--force", name)
    podman.must("volume", "rm", volume)


def test_the_collector_runs_without_rights_on_a_read_only_disk_and_stops_when_told(
    podman: Podman, container: str
) -> None:
    wait_until(
        lambda: podman.run("exec", container, "python", "-c", HEALTHY).returncode == 0,
        timeout_s=TIMEOUT_S,
        what="healthy collector in a container",
    )
    assert podman.must("exec", container, "id", "-u") == "10001"
    assert podman.run("exec", container, "touch", "/opt/file").returncode == 1
    assert "queue.sqlite3" in podman.must("exec", container, "ls", "/var/lib/otel-carbon")
    podman.must("stop", "--time", "30", container)
    (state,) = json.loads(podman.must("inspect", container))
    assert (state["State"]["ExitCode"], state["State"]["OOMKilled"]) == (0, False)


def test_there_is_nothing_of_the_build_in_the_image(podman: Podman) -> None:
    look = "ls -A / /opt; ls /opt/otel-carbon/bin; command -v pip; command -v gcc; exit 0"
    listed = podman.must("run", "--rm", *HARDENED, "--entrypoint", "sh", IMAGE, "-c", look).split()
    assert not {"source", "wheels", "tools", "data", "pip", "/opt/otel-carbon/bin/pip"} & set(listed)
    assert "otel-carbon" in listed


def test_every_command_of_compose_is_one_that_the_image_has(podman: Podman) -> None:
    for words in (("collector", "--help"), ("budget", "rules", "--help"), ("--version",)):
        podman.must("run", "--rm", *HARDENED, IMAGE, *words)


def test_two_builds_install_the_same_bytes_at_the_same_times(podman: Podman, tmp_path: Path) -> None:
    podman.build(AGAIN, target="collector")
    digests = [installed_digest(podman, image, tmp_path) for image in (IMAGE, AGAIN)]
    assert digests[0] == digests[1]


def installed_digest(podman: Podman, image: str, folder: Path) -> str:
    """Digest of what is installed in an image: names, modes, owners, times and contents."""
    created = podman.must("create", image)
    path = folder / f"{created}.tar"
    try:
        podman.must("cp", f"{created}:{INSTALLED}", f"{path}.d")
        listing = _listing(folder / f"{path.name}.d")
    finally:
        podman.must("rm", created)
    return hashlib.sha256("\n".join(listing).encode()).hexdigest()


def _listing(root: Path) -> list[str]:
    lines = []
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        held = "" if path.is_dir() else path.readlink() if path.is_symlink() else _digest(path)
        lines.append(f"{path.relative_to(root)} {status.st_mode:o} {status.st_uid} {int(status.st_mtime)} {held}")
    return lines


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
