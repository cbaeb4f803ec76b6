"""`otel-carbon registry`: the facts and their sources; checking and compiling one's own."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.fact_names import facts_named, similar_ids
from otel_carbon.cli.fact_pages import fact_json, list_json, show_fact, show_list
from otel_carbon.cli.output import STANDARD_STREAM, output_option, result_console, write_result
from otel_carbon.cli.registry_choice import as_of_option, chosen_registry, registry_option
from otel_carbon.cli.registry_diff import diff
from otel_carbon.cli.registry_export import export
from otel_carbon.errors import UnknownFact
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.facts import FACT_KINDS

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.registry.catalog import Registry
    from otel_carbon.registry.compiled import CompiledRegistry
    from otel_carbon.registry.facts import Fact

BUNDLED_SOURCES = "data"
DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_standalone_option = click.option(
    "--standalone", is_flag=True, help="DIR is a whole registry, no overlay of the bundled facts."
)


@click.group()
def registry() -> None:
    """Show the facts behind every figure; check and compile your own; hand them to other programs.

    Example: otel-carbon registry show energy/openai/gpt-4o@2026-11
    """


registry.add_command(diff)
registry.add_command(export)


@registry.command("list")
@click.option("--kind", type=click.Choice(sorted(FACT_KINDS)), help="Only facts of that kind.")
@as_of_option
@registry_option
@_json_option
@output_option
def list_facts(kind: str | None, as_of: date | None, registry_file: Path | None, output: Path, *, as_json: bool) -> int:
    """List the facts of the registry.

    Exits 3 when there are none.

    Example: otel-carbon registry list --kind energy
    """
    chosen = chosen_registry(registry_file, as_of)
    facts = tuple(chosen.facts(kind))
    if as_json:
        write_result(_json_text(list_json(chosen, facts)), output)
    else:
        with result_console(output) as console:
            show_list(console, chosen, facts)
    if facts:
        return exit_codes.DONE
    click.echo("the registry has no such facts" + (f" known on {as_of}" if as_of else ""), err=True)
    return exit_codes.NOTHING_ESTIMATED


@registry.command("show")
@click.argument("fact_id", metavar="ID")
@as_of_option
@registry_option
@_json_option
@output_option
def show(fact_id: str, as_of: date | None, registry_file: Path | None, output: Path, *, as_json: bool) -> int:
    """Show one fact with its ranges, units, validity and sources.

    ID is the id of a fact, or the name of a model, region, zone, site or provider. A name that several facts go by
    lists them, so that one can be shown by its id.

    Example: otel-carbon registry show grid/USA-SRVC/location-lifecycle@2023
    """
    chosen = chosen_registry(registry_file, as_of)
    facts = _facts(chosen, fact_id)
    if as_json:
        document = fact_json(chosen, facts[0]) if len(facts) == 1 else list_json(chosen, facts)
        write_result(_json_text(document), output)
        return exit_codes.DONE
    with result_console(output) as console:
        if len(facts) == 1:
            show_fact(console, chosen, facts[0])
        else:
            show_list(console, chosen, facts)
    return exit_codes.DONE


@registry.command()
@click.argument("directory", metavar="[DIR]", required=False, type=DIRECTORY)
@_standalone_option
@output_option
def check(directory: Path | None, output: Path, *, standalone: bool) -> int:
    """Check YAML facts for mistakes.

    DIR is an overlay of the bundled facts; without it the bundled facts themselves are checked.
    Exits 1 when there is a problem.

    Example: otel-carbon registry check my-facts/
    """
    from otel_carbon.registry.authoring.check import check_directory

    with resources.as_file(_bundled_sources()) as bundled:
        problems = check_directory(directory or bundled, _base(directory or bundled, standalone=standalone))
    with result_console(output) as console:
        for problem in problems:
            console.line(problem)
        count = len(problems)
        console.line(f"{count} problem{'' if count == 1 else 's'}" if problems else "no problem found")
    return exit_codes.ANSWER_IS_NO if problems else exit_codes.DONE


@registry.command("compile")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@_standalone_option
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write the compiled registry to FILE, whole or not at all; - is standard output.",
)
def compile_facts(directory: Path, output: Path, *, standalone: bool) -> int:
    """Compile YAML facts for use.

    OTEL_CARBON_REGISTRY and --registry take the compiled form.

    Example: otel-carbon registry compile my-facts/ -o my-facts.json
    """
    from otel_carbon.registry.authoring.compile import compile_directory

    body = compile_directory(directory, _base(directory, standalone=standalone))
    write_result(body, output, sorted(directory.rglob("*.yaml")))
    if output != STANDARD_STREAM:
        click.echo(f"wrote {output}, {len(body):,} bytes; use it with OTEL_CARBON_REGISTRY={output}", err=True)
    return exit_codes.DONE


def _bundled_sources() -> resources.abc.Traversable:
    return resources.files("otel_carbon.registry").joinpath(BUNDLED_SOURCES)


def _base(directory: Path, *, standalone: bool) -> CompiledRegistry | None:
    """What a directory builds upon: the bundled facts, unless it is their own source, here or in a checkout."""
    from otel_carbon.registry.authoring.documents import holds_source_of

    with resources.as_file(_bundled_sources()) as installed:
        is_installed = installed.is_dir() and directory.samefile(installed)
    if standalone or is_installed:
        return None
    bundled = read_bundled()
    if holds_source_of(directory, bundled):
        click.echo(f"{directory} holds the source of the bundled facts: taken as a whole, not as an overlay", err=True)
        return None
    return bundled


def _facts(chosen: Registry, name: str) -> tuple[Fact, ...]:
    """The fact with an id, or those that go by a name: at least one."""
    try:
        return (chosen.fact(name),)
    except UnknownFact as error:
        if named := facts_named(chosen, name):
            return named
        near = similar_ids(chosen, name)
        msg = f"{error}" + (f"; similar: {', '.join(near)}" if near else "")
        raise click.UsageError(msg) from error


def _json_text(document: object) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
