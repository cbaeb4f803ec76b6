"""Generates `docs/reference/cli.md`, the help of every command, from the commands themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import click

PAGE = Path("docs/reference/cli.md")
COMMAND = "python tools/generate_cli_reference.py"
WIDTH = 100

INTRODUCTION = """\
Results go to standard output, everything else to standard error.
There is no colour unless standard output is a terminal, and none when `NO_COLOR` is set.
`-o FILE` writes a file whole or not at all, and never over an input.
`otel-carbon completion SHELL` prints the line that turns on completion in bash, zsh or fish."""

EXIT_CODES = """\
| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the answer is no: a check failed |
| 2 | wrong usage or bad input; the message names the option, file, key or row |
| 3 | nothing could be estimated, or there are no data |
| 4 | could not decide |
| 70 | unexpected error; the message says how to report it, `OTEL_CARBON_DEBUG=1` adds the traceback |
| 130 | interrupted |"""

ENVIRONMENT = """\
| variable | meaning |
|---|---|
| `OTEL_CARBON_REGISTRY` | a compiled overlay of further facts, as `--registry` |
| `OTEL_CARBON_REGION` | `provider=region,...`: where a provider's calls run |
| `OTEL_CARBON_MODELS` | `name=model,provider/name=model,...`: the model behind a deployment or alias, \
as `--model-map` |
| `OTEL_CARBON_ACCOUNTING_POINT` | `service,-service,...`: services whose server spans count (`*`: all), \
and behind a minus gateways whose clients report the calls, as `--accounting-point` |
| `OTEL_CARBON_ATTRIBUTES` | `core` or `full`: what `enrich` adds to a span |
| `OTEL_CARBON_STRICT` | `true`: no estimate for models that are not registered themselves, as `--strict` |
| `OTEL_CARBON_GRID_TABLE` | a table of `grid refresh`: its intensities by the hour are used, as `--grid-table` |
| `OTEL_CARBON_ELECTRICITY_MAPS_KEY` | your key of Electricity Maps; only `grid refresh` reads it |
| `OTEL_CARBON_PROMETHEUS_URL` | where Prometheus is, as `budget status --prometheus` |
| `OTEL_CARBON_PROMETHEUS_TOKEN` | sent to that Prometheus as a bearer token |
| `OTEL_CARBON_DEBUG` | any text: print the traceback of an unexpected error |
| `NO_COLOR` | any text: no colour |"""


def cli_page() -> str:
    """The text of the page."""
    from otel_carbon.cli.main import PROGRAM, cli

    blocks = ["# Command line", f"<!-- Generated from the commands' help by `{COMMAND}`; do not edit. -->"]
    blocks += [INTRODUCTION, "## Exit codes", EXIT_CODES, "## Environment", ENVIRONMENT]
    for name, text in _helps(PROGRAM, cli, None):
        blocks.append(f"## {name}\n\n```text\n{text}\n```")
    return "\n\n".join(blocks) + "\n"


def _helps(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    import click

    context = click.Context(
        command,
        parent,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
        color=False,
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from _helps(below, found, context)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with `--check` only compare; 0 done, 1 drift."""
    return write_or_check(PAGE, cli_page, command=COMMAND, about=__doc__, arguments=arguments)


if __name__ == "__main__":
    raise SystemExit(main())
