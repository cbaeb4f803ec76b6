"""What to print, and to send us, when something breaks that should not."""

from __future__ import annotations

import platform
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "..."


def crash_report(error: Exception, arguments: Iterable[str], version: str, *, with_traceback: bool) -> str:
    """A report without anything private: no option values, no file names, no message of the error.

    Args:
        error: what happened.
        arguments: the command line after the program's name.
        version: of this package.
        with_traceback: append the traceback, message and all; for the user's own eyes first.
    """
    lines = [
        f"Error: unexpected {type(error).__name__} in {_place_of(error)}; this is a fault of otel-carbon.",
        "Please report it in the issue tracker of otel-carbon, with these lines:",
        f"  otel-carbon {version}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        f"  otel-carbon {' '.join(without_values(arguments))}",
    ]
    if with_traceback:
        lines.append("".join(traceback.format_exception(error)).rstrip())
    else:
        lines.append("Set OTEL_CARBON_DEBUG=1 and run it again for the traceback; read it before you pass it on.")
    return "\n".join(lines)


def without_values(arguments: Iterable[str]) -> Iterator[str]:
    """The command words and option names of a command line, with every other word hidden."""
    words_may_be_commands = True
    for argument in arguments:
        if argument.startswith("-") and len(argument) > 1:
            words_may_be_commands = False
            name, equals, _ = argument.partition("=")
            # `-ofile` holds its value without a sign between
            shown = name if name.startswith("--") else name[:2]
            yield f"{shown}={HIDDEN}" if equals else shown
        elif words_may_be_commands and argument.isalpha() and argument.islower():
            yield argument
        else:
            words_may_be_commands = False
            yield HIDDEN


def _place_of(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    ours = [frame for frame in frames if "otel_carbon" in Path(frame.filename).parts]
    last = (ours or list(frames))[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
