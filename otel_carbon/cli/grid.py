"""`otel-carbon grid`: a table of the user's own with the carbon intensity of grids, hour by hour."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_carbon.cli import exit_codes
from otel_carbon.cli.extras import needs_extra
from otel_carbon.cli.grid_options import default_table_path, last_day, moment_option, zone_codes, zone_named
from otel_carbon.cli.output import output_option, result_console, write_file
from otel_carbon.cli.registry_choice import chosen_registry, registry_option
from otel_carbon.errors import GridSourceUnavailable
from otel_carbon.grid.fetching.sources import ELECTRICITY_MAPS, OWN_CSV, SOURCES
from otel_carbon.grid.table import BASES, LIFECYCLE, GridTable
from otel_carbon.grid.table_file import grid_table_text, read_grid_table, text_from_moment, with_new_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from otel_carbon.grid.fetching.json_client import JsonClient
    from otel_carbon.grid.fetching.spans_of_time import Times
    from otel_carbon.grid.table import GridRow
    from otel_carbon.registry.catalog import Registry

    Command = Callable[..., Any]

EXTRA = "grid"
KEY_VARIABLE = "OTEL_CARBON_ELECTRICITY_MAPS_KEY"
UK_ZONE = "GB"
COLUMNS = ("version", "zone", "basis", "from", "to", "rows", "source")


def _table_option(command: Command) -> Command:
    option = click.option(
        "--table",
        "table_file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="OTEL_CARBON_GRID_TABLE",
        show_envvar=True,
        metavar="FILE",
        help="The grid table; grid-table.csv in the folder of your data for otel-carbon unless given.",
    )
    return option(command)


@click.group()
def grid() -> None:
    """Keep a table of your own with the carbon intensity of grids by the hour.

    Nothing but `grid refresh` reads the network, and no estimate uses a table unless --grid-table names it.

    Example: otel-carbon grid show
    """


@grid.command()
@click.option("--source", type=click.Choice(sorted(SOURCES)), required=True, help="Where to read from.")
@click.option(
    "--zone",
    "zones",
    multiple=True,
    metavar="[OURS=]CODE",
    help="A zone of Electricity Maps, such as DE, or with ours in front where the names differ: USA-CAMX=US-CAL-CISO. "
    "May be given several times.",
)
@click.option(
    "--from", "start", type=moment_option, metavar="TIME", help="A day or a moment in UTC; 24 hours ago unless given."
)
@click.option("--to", "end", type=moment_option, metavar="TIME", help="Up to when; now unless given.")
@click.option(
    "--basis",
    type=click.Choice(BASES),
    default=LIFECYCLE,
    show_default=True,
    help="What Electricity Maps is asked for; only life-cycle figures are used in estimates.",
)
@click.option(
    "--file",
    "files",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="CSV",
    help="A CSV of your own with zone,start,end,gco2e_per_kwh,basis; may be given several times.",
)
@click.option("--endpoint", metavar="URL", help="Ask this address instead of the source's own.")
@_table_option
@registry_option
def refresh(table_file: Path | None, registry_file: Path | None, source: str, **given: Any) -> int:  # noqa: ANN401 - click's options, read in `_rows`
    """Read carbon intensities and add them to the table as a new version.

    Earlier versions stay as they are, so that an estimate can be repeated. The table is written whole or not at all:
    when anything fails, the old one stays. The key of Electricity Maps is read from OTEL_CARBON_ELECTRICITY_MAPS_KEY.
    Exits 3 when the source does not answer, or has nothing for that time.

    Example: otel-carbon grid refresh --source electricity-maps --zone DE --zone FR
    """
    path = table_file or default_table_path()
    before = read_grid_table(path) if path.exists() else GridTable()
    registry = chosen_registry(registry_file)
    try:
        rows = tuple(_rows(registry, source, given))
    except GridSourceUnavailable as error:
        click.echo(f"{error}; {path} is as it was, try again later", err=True)
        return exit_codes.NOTHING_ESTIMATED
    click.echo(SOURCES[source].terms, err=True)
    if not rows:
        click.echo(f"{source} has no figures for that time; {path} is as it was", err=True)
        return exit_codes.NOTHING_ESTIMATED
    after = with_new_version(before, rows, datetime.now(UTC))
    if after is before:
        click.echo(f"{path}: nothing new in {len(rows)} rows; version {before.version}")
        return exit_codes.DONE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, grid_table_text(after).encode())
    click.echo(f"{path}: version {after.version}, {len(after.versions[-1].rows)} of {len(rows)} rows new")
    return exit_codes.DONE


def _rows(registry: Registry, source: str, given: dict[str, Any]) -> Iterator[GridRow]:
    _refuse_foreign_options(source, given)
    if source == OWN_CSV.name:
        from otel_carbon.grid.fetching.own_csv import read_own_csv

        for file in given["files"]:
            yield from read_own_csv(file, lambda name: zone_named(registry, name))
        return
    with needs_extra(EXTRA):
        from otel_carbon.grid.fetching.json_client import JsonClient
    endpoint = given["endpoint"] or SOURCES[source].endpoint
    if source == ELECTRICITY_MAPS.name:
        yield from _electricity_maps(registry, given, endpoint, JsonClient)
        return
    from otel_carbon.grid.fetching.uk_carbon_intensity import read_uk_carbon_intensity

    zone = zone_named(registry, UK_ZONE)
    assert zone is not None  # noqa: S101 - the bundled registry has it, and an overlay takes nothing away
    yield from read_uk_carbon_intensity(JsonClient(endpoint), zone, _times(given) or _last_times())


def _electricity_maps(
    registry: Registry, given: dict[str, Any], endpoint: str, make_client: type[JsonClient]
) -> Iterator[GridRow]:
    from otel_carbon.grid.fetching.electricity_maps import KEY_HEADER, read_electricity_maps

    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        msg = f"Electricity Maps needs a key: set {KEY_VARIABLE} to yours (electricitymaps.com gives free ones)"
        raise click.UsageError(msg)
    if not (key.isascii() and key.isprintable()):
        msg = f"{KEY_VARIABLE} holds characters that no key has; copy it again"
        raise click.UsageError(msg)
    client = make_client(endpoint, {KEY_HEADER: key})
    times = _times(given)
    for zone, code in zone_codes(registry, given["zones"]):
        yield from read_electricity_maps(client, zone, code, given["basis"], times, KEY_VARIABLE)


def _refuse_foreign_options(source: str, given: dict[str, Any]) -> None:
    """Raise for options that the source has no use for, and for those that it lacks."""
    is_csv, is_maps = source == OWN_CSV.name, source == ELECTRICITY_MAPS.name
    wrong = {
        f"--source {source} needs --zone, such as --zone DE": is_maps and not given["zones"],
        f"--source {source} needs --file with a CSV of yours": is_csv and not given["files"],
        f"--zone is for --source {ELECTRICITY_MAPS.name}": not is_maps and given["zones"],
        f"--file is for --source {OWN_CSV.name}": not is_csv and given["files"],
        f"--basis is for --source {ELECTRICITY_MAPS.name}": not is_maps and given["basis"] != LIFECYCLE,
        f"--endpoint, --from and --to are not for --source {source}": is_csv
        and (given["endpoint"] or given["start"] or given["end"]),
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            raise click.UsageError(message)


def _times(given: dict[str, Any]) -> Times | None:
    """From `--from` up to `--to`; `None` when neither is given."""
    from otel_carbon.grid.fetching.spans_of_time import Times

    if given["start"] is None and given["end"] is None:
        return None
    last = _last_times()
    times = Times(given["start"] or last.start, given["end"] or last.end)
    if times.start >= times.end:
        msg = f"--from {text_from_moment(times.start)} is not before --to {text_from_moment(times.end)}"
        raise click.UsageError(msg)
    return times


def _last_times() -> Times:
    from otel_carbon.grid.fetching.spans_of_time import Times

    return Times(*last_day(datetime.now(UTC)))


@grid.command()
@_table_option
@output_option
def show(table_file: Path | None, output: Path) -> int:
    """Show the versions of the table, and the zones and times of each.

    Exits 3 when there is no table.

    Example: otel-carbon grid show --table grid-table.csv
    """
    path = table_file or default_table_path()
    if not path.exists():
        click.echo(f"{path}: no grid table; `otel-carbon grid refresh` makes one", err=True)
        return exit_codes.NOTHING_ESTIMATED
    table = read_grid_table(path)
    with result_console(output) as console:
        console.table(
            str(path),
            COLUMNS,
            [row for version in table.versions for row in _shown(version.id, version.rows)],
            right=("rows",),
        )
    return exit_codes.DONE


def _shown(version: str, rows: tuple[GridRow, ...]) -> Iterator[tuple[str, ...]]:
    """A line for each zone, basis and source of a version."""
    groups: dict[tuple[str, str, str], list[GridRow]] = {}
    for row in rows:
        groups.setdefault((row.zone, row.basis, row.source), []).append(row)
    for (zone, basis, source), group in groups.items():
        first, last = min(row.start for row in group), max(row.end for row in group)
        yield (version, zone, basis, text_from_moment(first), text_from_moment(last), str(len(group)), source)
