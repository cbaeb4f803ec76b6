from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.unit.cli.conftest import RunCli


def test_a_port_that_cannot_be_is_wrong_usage(run_cli: RunCli) -> None:
    code, _, err = run_cli("demo", "--port", "70000")
    assert code == 2
    assert "Invalid value for '--port': 70000 is not in the range 0<=x<=65535." in err


def test_an_output_that_is_a_file_is_wrong_usage(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    code, _, err = run_cli("demo", "--out", str(tmp_path / "taken"))
    assert code == 2
    assert "taken' is a file" in err


def test_without_the_extra_the_install_line_is_printed(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("otel_carbon.demo", "otel_carbon.collector"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    code, out, err = run_cli("demo", "--no-serve")
    assert (code, out) == (2, "")
    assert (
        err == "Error: this command needs the package pydantic; install it with: "
        "pip install 'otel-carbon[demo]' (or '.[demo]' in a clone)\n"
    )


def test_an_address_without_a_scheme_is_wrong_usage(run_cli: RunCli) -> None:
    code, _, err = run_cli("demo", "--send-to", "localhost:4318")
    assert code == 2
    assert "Invalid value for '--send-to': localhost:4318 is no http:// or https:// URL" in err
