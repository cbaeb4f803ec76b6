"""Calls back when a module has been imported for the first time."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Patch = Callable[[ModuleType], None]


class ImportWatch(MetaPathFinder):
    """Finds nothing by itself: lets the other finders find a watched module and has its patch called after it ran."""

    def __init__(self, patches: Mapping[str, Patch]) -> None:
        self._patches = dict(patches)

    def start(self) -> None:
        """Patch what is imported already, and wait for the rest."""
        for name in list(self._patches):
            if name in sys.modules:
                _apply(self._patches.pop(name), sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol of finders
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """The module as others find it, with a loader that calls the patch; each is asked for once."""
        patch = self._patches.pop(fullname, None)
        if patch is None:
            return None
        spec = find_spec(fullname)  # comes by here again, and finds nothing to do
        if spec is not None and spec.loader is not None:
            spec.loader = _PatchingLoader(spec, spec.loader, patch)
        return spec


class _PatchingLoader(Loader):
    def __init__(self, spec: ModuleSpec, loader: Loader, patch: Patch) -> None:
        self._spec = spec
        self._loader = loader
        self._patch = patch

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _apply(self._patch, module)


def _apply(patch: Patch, module: ModuleType) -> None:
    with suppress(Exception):  # what cannot be observed is not, and the application goes on
        patch(module)
