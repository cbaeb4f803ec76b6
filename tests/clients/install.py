"""`python -m tests.clients.install`: make the environments that the tests of real clients run in."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".client-environments"
COMMAND = "python -m tests.clients.install"
ENVIRONMENTS = ("current", "google2", "openai2")


def environment_folder(name: str) -> Path:
    """Where the environment of a requirement file is, or would be: another one for each content of the file."""
    digest = hashlib.sha256((HERE / f"{name}.txt").read_bytes()).hexdigest()[:12]
    return CACHE / f"{name}-{digest}-{sys.version_info.major}.{sys.version_info.minor}"


def python_of(name: str) -> Path | None:
    """The interpreter of an environment, `None` when it has not been made."""
    folder = environment_folder(name)
    return folder / "bin" / "python" if (folder / "complete").exists() else None


def install(name: str) -> None:
    """Make an environment, unless it is there."""
    if python_of(name) is not None:
        return
    folder = environment_folder(name)
    venv.create(folder, with_pip=True, clear=True)
    requirements = str(HERE / f"{name}.txt")
    subprocess.run([folder / "bin" / "pip", "install", "-q", "-r", requirements], check=True)
    (folder / "complete").touch()


if __name__ == "__main__":
    for each in ENVIRONMENTS:
        install(each)
