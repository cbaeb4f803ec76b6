from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.cli.main import COMMANDS
from tools import generate_cli_reference, generated_page

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).resolve().parents[2] / generate_cli_reference.PAGE


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == generate_cli_reference.cli_page()


def test_every_command_has_a_section() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"\n## otel-carbon {name}\n" not in text] == []


def test_check_reports_a_stale_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generated_page, "REPOSITORY", tmp_path)
    assert generate_cli_reference.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/reference/cli.md: out of date; run python tools/generate_cli_reference.py\n"
    assert list(tmp_path.iterdir()) == []


def test_generating_writes_the_page_and_then_the_check_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs/reference").mkdir(parents=True)
    monkeypatch.setattr(generated_page, "REPOSITORY", tmp_path)
    assert generate_cli_reference.main([]) == 0
    assert generate_cli_reference.main(["--check"]) == 0
