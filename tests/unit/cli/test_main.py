from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

import otel_carbon
from otel_carbon.cli import main as cli_main
from otel_carbon.cli.crash_report import without_values
from otel_carbon.cli.extras import distribution_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.cli.conftest import RunCli

PYTHON_CLI = [sys.executable, "-m", "otel_carbon.cli"]


@pytest.fixture
def _odd_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli_main.COMMANDS, "end", "tests.unit.cli.odd_commands:end")


@pytest.mark.usefixtures("_odd_command")
@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_code_that_a_command_returns_is_the_exit_code(run_cli: RunCli, code: int) -> None:
    assert run_cli("end", str(code)) == (code, "", "")


@pytest.mark.usefixtures("_odd_command")
@pytest.mark.parametrize(
    ("way", "code", "message"),
    [
        ("ours", 2, "Error: the registry is broken\n"),
        ("file", 2, "Error: /some/file: Permission denied\n"),
        ("file-in-click", 2, "Error: Could not open file '/some/file': unreadable\n"),
        ("interrupt", 130, "\ninterrupted\n"),
        (
            "extra",
            2,
            (
                "Error: this command needs the package a_package_that_nobody_has; "
                "install it with: pip install 'otel-carbon[collector]' (or '.[collector]' in a clone)\n"
            ),
        ),
    ],
)
def test_each_error_has_its_exit_code_and_message(run_cli: RunCli, way: str, code: int, message: str) -> None:
    assert run_cli("end", way) == (code, "", message)


@pytest.mark.usefixtures("_odd_command")
def test_an_unexpected_error_is_reported_without_values_or_content(run_cli: RunCli) -> None:
    code, out, err = run_cli("end", "bug", "--secret", "hunter2")
    assert (code, out) == (70, "")
    first, _, _, command, hint = err.splitlines()
    assert first.startswith("Error: unexpected RuntimeError in main.py:")
    assert command == "  otel-carbon end bug --secret ..."
    assert hint.startswith("Set OTEL_CARBON_DEBUG=1")
    assert "hunter2" not in err
    assert "hello" not in err


@pytest.mark.usefixtures("_odd_command")
def test_the_traceback_is_printed_when_debugging(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_CARBON_DEBUG", "1")
    code, _, err = run_cli("end", "bug")
    assert code == 70
    assert err.endswith("RuntimeError: the prompt was: hello\n")


@pytest.mark.usefixtures("_odd_command")
def test_a_missing_module_of_our_own_is_no_missing_extra(run_cli: RunCli) -> None:
    code, _, err = run_cli("end", "own-module")
    assert code == 70
    assert "ModuleNotFoundError" in err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("registry show energy/x@2026", "registry show ..."),
        ("estimate --model=gpt-4o --json", "estimate --model=... --json"),
        ("enrich private.json -oelsewhere.json", "enrich ... -o"),
        ("enrich -", "enrich ..."),
        ("enrich --registry facts", "enrich --registry ..."),
    ],
)
def test_a_reported_command_line_keeps_names_and_hides_values(arguments: str, shown: str) -> None:
    assert " ".join(without_values(arguments.split())) == shown


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("google", "protobuf"),
        ("google.protobuf", "protobuf"),
        ("google.rpc", "googleapis-common-protos"),
        ("opentelemetry.exporter.otlp.proto.http", "opentelemetry-exporter-otlp-proto-http"),
        ("grpc", "grpcio"),
        ("ruamel", "ruamel.yaml"),
        ("pydantic.fields", "pydantic"),
    ],
)
def test_a_missing_module_is_told_by_the_package_that_brings_it(module: str, package: str) -> None:
    assert distribution_of(module) == package


def test_version_is_that_of_the_package(run_cli: RunCli) -> None:
    assert run_cli("--version") == (0, f"otel-carbon {otel_carbon.__version__}\n", "")


def test_an_unknown_command_is_wrong_usage(run_cli: RunCli) -> None:
    code, out, err = run_cli("estimat")
    assert (code, out) == (2, "")
    assert "No such command 'estimat'" in err


def test_no_command_at_all_shows_the_help_as_wrong_usage(run_cli: RunCli) -> None:
    code, out, err = run_cli()
    assert (code, out) == (2, "")
    assert "Exit codes: 0 done" in err


def all_commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from all_commands(below, (*path, name))


COMMANDS = dict(all_commands(cli_main.cli))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example_and_explains_every_option(
    run_cli: RunCli, path: tuple[str, ...]
) -> None:
    code, out, err = run_cli(*path, "--help")
    assert (code, err) == (0, "")
    assert f"Example: otel-carbon {' '.join(path)}".rstrip() in out
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_a_command_is_imported_only_when_it_is_asked_for() -> None:
    code = (
        "import sys; from otel_carbon.cli.main import main; main(['--version']); "
        "print(sorted(m for m in sys.modules if m.startswith('otel_carbon.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    expected = ["otel_carbon.cli.crash_report", "otel_carbon.cli.exit_codes", "otel_carbon.cli.main"]
    assert done.stdout.splitlines()[1] == str(expected)


@pytest.mark.parametrize("arguments", [["--help"], ["registry", "list"], ["registry", "list", "--json"]])
def test_a_reader_that_leaves_early_is_no_error(arguments: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [*PYTHON_CLI, *arguments], stdout=write_end, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


def test_bash_completion_knows_the_commands() -> None:
    environment = {
        **os.environ,
        "_OTEL_CARBON_COMPLETE": "bash_complete",
        "COMP_WORDS": "otel-carbon e",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(PYTHON_CLI, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["plain,enrich", "plain,estimate"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_completion_line_asks_click_for_the_script_of_the_shell(run_cli: RunCli, shell: str) -> None:
    line = f'eval "$(_OTEL_CARBON_COMPLETE={shell}_source otel-carbon)"\n'
    assert run_cli("completion", shell) == (0, line, "")


def test_the_completion_line_of_fish_pipes_into_source(run_cli: RunCli) -> None:
    assert run_cli("completion", "fish") == (0, "_OTEL_CARBON_COMPLETE=fish_source otel-carbon | source\n", "")
