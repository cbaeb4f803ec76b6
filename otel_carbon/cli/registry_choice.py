"""Which registry a command works with: the bundled facts, an overlay on top, as known on a day."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Command = Callable[..., Any]


def day_from_text(text: str) -> date:
    """Read the value of a date option.

    Raises:
        click.BadParameter: it is not YEAR-MONTH-DAY.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no date; write YEAR-MONTH-DAY, such as 2026-03-31"
        raise click.BadParameter(msg) from None


def time_from_text(text: str) -> date:
    """Read a day, or a moment such as 2026-03-31T14:00Z; without a time zone it is taken as UTC.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        return datetime.fromisoformat(text) if "T" in text else day_from_text(text)
    except ValueError:
        msg = f"{text!r} is no date; write YEAR-MONTH-DAY, or a moment such as 2026-03-31T14:00Z"
        raise click.BadParameter(msg) from None


def registry_option(command: Command) -> Command:
    """The option `--registry`, as the parameter `registry_file`."""
    option = click.option(
        "--registry",
        "registry_file",
        type=click.Path(path_type=Path),
        envvar="OTEL_CARBON_REGISTRY",
        show_envvar=True,
        metavar="FILE",
        help="A compiled overlay of further facts on top of the bundled ones.",
    )
    return option(command)


def as_of_option(command: Command) -> Command:
    """The option `--as-of`, as the parameter `as_of`."""
    option = click.option(
        "--as-of", type=day_from_text, metavar="DATE", help="Use the registry as it was known on that day."
    )
    return option(command)


def strict_option(command: Command) -> Command:
    """The option `--strict`, as the parameter `strict`."""
    option = click.option(
        "--strict",
        is_flag=True,
        envvar="OTEL_CARBON_STRICT",
        show_envvar=True,
        help="No estimate for models that only their family, their size class or any model stands for.",
    )
    return option(command)


def chosen_registry(registry_file: Path | None, as_of: date | None = None) -> Registry:
    """The registry that the options ask for.

    Raises:
        RegistryError: the overlay cannot be read, or redefines an id.
    """
    registry = Registry.bundled()
    if registry_file is not None:
        registry = registry.with_overlay(registry_file)
    return registry if as_of is None else registry.as_of(as_of)
