"""The compiled dialects are what their sources say, and what cannot be said is refused with its file and key."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from otel_carbon.core.assumptions import ASSUMPTIONS
from otel_carbon.spans import counts
from otel_carbon.spans.dialect import COMPILED, COUNT_FIELDS, known_dialects
from tools import generate_dialects

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = """\
name = "small"
title = "A small dialect"
trust = 1
"""


OUTPUTS = {"COMPILED": COMPILED, "PAGE": generate_dialects.PAGE}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sources."""
    copy = tmp_path / "dialects"
    shutil.copytree(COMPILED.parent, copy)
    return copy


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Where the generator writes for the time of a test."""
    elsewhere = {name: tmp_path / path.name for name, path in OUTPUTS.items()}
    for name, path in elsewhere.items():
        monkeypatch.setattr(generate_dialects, name, path)
    return elsewhere


def compiled(folder: Path) -> str:
    return generate_dialects.compiled(*generate_dialects.authored(folder))


def test_compiled_file_is_what_the_dialects_say() -> None:
    assert COMPILED.read_text(encoding="utf-8") == compiled(COMPILED.parent)


@pytest.mark.parametrize(
    "start", [["tools/generate_dialects.py"], ["-m", "tools.generate_dialects"]], ids=["file", "module"]
)
def test_check_from_the_command_line_finds_no_drift(start: list[str]) -> None:
    command = [sys.executable, *start, "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_changed_dialect_is_noticed_as_drift(folder: Path) -> None:
    (folder / "small.toml").write_text(SMALL, encoding="utf-8")
    changed = compiled(folder)
    assert changed != COMPILED.read_text(encoding="utf-8")
    assert "small" in [record["name"] for record in json.loads(changed)["dialects"]]


@pytest.mark.parametrize("stale", OUTPUTS)
@pytest.mark.parametrize("contents", ["{}", None], ids=["changed", "missing"])
def test_check_reports_a_stale_file_and_writes_nothing(
    outputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, stale: str, contents: str | None
) -> None:
    for name, path in OUTPUTS.items():
        shutil.copyfile(path, outputs[name])
    outputs[stale].unlink()
    if contents is not None:
        outputs[stale].write_text(contents, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["generate_dialects.py", "--check"])
    with pytest.raises(SystemExit) as refused:
        generate_dialects.main()
    assert str(refused.value).startswith(str(outputs[stale]))
    assert str(refused.value).endswith("run: python tools/generate_dialects.py")
    assert (outputs[stale].read_text(encoding="utf-8") if outputs[stale].exists() else None) == contents


def test_generating_writes_the_files_and_then_the_check_passes(
    outputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in ([], ["--check"]):
        monkeypatch.setattr(sys, "argv", ["generate_dialects.py", *arguments])
        generate_dialects.main()
    written = {name: path.read_text(encoding="utf-8") for name, path in outputs.items()}
    assert written == {name: path.read_text(encoding="utf-8") for name, path in OUTPUTS.items()}


MISTAKES = {
    "extends: there is no dialect 'nobody'": 'extends = "nobody"',
    "marker: no such key": 'marker = ["x"]',
    "scopes: 'lib.' ends in a dot": 'scopes = ["lib."]',
    "keys.input_token: no such field": '[keys]\ninput_token = ["x"]',
    "keys.provider: only counts are read from within JSON": '[keys]\nprovider = ["usage#who"]',
    "rule 1: roles: no such key": '[[rule]]\nwhen = {}\nroles = "other"',
    "rule 2: role: 'chat' is none of inference": '[[rule]]\nwhen = {}\n[[rule]]\nwhen = {}\nrole = "chat"',
    "rule 1: input: 'whole' is none of includes_cache": '[[rule]]\nwhen = {}\ninput = "whole"',
    "rule 1: when.@count: no such thing to ask for": '[[rule]]\nwhen = { "@count" = true }',
    "rule 1: when.usage#in: of a JSON member only the presence": '[[rule]]\nwhen = { "usage#in" = ["5"] }',
}


@pytest.mark.parametrize(("message", "lines"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_refused_with_its_file_and_key(tmp_path: Path, message: str, lines: str) -> None:
    source = tmp_path / "small.toml"
    source.write_text(SMALL + lines + "\n", encoding="utf-8")
    with pytest.raises(SystemExit) as refused:
        compiled(tmp_path)
    assert str(refused.value).startswith(f"{source}: {message}")


def test_a_dialect_has_its_own_words_before_those_that_it_extends(tmp_path: Path) -> None:
    base = (
        'scopes = ["base"]\nmarkers = ["m"]\n[keys]\noperation = ["op"]\nprovider = ["who"]\n[operations]\na = "chat"\n'
    )
    (tmp_path / "a.toml").write_text(
        SMALL.replace("small", "base") + base + '[[rule]]\nwhen = {}\nrole = "other"\n', encoding="utf-8"
    )
    more = 'extends = "base"\nscopes = ["more"]\n[keys]\nprovider = ["who.else"]\n[operations]\nb = "chat"\n'
    (tmp_path / "b.toml").write_text(
        SMALL.replace("small", "more") + more + '[[rule]]\nnote = "why"\nwhen = { x = true }\nrole = "none"\n',
        encoding="utf-8",
    )
    found = {record["name"]: record for record in json.loads(compiled(tmp_path))["dialects"]}["more"]
    assert (found["scopes"], found["markers"]) == (["more"], ["m"])
    assert found["keys"] == {"operation": ["op"], "provider": ["who.else"]}
    assert found["operations"] == {"a": "chat", "b": "chat"}
    assert found["rules"] == [{"when": {"x": True}, "role": "none"}, {"when": {}, "role": "other"}]


def test_names_and_scopes_of_dialects_are_told_apart() -> None:
    everyone = known_dialects().all
    names = [dialect.name for dialect in everyone]
    scopes = [scope for dialect in everyone for scope in dialect.scopes]
    assert (len(set(names)), len(set(scopes))) == (len(names), len(scopes))


def test_dialects_whose_telltales_come_first_exist_and_the_general_one_is_last() -> None:
    names = [dialect.name for dialect in known_dialects().all]
    assert tuple(names[: len(generate_dialects.ORDER)]) == generate_dialects.ORDER
    assert names[-1] == "gen-ai"


def test_every_dialect_reads_counts_and_has_markers() -> None:
    for dialect in known_dialects().all:
        assert dialect.markers, dialect.name
        assert all(dialect.keys[name] for name in COUNT_FIELDS[:2]), dialect.name


def test_whatever_is_assumed_of_counts_has_a_sentence() -> None:
    by_rules = {
        rule.effects["assume"] for dialect in known_dialects().all for rule in dialect.rules if "assume" in rule.effects
    }
    by_basis = {
        getattr(counts, name)
        for name in dir(counts)
        if name.endswith(("_INPUT", "_OUTPUT", "_TOTAL", "_REPORTED")) and name[0] != "_"
    }
    assert len(by_basis) == 7
    elsewhere = {"details_from_twin", "input_not_reported", "request_model_taken"}
    assert by_rules | by_basis | elsewhere <= set(ASSUMPTIONS)
