"""Podman with a store of its own, and an image of Debian's Python that stands for the base of our images.

Image registries are not reached, so the base comes from Debian's packages by debootstrap; it is kept for the next time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.components import require_component
from tests.support.deploy_files import DEPLOY, REPOSITORY

BASE = "localhost/otel-carbon-test-base:bookworm"
HINT = "apt-get install --no-install-recommends podman buildah runc debootstrap"
_STORE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "otel-carbon/containers"
_MIRROR = "http://deb.debian.org/debian"
_PACKAGES = "python3,python3-venv,ca-certificates"
_BUILD_TIMEOUT_S = 900.0
_CERTIFICATES = "/etc/ssl/certs"
_SETTINGS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@dataclass(frozen=True, slots=True)
class Podman:
    """Podman as it is run here; `environment` points it to its settings and its store."""

    environment: dict[str, str]

    def run(self, *arguments: str | Path, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command of podman to its end; its exit code is left to the caller."""
        return subprocess.run(
            ["podman", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def must(self, *arguments: str | Path, timeout_s: float = 120.0) -> str:
        """Standard output of a command that succeeds.

        Raises:
            AssertionError: it failed; the message holds its output.
        """
        done = self.run(*arguments, timeout_s=timeout_s)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout.strip()

    def build(self, tag: str, *, target: str) -> None:
        """Build a target of our Dockerfile on the base that stands in, without what was built before."""
        options = ("--isolation", "chroot", "--network", "host", "--layers=false", "--no-cache", "--pull=never")
        files = ("--ignorefile", DEPLOY / "Dockerfile.dockerignore", "-f", DEPLOY / "Dockerfile")
        mounts = ("-v", f"{_CERTIFICATES}:{_CERTIFICATES}:ro")  # of this machine, as it may have authorities of its own
        named = ("--build-arg", f"BASE={BASE}", "--target", target, "-t", tag)
        self.must("build", *options, *files, *mounts, *named, REPOSITORY, timeout_s=_BUILD_TIMEOUT_S)


def require_podman() -> Podman:
    """Podman with the base image; needs root, as an own store and namespaces do."""
    programs = ("podman", "buildah", "runc", "debootstrap")
    if os.geteuid():
        pytest.skip("not run: needs root")
    require_component("podman, buildah, runc and debootstrap", found=all(map(shutil.which, programs)), hint=HINT)
    _STORE.mkdir(parents=True, exist_ok=True)
    settings, storage = _STORE / "containers.conf", _STORE / "storage.conf"
    settings.write_text(_SETTINGS, encoding="utf-8")
    storage.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{_STORE}/root"\nrunroot = "{_STORE}/run"\n', encoding="utf-8"
    )
    podman = Podman({**os.environ, "CONTAINERS_CONF": str(settings), "CONTAINERS_STORAGE_CONF": str(storage)})
    if podman.run("image", "exists", BASE).returncode:
        _make_base(podman)
    return podman


def _make_base(podman: Podman) -> None:
    root = _STORE / "bookworm"
    shutil.rmtree(root, ignore_errors=True)
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", root, _MIRROR],
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
    )
    if made.returncode:
        pytest.fail(f"debootstrap failed:\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
    (root / "usr/bin/python").symlink_to("python3")
    packed = _STORE / "bookworm.tar"
    subprocess.run(["tar", "-C", root, "-cf", packed, "."], check=True)
    shutil.rmtree(root)
    podman.must("import", packed, BASE, timeout_s=_BUILD_TIMEOUT_S)
    packed.unlink()
