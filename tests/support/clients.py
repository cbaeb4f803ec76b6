"""Client programs in environments of their own, made by `tools/make_clients.py`."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.support.components import require_component
from tools.make_clients import CLIENTS, ROOT, STAMP, sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TIMEOUT_S = 120.0
_NOWHERE = "http://127.0.0.1:9"
_SWITCHES_OF_TESTS = ("OTEL_", "PYTHON", "TRACELOOP_", "OPENAI_", "ANTHROPIC_", "CLAUDE", "VIRTUAL_ENV")


def client_program(name: str, program: str) -> Path:
    """Path of a program of a client environment, such as `python`; the environment is required."""
    folder = CLIENTS / name
    python = sources()[name].suffix == ".txt"
    require_component(
        f"the client environment {name}",
        found=is_installed(name),
        hint=f"python tools/make_clients.py {name}",
    )
    return folder / ("bin" if python else "node_modules/.bin") / program


def is_installed(name: str) -> bool:
    """Whether a client environment has been made."""
    return (CLIENTS / name / STAMP).is_file()


def client_environment(name: str, changed: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a client program sees: its own programs first, no settings of the tests, and no way off this machine."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith(_SWITCHES_OF_TESTS)}
    path = f"{client_program(name, '')}{os.pathsep}{os.environ['PATH']}"
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
    here = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    return kept | {"PATH": path, "NO_COLOR": "1"} | nowhere | here | dict(changed or {})


def run_client(
    name: str, command: Sequence[str | Path], changed: Mapping[str, str] | None = None, *, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of a client environment to its end.

    Raises:
        AssertionError: it failed; the message holds its output.
    """
    program, *arguments = command
    done = subprocess.run(
        [client_program(name, str(program)), *arguments],
        cwd=folder or ROOT,
        env=client_environment(name, changed),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
