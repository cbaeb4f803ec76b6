"""`otel-carbon completion`: the line that teaches a shell our commands and options."""

from __future__ import annotations

import click

SHELL_LINES = {
    "bash": 'eval "$(_OTEL_CARBON_COMPLETE=bash_source otel-carbon)"',
    "fish": "_OTEL_CARBON_COMPLETE=fish_source otel-carbon | source",
    "zsh": 'eval "$(_OTEL_CARBON_COMPLETE=zsh_source otel-carbon)"',
}


@click.command()
@click.argument("shell", type=click.Choice(sorted(SHELL_LINES)))
def completion(shell: str) -> None:
    """Print the line that turns on completion in a shell.

    It belongs into the start file of the shell.

    Example: otel-carbon completion bash >> ~/.bashrc
    """
    click.echo(SHELL_LINES[shell])
