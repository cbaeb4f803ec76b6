"""Where results go: standard output, or a file that is replaced at once or not at all."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Command = Callable[..., Any]

STANDARD_STREAM = Path("-")


def output_option(command: Command) -> Command:
    """The option `-o/--output`, as the parameter `output`."""
    option = click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        default="-",
        metavar="FILE",
        help="Write the result to FILE, whole or not at all; - is standard output (the default).",
    )
    return option(command)


@contextmanager
def result_console(output: Path, inputs: Sequence[Path] = ()) -> Iterator[Console]:
    """A console for the result: the terminal, or plain text that ends up in the file when all went well."""
    if output == STANDARD_STREAM:
        yield Console(sys.stdout, sys.stderr)
        return
    refuse_own_input(output, inputs)
    text = StringIO()
    yield Console(text, sys.stderr)
    write_file(output, text.getvalue().encode())


def write_result(body: bytes, output: Path, inputs: Sequence[Path] = ()) -> None:
    """Write a whole result to a file, or to standard output.

    Raises:
        click.UsageError: the file is one of the inputs.
        OSError: it cannot be written.
    """
    if output == STANDARD_STREAM:
        sys.stdout.flush()
        binary = sys.stdout.buffer
        binary.write(body)
        binary.flush()
        return
    refuse_own_input(output, inputs)
    write_file(output, body)


def refuse_own_input(output: Path, inputs: Sequence[Path]) -> None:
    """Raise `click.UsageError` when the output is one of the inputs, under whatever name."""
    for path in inputs:
        if path != STANDARD_STREAM and output.exists() and path.exists() and output.samefile(path):
            msg = f"-o {output} is the input itself; choose another file"
            raise click.UsageError(msg)


def write_file(path: Path, body: bytes) -> None:
    """Replace a file in one step: readers see the old one or the new one, never a part.

    Raises:
        OSError: it cannot be written; the old file is untouched.
    """
    target = path.resolve()  # a link stays a link
    if target.exists() and not target.is_file():
        target.write_bytes(body)  # a device or a pipe cannot be replaced
        return
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o777)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        # The user knows the name he gave, not that of the draft.
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
