"""Makes the environments of client programs that do not fit into ours: virtual ones for Python, folders for npm.

`tests/clients/NAME.txt` holds the requirements of a virtual environment, into which this project goes as well;
`tests/clients/NAME.json` is the `package.json` of a folder. Both become `.clients/NAME`; what is up to date stays.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "tests" / "clients"
CLIENTS = ROOT / ".clients"
STAMP = "made-from"


def sources() -> dict[str, Path]:
    """What the environments are made from, by name."""
    return {path.stem: path for suffix in ("*.txt", "*.json") for path in sorted(SOURCES.glob(suffix))}


def main(arguments: Sequence[str]) -> int:
    """Make the named environments, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of tests/clients; all without one")
    known = sources()
    names = parser.parse_args(arguments).names or list(known)
    if unknown := sorted(set(names) - known.keys()):
        parser.error(f"tests/clients has no {', '.join(unknown)}; it has {', '.join(known)}")
    for name in names:
        began_s = time.monotonic()
        if make(known[name], CLIENTS / name):
            print(f"{name}: {time.monotonic() - began_s:.0f} s", flush=True)
    return 0


def make(source: Path, folder: Path) -> bool:
    """Make one environment anew unless it is up to date; say whether it was made.

    Raises:
        subprocess.CalledProcessError: the installation failed, and has said why.
    """
    stamp = _digest(source)
    if (folder / STAMP).is_file() and (folder / STAMP).read_text(encoding="utf-8") == stamp:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    if source.suffix == ".txt":
        _make_virtual_environment(source, folder)
    else:
        _make_npm_folder(source, folder)
    (folder / STAMP).write_text(stamp, encoding="utf-8")
    return True


def _digest(source: Path) -> str:
    """What an environment depends on: its source, our own entry points and extras, and the interpreter."""
    parts = [source.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _make_virtual_environment(requirements: Path, folder: Path) -> None:
    project = f"{ROOT}[auto]"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        _run([uv, "venv", "-q", "--python", sys.executable, str(folder)])
        python = str(folder / "bin" / "python")
        _run([uv, "pip", "install", "-q", "--python", python, "-r", str(requirements), "-e", project])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin" / "pip"), "install", "-q", "-r", str(requirements), "-e", project])


def _make_npm_folder(package: Path, folder: Path) -> None:
    folder.mkdir()
    shutil.copyfile(package, folder / "package.json")
    _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder)])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
