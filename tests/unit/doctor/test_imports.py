"""The watch on imports, in Pythons of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.sdk import programs

if TYPE_CHECKING:
    from pathlib import Path

WATCH = """
import importlib, json, sys
sys.path.insert(0, {folder!r})
from otel_carbon.doctor.observer.imports import ImportWatch
seen = []
"""


def run(folder: Path, code: str) -> object:
    (folder / "watched.py").write_text("VALUE = 7\n", encoding="utf-8")
    return programs.python(WATCH.format(folder=str(folder)) + code)


def test_a_patch_is_called_once_with_the_finished_module(tmp_path: Path) -> None:
    code = """
ImportWatch({"watched": lambda module: seen.append(module.VALUE)}).start()
import watched
importlib.reload(watched)
loader = type(watched.__loader__).__name__, type(watched.__spec__.loader).__name__
print(json.dumps([seen, loader]))
"""
    assert run(tmp_path, code) == [[7], ["SourceFileLoader", "SourceFileLoader"]]


def test_a_module_that_is_there_already_is_patched_at_once(tmp_path: Path) -> None:
    code = """
import watched
ImportWatch({"watched": lambda module: seen.append(module.VALUE)}).start()
print(json.dumps(seen))
"""
    assert run(tmp_path, code) == [7]


def test_a_patch_that_fails_does_not_reach_whoever_imports(tmp_path: Path) -> None:
    code = """
ImportWatch({"watched": lambda module: 1 / 0, "not_there": seen.append}).start()
import watched
try:
    import not_there
except ModuleNotFoundError as error:
    seen.append(error.name)
print(json.dumps([watched.VALUE, seen]))
"""
    assert run(tmp_path, code) == [7, ["not_there"]]


def test_starting_to_observe_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = programs.python(
        "import json, sys; from otel_carbon.doctor.observer import start; "
        "told = ('otel_carbon.', 'opentelemetry', 'click'); "
        "print(json.dumps([name for name in sys.modules if name.startswith(told)]))"
    )
    assert sorted(loaded) == [
        "otel_carbon.doctor",
        "otel_carbon.doctor.observer",
        "otel_carbon.doctor.observer.imports",
        "otel_carbon.doctor.observer.journal",
        "otel_carbon.doctor.observer.notes",
        "otel_carbon.doctor.observer.patches",
        "otel_carbon.doctor.observer.start",
    ]
