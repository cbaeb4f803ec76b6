from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

CONFIG = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0"}}}
processors:
  carbon: {attributes: full, regions: {openai: us-east-1}}
exporters:
  prometheus: {endpoint: "localhost:0"}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [prometheus]}
"""
LISTENS = re.compile(r"exporters\.prometheus listens on (\S+)")


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "collector.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_a_good_configuration_is_valid(run_cli: RunCli, config_file: Path) -> None:
    assert run_cli("collector", "validate", "--config", str(config_file)) == (0, f"{config_file}: valid\n", "")


@pytest.mark.parametrize("command", [("collector", "validate"), ("collector",)])
def test_every_mistake_is_named_with_its_line_and_exits_2(
    run_cli: RunCli, config_file: Path, command: tuple[str, ...]
) -> None:
    config_file.write_text(CONFIG.replace("full", "most").replace("[carbon]", "[carbn]"), encoding="utf-8")
    code, out, err = run_cli(*command, "--config", str(config_file))
    assert (code, out) == (2, "")
    assert "collector.yaml:4: processors.carbon.attributes" in err
    assert "collector.yaml:9: service.pipelines.traces.processors" in err


def test_an_unused_part_is_a_warning(run_cli: RunCli, config_file: Path) -> None:
    config_file.write_text(CONFIG.replace("exporters:\n", "exporters:\n  debug:\n", 1), encoding="utf-8")
    code, out, err = run_cli("collector", "validate", "--config", str(config_file))
    assert (code, out) == (0, f"{config_file}: valid\n")
    assert err.startswith("warning: ")
    assert "exporters.debug" in err


def test_a_missing_file_is_bad_input_and_named(run_cli: RunCli, tmp_path: Path) -> None:
    code, _, err = run_cli("collector", "--config", str(tmp_path / "none.yaml"))
    assert code == 2
    assert "none.yaml" in err


def test_validate_wants_the_configuration_after_itself(run_cli: RunCli, config_file: Path) -> None:
    code, _, err = run_cli("collector", "--config", str(config_file), "validate", "--config", str(config_file))
    assert code == 2
    assert "write --config after validate" in err


@pytest.mark.parametrize("command", [("collector",), ("collector", "validate")])
def test_without_the_extra_the_install_line_is_printed(
    run_cli: RunCli, config_file: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("otel_carbon.collector")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    code, out, err = run_cli(*command, "--config", str(config_file))
    assert (code, out) == (2, "")
    assert err == (
        "Error: this command needs the package pydantic; install it with: "
        "pip install 'otel-carbon[collector]' (or '.[collector]' in a clone)\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a graceful stop by signal")
def test_the_collector_runs_until_it_is_told_to_stop(config_file: Path) -> None:
    command = [sys.executable, "-m", "otel_carbon.cli", "collector", "--config", str(config_file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}) as process:
        assert process.stderr is not None
        try:
            endpoint = next(found[1] for line in process.stderr if (found := LISTENS.search(line)))
            with urllib.request.urlopen(f"http://{endpoint}/metrics", timeout=20) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            _, rest = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "stopped; nothing was left in the queues" in rest
