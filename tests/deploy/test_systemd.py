"""The systemd unit as systemd's own checks see it, and our collector under what it forbids."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.collector_process import COMMAND
from tests.support.components import require_component
from tests.support.deploy_files import DEPLOY

if TYPE_CHECKING:
    from pathlib import Path

UNIT = DEPLOY / "systemd/otel-carbon-collector.service"
INSTALLED = "/opt/otel-carbon/bin/otel-carbon"
MOST_EXPOSURE = 15
"""In tenths of systemd's own measure, whose 0 is nothing and whose 100 is everything."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with our command where it is on this machine."""
    text = UNIT.read_text(encoding="utf-8")
    assert INSTALLED in text
    path = tmp_path / UNIT.name
    path.write_text(text.replace(INSTALLED, str(COMMAND)), encoding="utf-8")
    return path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    require_component(
        "systemd-analyze", found=program is not None, hint="apt-get install --no-install-recommends systemd"
    )
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    checked = analyze("verify", "--man=no", unit)
    assert (checked.returncode, checked.stderr) == (0, "")
    unit.write_text(unit.read_text(encoding="utf-8") + "Restrat=no\n", encoding="utf-8")
    assert "Restrat" in analyze("verify", "--man=no", unit).stderr


def test_the_unit_is_exposed_to_little(unit: Path) -> None:
    checked = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", unit)
    assert checked.returncode == 0, checked.stdout


def test_it_is_given_longer_to_stop_than_it_takes_at_most() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # keys of systemd have capitals
    unit.read(UNIT, encoding="utf-8")
    assert unit["Service"]["TimeoutStopSec"] == "30s"
    assert unit["Service"]["RestartPreventExitStatus"] == "2"


def test_the_commands_libraries_load_where_no_memory_may_be_written_and_run() -> None:
    """`MemoryDenyWriteExecute`, by the switch that kernels since 6.3 have for it; older ones run it without."""
    forbid = "import ctypes; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)"
    load = "import bcrypt, cramjam, grpc, httptools, pydantic, ruamel.yaml, uvicorn, otel_carbon.collector.app"
    done = subprocess.run([sys.executable, "-c", f"{forbid}; {load}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
