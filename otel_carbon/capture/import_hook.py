"""Something done to a module whenever the application has imported it, and not before."""

from __future__ import annotations

import sys
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_RUNS = "_initializing"
"""What the import system notes on the spec of a module while it executes it, and itself goes by."""


class ImportHook:
    """Calls `then`, which must not raise, with each of the named modules: now if it is there, and after each import.

    A module is told of when its import has ended well, and sometimes again.
    The hook stands first among the finders until `remove` is called, since a look-up need not be an import.
    """

    def __init__(self, names: Sequence[str], then: Callable[[ModuleType], None]) -> None:
        self._then = then
        self._names = frozenset(names)
        self._finding: set[tuple[int, str]] = set()
        sys.meta_path.insert(0, self)  # before looking, so that no import begins in between
        for name in names:
            self._look_at(name)

    def remove(self) -> None:
        """Tell of nothing more."""
        self._names = frozenset()
        with suppress(ValueError):
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the finders behind have for a named module, with a loader that tells us."""
        if name not in self._names:
            self._look_at(name.partition(".")[0])  # a package imports a part: its import may be older than the hook
            return None
        finding = (get_ident(), name)
        if finding in self._finding:  # by a finder that asks all others, us too
            return None
        self._finding.add(finding)
        try:
            spec = self._found_behind(name, path, target)
        finally:
            self._finding.discard(finding)
        if spec is not None and spec.loader is not None and not self._is_told_by(spec.loader):
            with suppress(AttributeError):  # of a loader that takes no attributes, and is watched as an older one
                spec.loader.exec_module = _Telling(spec.loader.exec_module, self)  # type: ignore[method-assign]  # only here
        return spec

    def tell(self, name: str) -> None:
        """Take the name of a module that has been executed, or tried."""
        module = sys.modules.get(name)
        if module is not None and name in self._names:
            self._then(module)

    def _found_behind(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        finders = iter(list(sys.meta_path))
        if not any(finder is self for finder in finders):  # removed since
            return None
        finds = (getattr(finder, "find_spec", None) for finder in finders)
        return next((spec for find in finds if find is not None and (spec := find(name, path, target))), None)

    def _is_told_by(self, loader: Loader | None) -> bool:
        execute = getattr(loader, "exec_module", None)
        return isinstance(execute, _Telling) and execute.hook is self

    def _look_at(self, name: str) -> None:
        if name not in self._names or name not in sys.modules:
            return
        spec = getattr(sys.modules[name], "__spec__", None)
        if spec is None or not getattr(spec, _RUNS, False):
            self.tell(name)
        elif not self._is_told_by(spec.loader):
            _call_at_end(spec, lambda: self.tell(name))


class _Telling:
    """`exec_module` of a loader, which tells a hook of what it has executed."""

    __slots__ = ("_execute", "hook")

    def __init__(self, execute: Callable[[ModuleType], None], hook: ImportHook) -> None:
        self._execute = execute
        self.hook = hook

    def __call__(self, module: ModuleType) -> None:
        self._execute(module)
        self.hook.tell(module.__name__)


def _call_at_end(spec: ModuleSpec, then: Callable[[], None]) -> None:
    """Call `then` as soon as the thread that executes a module has ended, well or not; nobody waits for it.

    The import system changes its note on the spec then: the spec gets a class that hears of it.
    """
    kind = type(spec)

    class Watched(kind):  # type: ignore[misc,valid-type]  # whatever kind of spec it is
        @property
        def _initializing(self) -> bool:
            return bool(vars(self)[_RUNS])

        @_initializing.setter
        def _initializing(self, runs: bool) -> None:
            self.__class__ = kind  # type: ignore[assignment]  # what it was
            self._initializing = runs
            then()

    with suppress(TypeError):  # of a spec that keeps its class
        spec.__class__ = Watched
        if not vars(spec)[_RUNS]:  # it ended meanwhile
            spec.__class__ = kind
            then()
