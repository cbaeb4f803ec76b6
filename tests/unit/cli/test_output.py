from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from otel_carbon.cli.output import STANDARD_STREAM, refuse_own_input, result_console, write_file, write_result

if TYPE_CHECKING:
    from tests.unit.cli.conftest import RunCli


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_file(tmp_path / "result.json", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("result.json", b"new")]


def test_replacing_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_bytes(b"old")
    target.chmod(0o640)
    write_file(target, b"new")
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"new", 0o640)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_file(Path("/dev/null"), b"gone")
    assert Path("/dev/null").is_char_device()


def test_a_failed_command_leaves_the_old_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "result.txt"
    target.write_text("old")

    def fail_halfway() -> None:
        with result_console(target) as console:
            console.line("half of it")
            msg = "broken"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="broken"):
        fail_halfway()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("result.txt", "old")]


def test_standard_output_takes_bytes_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_result(b"\x00\xff", STANDARD_STREAM)
    assert capfdbinary.readouterr().out == b"\x00\xff"


def test_an_input_is_recognised_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "traces.json").write_text("{}")
    (tmp_path / "other").symlink_to(tmp_path / "traces.json")
    with pytest.raises(click.UsageError, match="is the input itself"):
        refuse_own_input(tmp_path / "other", [tmp_path / "traces.json"])
    refuse_own_input(tmp_path / "new", [tmp_path / "traces.json", STANDARD_STREAM])


def test_an_output_in_a_missing_directory_is_bad_input_and_named(run_cli: RunCli, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "list.txt"
    assert run_cli("registry", "list", "-o", str(target)) == (2, "", f"Error: {target}: No such file or directory\n")


@pytest.mark.parametrize("arguments", [("registry", "list"), ("registry", "list", "--json")])
def test_a_file_gets_what_standard_output_would(run_cli: RunCli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    printed = run_cli(*arguments).out
    assert run_cli(*arguments, "-o", str(tmp_path / "list")) == (0, "", "")
    assert (tmp_path / "list").read_text(encoding="utf-8") == printed
