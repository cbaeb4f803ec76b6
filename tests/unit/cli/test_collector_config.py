from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.config_findings import show_findings
from otel_carbon.collector.config.schema import config_schema
from otel_carbon.collector.config.source.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

CONFIG = """\
receivers:
  otlp: {protocols: {http: {endpoint: "localhost:0"}}}
processors:
  carbon: {atributes: full}
exporters:
  otlp_http: {endpoint: "http://x:1", headers: {a: canary}, timeout: 5}
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [otlp_http]}
"""
FIXES = ("--set", "exporters.otlp_http.timeout=5s", "--set", "processors.carbon=")


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "c.yaml"


@pytest.mark.usefixtures("config_file")
@pytest.mark.parametrize("command", [("collector", "validate"), ("collector",)])
def test_each_mistake_is_shown_with_its_line_and_a_mark(run_cli: RunCli, command: tuple[str, ...]) -> None:
    code, out, err = run_cli(*command, "--config", "c.yaml")
    assert (code, out) == (2, "")
    assert (
        err
        == """\
c.yaml:4: processors.carbon.atributes: unknown key; did you mean 'attributes'?
     4 |   carbon: {atributes: ***}
       |            ^^^^^^^^^
c.yaml:6: exporters.otlp_http.timeout: must be a duration with its unit, such as 5s, 200ms or 1m30s
     6 |   otlp_http: {endpoint: "http://x:1", headers: {a: ***}, timeout: 5}
       |                                                          ^^^^^^^
warning: c.yaml:7: exporters.debug: is declared but not named in any pipeline; it does not run
     7 |   debug:
       |   ^^^^^
Error: 2 mistakes in the configuration
"""
    )


@pytest.mark.usefixtures("config_file")
def test_settings_of_the_command_line_mend_a_file(run_cli: RunCli) -> None:
    code, out, err = run_cli("collector", "validate", "--config", "c.yaml", *FIXES)
    assert (code, out) == (0, "c.yaml: valid\n")
    assert err.startswith("warning: c.yaml:7: exporters.debug: is declared")


def test_several_files_are_one_configuration(run_cli: RunCli, config_file: Path) -> None:
    top = config_file.with_name("top.yaml")
    top.write_text("exporters: {otlp_http: {timeout: 5s}, debug: }\nprocessors: {carbon: }\n", encoding="utf-8")
    code, out, _ = run_cli("collector", "validate", "--config", "c.yaml", "--config", "top.yaml")
    assert (code, out) == (0, "c.yaml, top.yaml: valid\n")


@pytest.mark.usefixtures("config_file")
def test_mistakes_as_json_tell_where_they_are(run_cli: RunCli) -> None:
    code, out, err = run_cli("collector", "validate", "--json", "--config", "c.yaml")
    assert (code, err) == (2, "")
    document = json.loads(out)
    assert {key: document[key] for key in ("valid", "files")} == {"valid": False, "files": ["c.yaml"]}
    assert document["mistakes"][0] == {
        "file": "c.yaml",
        "line": 4,
        "column": 12,
        "width": 9,
        "key": "processors.carbon.atributes",
        "message": "unknown key; did you mean 'attributes'?",
        "written": "  carbon: {atributes: ***}",
    }
    assert [each["key"] for each in document["mistakes"][1:]] == ["exporters.otlp_http.timeout"]
    assert [each["key"] for each in document["warnings"]] == ["exporters.debug"]
    assert "canary" not in out


@pytest.mark.usefixtures("config_file")
def test_a_valid_configuration_as_json_keeps_its_warnings(run_cli: RunCli) -> None:
    code, out, err = run_cli("collector", "validate", "--json", "--config", "c.yaml", *FIXES)
    document = json.loads(out)
    assert (code, err, document["valid"], document["mistakes"]) == (0, "", True, [])
    assert [each["key"] for each in document["warnings"]] == ["exporters.debug"]


def test_settings_before_the_subcommand_are_refused(run_cli: RunCli) -> None:
    code, _, err = run_cli("collector", "--set", "a=b", "validate", "--config", "x")
    assert code == 2
    assert "write --set after validate" in err


def test_a_wrong_setting_keeps_the_built_in_configuration_from_running(run_cli: RunCli) -> None:
    code, _, err = run_cli("collector", "--set", "exporters.prometheus.endpont=localhost:0")
    assert code == 2
    assert err.startswith("--set: exporters.prometheus.endpont: unknown key; did you mean 'endpoint'?")


def test_the_schema_is_printed(run_cli: RunCli) -> None:
    code, out, _ = run_cli("collector", "schema")
    assert code == 0
    assert json.loads(out) == config_schema()


def test_components_are_listed_for_people_and_programs(run_cli: RunCli) -> None:
    code, out, _ = run_cli("collector", "components")
    assert code == 0
    (line,) = (line for line in out.splitlines() if "otlp_http" in line)
    assert line.split(maxsplit=4)[:4] == ["exporter", "otlp_http,", "otlphttp", "alpha"]
    listed = json.loads(run_cli("collector", "components", "--json").out)
    assert {
        "kind": "exporter",
        "type": "otlp_http",
        "older_names": ["otlphttp"],
        "stability": "alpha",
        "summary": "Sends to a backend by OTLP/HTTP with protobuf bodies.",
    } in listed


def test_the_shell_completes_the_commands_of_the_collector() -> None:
    environment = {**os.environ, "_OTEL_CARBON_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    environment["COMP_WORDS"] = "otel-carbon collector "
    command = [sys.executable, "-m", "otel_carbon.cli"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert {"plain,components", "plain,schema", "plain,validate"} <= set(ran.stdout.split())


def test_a_long_line_is_cut_around_what_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    written = "a" * 200 + "key" + "b" * 200
    show_findings((Finding("c.yaml", 1, 201, 3, "key", "is wrong", written),), ())
    _, line, mark, _ = capsys.readouterr().err.splitlines()
    assert len(line) < 120
    assert line[mark.index("^") : mark.rindex("^") + 1] == "key"


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
@pytest.mark.parametrize(("setting", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_the_mark_is_coloured_on_a_terminal_unless_no_color_is_set(
    config_file: Path, setting: dict[str, str], *, coloured: bool
) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    command = [sys.executable, "-m", "otel_carbon.cli", "collector", "validate", "--config", str(config_file)]
    reader, terminal = pty.openpty()
    try:
        ran = subprocess.run(command, stderr=terminal, env={**environment, **setting}, check=False, timeout=60)
    finally:
        os.close(terminal)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert ran.returncode == 2
    assert ("\x1b[31m" in shown) == coloured
    assert "^^^^^^^^^" in shown
