from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

from otel_carbon.capture.import_hook import ImportHook
from tests.unit.sdk import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "a_module_of_the_hook_tests"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that can be imported and is not."""
    write(tmp_path, "here = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    yield NAME
    sys.meta_path[:] = before
    purge()


def write(folder: Path, text: str) -> None:
    (folder / f"{NAME}.py").write_text(text, encoding="utf-8")
    importlib.invalidate_caches()


def purge() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def telling(told: list[bool]) -> ImportHook:
    """A hook that notes whether the module is complete."""
    return ImportHook([NAME], lambda found: told.append(getattr(found, "here", False)))


def test_a_module_is_told_of_once_it_is_imported_and_complete(module: str) -> None:
    told: list[bool] = []
    before = list(sys.meta_path)
    hook = ImportHook([module, "sys"], lambda found: told.append(getattr(found, "here", False)))
    assert told == [False]
    __import__(module)
    assert told == [False, True]
    hook.remove()
    assert sys.meta_path == before


def test_a_hook_that_is_removed_tells_nothing(module: str) -> None:
    told: list[bool] = []
    hook = telling(told)
    spec = importlib.util.find_spec(module)
    hook.remove()
    __import__(module)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(sys.modules[module])
    assert told == []


def test_a_module_that_does_not_exist_is_missing_as_ever() -> None:
    hook = ImportHook(["no_such_module_at_all"], lambda _module: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module_at_all'"):
        __import__("no_such_module_at_all")
    hook.remove()


def test_who_only_asks_whether_a_module_is_installed_does_not_use_the_hook_up(module: str) -> None:
    told: list[bool] = []
    telling(told)
    assert [importlib.util.find_spec(module) is not None for _ in range(3)] == [True] * 3
    assert told == []
    __import__(module)
    assert told == [True]


def test_an_import_that_fails_is_not_told_of_and_the_next_one_is(module: str, tmp_path: Path) -> None:
    told: list[bool] = []
    telling(told)
    write(tmp_path, "raise OSError('not yet')")
    with pytest.raises(OSError, match="not yet"):
        __import__(module)
    assert told == []
    write(tmp_path, "here = True")
    __import__(module)
    assert told == [True]


def test_a_module_that_is_dropped_and_imported_again_is_told_of_again(module: str) -> None:
    told: list[bool] = []
    telling(told)
    __import__(module)
    purge()
    __import__(module)
    assert told == [True, True]


def test_a_module_of_an_archive_is_told_of_alone_and_once_for_each_time(tmp_path: Path, module: str) -> None:
    """One loader serves all modules of an archive."""
    archive = tmp_path / "modules.zip"
    with ZipFile(archive, "w") as packed:
        packed.writestr(f"{NAME}.py", "here = True")
        packed.writestr("another_of_the_hook_tests.py", "here = True")
    (tmp_path / f"{NAME}.py").unlink()
    sys.path.insert(0, str(archive))
    told: list[bool] = []
    telling(told)
    for _ in range(3):
        importlib.util.find_spec(module)
    __import__(module)
    __import__("another_of_the_hook_tests")
    del sys.modules["another_of_the_hook_tests"]
    assert told == [True]


def test_a_module_that_is_loaded_when_it_is_first_used_is_told_of_then(module: str) -> None:
    told: list[bool] = []
    telling(told)
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules[module] = lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    assert told == []
    assert lazy.here is True
    assert told == [True]


IMPORTS_MORE = """
import threading
begun.set()
assert may_end.wait(60)
{middle}
here = True
"""


@pytest.mark.parametrize("middle", ["", "from a_module_of_the_hook_tests_part import one"])
@pytest.mark.parametrize("hooks", [1, 2])
def test_a_module_that_another_thread_is_importing_is_told_of_when_that_has_ended(
    module: str, tmp_path: Path, middle: str, hooks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    monkeypatch.setattr("builtins.begun", begun, raising=False)
    monkeypatch.setattr("builtins.may_end", may_end, raising=False)
    (tmp_path / f"{NAME}_part.py").write_text("one = 1", encoding="utf-8")
    write(tmp_path, IMPORTS_MORE.format(middle=middle))
    thread = threading.Thread(target=__import__, args=(module,))
    thread.start()
    assert begun.wait(60)
    told: list[bool] = []
    for _ in range(hooks):
        telling(told)
    early = list(told)
    may_end.set()
    thread.join()
    assert (early, told) == ([], [True] * hooks)
    assert type(sys.modules[module].__spec__) is ModuleSpec
    sys.modules.pop(f"{NAME}_part", None)


def test_an_import_that_fails_after_the_hook_has_come_is_told_of_when_it_succeeds(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    monkeypatch.setattr("builtins.come", lambda: telling(told), raising=False)
    write(tmp_path, "come()\nraise OSError('not yet')")
    with pytest.raises(OSError, match="not yet"):
        __import__(module)
    assert told == []
    write(tmp_path, "here = True")
    __import__(module)
    assert told == [True]


class BringsTheHook:
    """A finder before all others, in whose search the hook comes."""

    def __init__(self, told: list[bool]) -> None:
        self.told = told

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if name != NAME:
            return None
        telling(self.told)
        return PathFinder.find_spec(name, path)


def test_a_package_that_is_being_searched_for_when_the_hook_comes_is_told_of(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.py").unlink()
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "__init__.py").write_text(f"import {NAME}.part\nhere = True\n", encoding="utf-8")
    (tmp_path / NAME / "part.py").write_text("", encoding="utf-8")
    importlib.invalidate_caches()
    told: list[bool] = []
    sys.meta_path.insert(0, BringsTheHook(told))
    __import__(module)
    assert told == [True]


class AsksAll:
    """A finder that asks all others but itself, each time."""

    asked = 0

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        self.asked += 1
        others = [finder for finder in sys.meta_path if finder is not self]
        return next((found for each in others if (found := each.find_spec(name, path, target))), None)


@pytest.mark.parametrize("place", [0, 1])
def test_a_finder_that_asks_all_others_is_no_endless_loop(module: str, place: int) -> None:
    told: list[bool] = []
    telling(told)
    finder = AsksAll()
    sys.meta_path.insert(place, finder)
    __import__(module)
    assert (told, finder.asked) == ([True], 1)


def test_what_stands_among_the_finders_and_is_none_is_passed_over(module: str) -> None:
    told: list[bool] = []
    telling(told)
    sys.meta_path.insert(1, object())  # type: ignore[arg-type]  # as found in the wild
    assert sys.meta_path[0].find_spec(module, None) is not None


LATER = """
import importlib.util, sys
from opentelemetry.sdk.trace import TracerProvider
import otel_carbon
otel_carbon.instrument(TracerProvider())
packages = ("aiohttp", "httpx", "httpx2")
assert not {*packages, "yarl"} & set(sys.modules), "imported for nothing"
assert all(map(importlib.util.find_spec, packages))
import aiohttp, httpx, httpx2
owners = (httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient)
methods = (*(owner.send for owner in owners), aiohttp.ClientSession._request)
print([hasattr(method, "__wrapped__") for method in methods])
"""


def test_packages_are_patched_when_the_application_imports_them_and_are_not_imported_for_it() -> None:
    assert programs.run([sys.executable, "-c", LATER], {}).stdout.strip() == "[True, True, True, True, True]"


def test_an_application_without_them_runs_without_them() -> None:
    packages = "{'aiohttp', 'httpx', 'httpx2'}"
    program = f"import otel_carbon, sys; otel_carbon.instrument(); print({packages} & set(sys.modules))"
    assert programs.run([sys.executable, "-c", program], {}).stdout.strip() == "set()"
