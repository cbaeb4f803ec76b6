"""Virtual environments with the packages of this one, but for those that a test takes away or changes."""

from __future__ import annotations

import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

AUTOMATIC = """\
#!{python}
from opentelemetry.instrumentation.auto_instrumentation import run
run()
"""


@dataclass(frozen=True, slots=True)
class SmallVenv:
    """An environment in a folder; `instrument` is its `opentelemetry-instrument`."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def instrument(self) -> Path:
        return self.folder / "bin" / "opentelemetry-instrument"

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    def add_metadata(self, name: str, version: str, *, requires: Collection[str] = (), entry_points: str = "") -> None:
        """Install metadata, as a wheel would bring it."""
        folder = self.packages / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Provides-Extra: instruments"]
        lines += [f"Requires-Dist: {each}" for each in requires]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "entry_points.txt").write_text(entry_points, encoding="utf-8")

    def add_module(self, path: str, text: str) -> None:
        """Install a module."""
        target = self.packages / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def venv_without(folder: Path, *names: str) -> SmallVenv:
    """An environment that lacks the metadata of some packages, by which OpenTelemetry finds and checks plug-ins."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    small = SmallVenv(folder)
    gone = {f"{name.replace('-', '_')}-" for name in names}
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        is_gone = entry.name.endswith(".dist-info") and entry.name.startswith(tuple(gone))
        if not is_gone and not (small.packages / entry.name).exists():
            (small.packages / entry.name).symlink_to(entry)
    small.instrument.write_text(AUTOMATIC.format(python=small.python), encoding="utf-8")
    small.instrument.chmod(0o755)
    return small
