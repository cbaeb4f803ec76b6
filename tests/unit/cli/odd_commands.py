"""Commands that end in every way a command can end."""

from __future__ import annotations

import click

from otel_carbon.cli.extras import needs_extra
from otel_carbon.errors import RegistryError


@click.command()
@click.argument("way")
@click.option("--secret")
def end(way: str, secret: str | None) -> int:
    """End in the way that is asked for."""
    if way.isdigit():
        return int(way)
    if way == "extra":
        with needs_extra("collector"):
            import a_package_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401 - its absence is the point
    if way == "own-module":
        with needs_extra("collector"):
            import otel_carbon.no_such_module  # type: ignore[import-not-found]  # noqa: F401 - as above
    ends: dict[str, BaseException] = {
        "interrupt": KeyboardInterrupt(),
        "ours": RegistryError("the registry is broken"),
        "file": PermissionError(13, "Permission denied", "/some/file"),
        "file-in-click": click.FileError("/some/file", "unreadable"),
        "bug": RuntimeError("the prompt was: hello"),
    }
    raise ends[way]
