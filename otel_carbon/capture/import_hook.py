"""Something done to a module as soon as the application imports it, and not before."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ImportHook:
    """Calls `then` with each of the named modules, once imported; with those that are, at once.

    It stands first among the finders until all have come, or `remove` is called.
    """

    def __init__(self, names: Sequence[str], then: Callable[[ModuleType], None]) -> None:
        self._then = then
        self._waiting = {name for name in names if name not in sys.modules}
        for name in names:
            if name in sys.modules:
                then(sys.modules[name])
        if self._waiting:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Wait no longer."""
        self._waiting.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders have for a module that is waited for, with a loader that tells us."""
        if name not in self._waiting:
            return None
        self._waiting.discard(name)
        if not self._waiting:
            self.remove()
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((found for finder in others if (found := finder.find_spec(name, path, target))), None)
        if spec is not None and spec.loader is not None:
            _tell_after(spec.loader, self._then)
        return spec


def _tell_after(loader: Loader, then: Callable[[ModuleType], None]) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        then(module)

    with suppress(AttributeError):  # of a loader that takes no attributes; then the module is not told of
        loader.exec_module = exec_module  # type: ignore[method-assign]  # a loader is made for each module
