"""A missing optional package becomes an install line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_carbon.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Wrap the imports of a command that needs an extra of this package.

    Raises:
        MissingExtra: a package of the extra is not installed; the message holds the install line.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "otel_carbon"):
            raise  # a fault of ours, which no installation mends
        msg = f"this command needs the package {missing}; install it with: pip install 'otel-carbon[{extra}]'"
        raise MissingExtra(msg) from error
