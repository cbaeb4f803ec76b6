"""Commands run in this process, in an environment without our variables."""

from __future__ import annotations

import os
from typing import NamedTuple, Protocol

import pytest

from otel_carbon.cli.main import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class RunCli(Protocol):
    def __call__(self, *arguments: str) -> Ran: ...


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("OTEL_CARBON_") or name == "NO_COLOR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str]) -> RunCli:
    def run(*arguments: str) -> Ran:
        code = main(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
