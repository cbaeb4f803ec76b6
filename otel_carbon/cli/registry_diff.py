"""`otel-carbon registry diff`: what changed from one registry to another, and what that does to figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from otel_carbon.change_effects import effect_on_usage
from otel_carbon.cli import exit_codes
from otel_carbon.cli.output import output_option, result_console, write_result
from otel_carbon.cli.registry_choice import day_from_text
from otel_carbon.cli.registry_diff_forms import difference_json, show_difference
from otel_carbon.cli.usage_lines import calls_from_file, sample_calls
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled, read_compiled
from otel_carbon.registry.differences import difference_between

BUNDLED = "bundled"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--usage",
    "usage_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Calls to estimate by both, as JSON lines with provider, model, region, date and token counts named as in "
    "Python; a sample of ten calls unless given.",
)
@click.option("--all", "with_added", is_flag=True, help="List facts that were merely added too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with all changes and with ranges.")
@click.option("--exit-code", "tells", is_flag=True, help="Exit 1 when a fact or a source differs.")
@output_option
def diff(
    first: str, second: str, usage_file: Path | None, output: Path, *, with_added: bool, as_json: bool, tells: bool
) -> int:
    """Show what changed from registry A to registry B, and what that does to energy and emissions of calls.

    A and B are each a compiled file, `bundled`, or a date: the bundled facts as they were known on that day. A file
    that shares no fact with the bundled ones is an overlay and is laid on top of them.

    Example: otel-carbon registry diff 2026-11-22 bundled
    """
    before, after = _registry_named(first), _registry_named(second)
    calls = calls_from_file(usage_file) if usage_file else sample_calls()
    difference, effect = difference_between(before, after), effect_on_usage(before, after, calls)
    inputs = [Path(name) for name in (first, second) if Path(name).is_file()] + ([usage_file] if usage_file else [])
    if as_json:
        document = difference_json(before, after, difference, effect)
        write_result((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode(), output, inputs)
    else:
        with result_console(output, inputs) as console:
            show_difference(console, (first, second), difference, effect, with_added=with_added)
    return exit_codes.ANSWER_IS_NO if tells and difference else exit_codes.DONE


def _registry_named(name: str) -> Registry:
    """The registry that an argument stands for.

    Raises:
        click.BadParameter: it is neither a file, nor `bundled`, nor a date.
        RegistryError: the file is no compiled registry.
    """
    if name == BUNDLED:
        return Registry.bundled()
    path = Path(name)
    if path.is_file():
        if read_compiled(path).facts.keys() & read_bundled().facts.keys():
            return Registry.from_file(path)
        click.echo(f"{name} shares no fact with the bundled ones: taken as an overlay on top of them", err=True)
        return Registry.bundled().with_overlay(path)
    if _DATE.fullmatch(name):
        return Registry.bundled().as_of(day_from_text(name))
    msg = f"{name!r} is no file, no date and not {BUNDLED!r}; compile YAML with `otel-carbon registry compile` first"
    raise click.BadParameter(msg)
