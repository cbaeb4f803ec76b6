from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.console import Console
from otel_carbon.cli.doctor_json import doctor_json
from otel_carbon.cli.doctor_page import show_doctor
from otel_carbon.doctor.examine import findings_of
from otel_carbon.doctor.observations import Probe
from tests.support.golden import check_golden
from tests.unit.doctor.cases import CALL, ENDPOINT, HTTP, REPORT, RUN, STATIC

if TYPE_CHECKING:
    from otel_carbon.doctor.observations import Examined
    from tests.unit.cli.conftest import RunCli

GOLDEN = Path(__file__).parent / "golden"
ILL = replace(
    RUN,
    probes=(Probe(ENDPOINT, HTTP, "", -3600.0),),
    reports=(
        replace(
            REPORT,
            providers_refused=1,
            calls=(
                CALL,
                replace(CALL, model="gtp-4o", match="generic", count=2),
                replace(CALL, region="USA", region_evidence="default", count=1),
            ),
        ),
    ),
)


@pytest.fixture(autouse=True)
def _no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


def send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for signal in ("TRACES", "METRICS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "none")


def page(examined: Examined) -> str:
    out = io.StringIO()
    show_doctor(Console(out, out), examined, findings_of(examined))
    return out.getvalue()


@pytest.mark.parametrize(("name", "examined"), [("static", STATIC), ("well", RUN), ("ill", ILL)])
def test_the_page(name: str, examined: Examined) -> None:
    check_golden(GOLDEN / f"doctor-{name}.txt", page(examined))


def test_the_json() -> None:
    check_golden(GOLDEN / "doctor-ill.json", doctor_json(ILL, findings_of(ILL)))


def test_an_environment_that_sends_nothing_is_well(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    send_nothing(monkeypatch)
    ran = run_cli("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\nNothing is wrong.\n")


def test_an_environment_that_is_wrong_is_told_as_json(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    send_nothing(monkeypatch)
    monkeypatch.setenv("OTEL_CARBON_REGION", "openai=eastus-9")
    ran = run_cli("doctor", "--json")
    document = json.loads(ran.out)
    assert (ran.code, ran.err, document["status"]) == (1, "", "wrong")
    assert [found["code"] for found in document["findings"]] == ["region_unknown"]
    assert document["command"] is None


def test_the_report_may_go_to_a_file(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    send_nothing(monkeypatch)
    assert run_cli("doctor", "-o", str(tmp_path / "page")) == (0, "", "")
    assert (tmp_path / "page").read_text(encoding="utf-8").endswith("\nNothing is wrong.\n")


def test_the_shell_completes_the_command_as_files() -> None:
    line = {"COMP_WORDS": "otel-carbon doctor -- ap", "COMP_CWORD": "3", "_OTEL_CARBON_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", "from otel_carbon.cli.main import cli; cli(prog_name='otel-carbon')"],
        env={**os.environ, **line},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("file,ap\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeout", "5"], "--timeout needs a command, as in: otel-carbon doctor --timeout 30 -- python app.py"),
        (["--timeout", "0", "--", "true"], "0.0 is not in the range x>0"),
        (["--what"], "No such option '--what'"),
    ],
)
def test_wrong_usage(run_cli: RunCli, arguments: list[str], message: str) -> None:
    ran = run_cli("doctor", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
