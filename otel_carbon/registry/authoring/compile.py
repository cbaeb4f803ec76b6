"""A directory of facts compiled to the bytes that the run-time side reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.errors import AuthoringError
from otel_carbon.registry.authoring.check import checked
from otel_carbon.registry.compiled import compiled_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry


def compile_directory(directory: Path, base: CompiledRegistry | None) -> bytes:
    """The canonical compiled form of a directory; the same sources always give the same bytes.

    Args:
        directory: holds the YAML files.
        base: the registry that the directory is an overlay of (its facts are referred to, not copied), or None.

    Raises:
        AuthoringError: the sources have mistakes; it lists all of them.
        MissingExtra: ruamel.yaml is not installed.
    """
    assembled, problems = checked(directory, base)
    if problems:
        raise AuthoringError(tuple(str(problem) for problem in problems))
    version = assembled.documents.version
    aliases = {alias: str(entry.content) for alias, entry in assembled.documents.aliases.items()}
    return compiled_bytes(str(version.content) if version else "", assembled.sources, assembled.facts, aliases)
