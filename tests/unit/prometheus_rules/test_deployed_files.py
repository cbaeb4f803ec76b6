"""The configurations of Prometheus and Alertmanager in `deploy/prometheus`, checked by their own tools."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.components import require_amtool, require_promtool
from tests.support.prometheus_files import ALERTMANAGER_CONFIG, PROMETHEUS_CONFIG, document

if TYPE_CHECKING:
    from pathlib import Path


def run(tool: Path, *arguments: str) -> str:
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_the_configuration_and_finds_both_rule_files() -> None:
    assert "2 rule files found" in run(require_promtool(), "check", "config", str(PROMETHEUS_CONFIG))


def test_amtool_takes_the_configuration() -> None:
    assert "2 receivers" in run(require_amtool(), "check-config", str(ALERTMANAGER_CONFIG))


@pytest.mark.parametrize(("severity", "receiver"), [("page", "pages"), ("ticket", "tickets"), ("other", "tickets")])
def test_a_severity_has_its_receiver(severity: str, receiver: str) -> None:
    route = ("config", "routes", "test", f"--config.file={ALERTMANAGER_CONFIG}", f"severity={severity}")
    assert run(require_amtool(), *route).strip() == receiver


def test_every_receiver_is_told_of_the_end_and_has_the_documented_placeholder() -> None:
    hooks = [hook for each in document(ALERTMANAGER_CONFIG)["receivers"] for hook in each["webhook_configs"]]
    assert hooks == [{"url": "http://alert-webhook:8080/", "send_resolved": True}] * 2
