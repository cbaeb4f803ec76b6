from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from otel_carbon.capture.import_hook import ImportHook
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

NAME = "a_module_of_the_hook_tests"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / f"{NAME}.py").write_text("here = True\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    return NAME


def test_a_module_is_told_of_once_it_is_imported_and_complete(module: str) -> None:
    told: list[bool] = []
    before = list(sys.meta_path)
    ImportHook([module, "sys"], lambda found: told.append(getattr(found, "here", False)))
    assert told == [False]
    __import__(module)
    assert told == [False, True]
    assert sys.meta_path == before
    del sys.modules[module]


def test_a_hook_that_is_removed_tells_nothing(module: str) -> None:
    told: list[ModuleType] = []
    hook = ImportHook([module], told.append)
    hook.remove()
    __import__(module)
    assert told == []
    del sys.modules[module]


def test_a_module_that_does_not_exist_is_missing_as_ever() -> None:
    hook = ImportHook(["no_such_module_at_all"], lambda _module: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module_at_all'"):
        __import__("no_such_module_at_all")
    hook.remove()


LATER = """
import sys
from opentelemetry.sdk.trace import TracerProvider
import otel_carbon
otel_carbon.instrument(TracerProvider())
assert not {"httpx", "httpx2"} & set(sys.modules), "imported for nothing"
import httpx, httpx2
owners = (httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient)
print([hasattr(owner.send, "__wrapped__") for owner in owners])
"""


def test_packages_are_patched_when_the_application_imports_them_and_are_not_imported_for_it() -> None:
    assert programs.run([sys.executable, "-c", LATER], {}).stdout.strip() == "[True, True, True, True]"


def test_an_application_without_them_runs_without_them() -> None:
    program = "import otel_carbon, sys; otel_carbon.instrument(); print({'httpx', 'httpx2'} & set(sys.modules))"
    assert programs.run([sys.executable, "-c", program], {}).stdout.strip() == "set()"
