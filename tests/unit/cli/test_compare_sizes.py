"""The file of `otel-carbon compare --ecologits-parameters`: what it may say, and how mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.compare_options import sizes_from_file
from otel_carbon.errors import ConfigError
from otel_carbon.methods.ecologits_tables import Ends, Size

if TYPE_CHECKING:
    from pathlib import Path

YAML = """\
models:
  openai/gpt-4o:
    active_b: [44, 132]
    total_b: 440
  acme/one:
    active_b: 8
    total_b: 8.5
"""
JSON = """\
{
  "models": {
    "openai/gpt-4o": {"active_b": [44, 132], "total_b": 440},
    "acme/one": {"active_b": 8, "total_b": 8.5}
  }
}
"""
SIZES = {
    "openai/gpt-4o": Size(Ends(44.0, 132.0), Ends(440.0, 440.0)),
    "acme/one": Size(Ends(8.0, 8.0), Ends(8.5, 8.5)),
}


def _problems(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        sizes_from_file(path)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(("name", "text"), [("sizes.yaml", YAML), ("sizes.json", JSON)])
def test_yaml_and_json_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert sizes_from_file(path) == SIZES


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("modls: {}\n", "1: models: is missing or empty; write such as models: {openai/gpt-4o"),
        ("models: {}\n", "1: models: is missing or empty"),
        ("models:\n  gpt-4o: {active_b: 1, total_b: 2}\n", "2: models.gpt-4o: is no provider/model"),
        ("models:\n  a/b:\n    active_b: 1\n", "2: models.a/b.total_b: is missing; billions of parameters"),
        (
            "models:\n  a/b:\n    active_b: 1\n    total_b: 2\n    gpus: 8\n",
            "5: models.a/b.gpus: is unknown; the keys are",
        ),
        (
            "models:\n  a/b:\n    active_b: 0\n    total_b: 2\n",
            "3: models.a/b.active_b: must be billions of parameters",
        ),
        ("models:\n  a/b:\n    active_b: [3, 2]\n    total_b: 4\n", "3: models.a/b.active_b: must be billions"),
        ("models:\n  a/b:\n    active_b: [1, 2, 3]\n    total_b: 4\n", "3: models.a/b.active_b: must be billions"),
        ("models:\n  a/b:\n    active_b: many\n    total_b: 4\n", "3: models.a/b.active_b: must be billions"),
        ("models:\n  a/b:\n    active_b: true\n    total_b: 4\n", "3: models.a/b.active_b: must be billions"),
        ("models:\n  a/b:\n    active_b: 5\n    total_b: 4\n", "3: models.a/b.active_b: is more than total_b"),
        ("models:\n  a/b: {active_b: 1, total_b: 2}\nmore: 1\n", "3: more: is unknown; the only key is models"),
        ("", "1: document: is empty"),
        ("models: [\n", "2: yaml: "),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = _problems(tmp_path / "sizes.yaml", text)
    assert found.startswith(problem)


def test_mistakes_in_json_have_lines_too(tmp_path: Path) -> None:
    text = JSON.replace('"total_b": 8.5', '"total_b": -1')
    (found,) = _problems(tmp_path / "sizes.json", text)
    assert found.startswith("4: models.acme/one.total_b: must be billions")
    (broken,) = _problems(tmp_path / "sizes.json", '{\n"models": \n')
    assert broken.startswith("3: json: ")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = "models:\n  a/b: {active_b: 0, total_b: 2}\n  c: {active_b: 1, total_b: 2}\n"
    assert len(_problems(tmp_path / "sizes.yaml", text)) == 2
