"""Where grid tables lie, which one a command reads, and the zones and times that a refresh is given."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from otel_carbon.core.assumptions import GRID_HOUR_NOT_IN_TABLE, GRID_TABLE_STALE
from otel_carbon.core.footprint import Footprint
from otel_carbon.grid.table_file import moment_from_text, read_grid_table, text_from_moment
from otel_carbon.methods.hourly_grid import STALE_AFTER_DAYS, zone_of_grid
from otel_carbon.registry.facts import Zone
from otel_carbon.registry.spellings import nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from otel_carbon.core.footprint import Unestimated
    from otel_carbon.grid.table import GridTable
    from otel_carbon.registry.catalog import Registry

    Command = Callable[..., Any]

TABLE_NAME = "grid-table.csv"
FOLDER_NAME = "otel-carbon"
VARIABLE = "OTEL_CARBON_GRID_TABLE"


class ZoneCode(NamedTuple):
    """A zone of ours, and what a source calls it."""

    zone: str
    code: str


def grid_table_options(command: Command) -> Command:
    """The options `--grid-table` and `--grid-version`, as the parameters `grid_file` and `grid_version`."""
    version = click.option(
        "--grid-version", metavar="ID", help="Use the grid table as it was at that version, to repeat an estimate."
    )
    table = click.option(
        "--grid-table",
        "grid_file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar=VARIABLE,
        show_envvar=True,
        metavar="FILE",
        help="Use the hour's grid intensity from this table of `otel-carbon grid refresh`, where it has one.",
    )
    return table(version(command))


def chosen_table(grid_file: Path | None, grid_version: str | None) -> GridTable | None:
    """The grid table that the options ask for, `None` when they ask for none.

    Raises:
        GridError: it cannot be read, or has no such version.
    """
    if grid_file is None:
        if grid_version is not None:
            msg = f"--grid-version needs --grid-table FILE (or {VARIABLE})"
            raise click.UsageError(msg)
        return None
    table = read_grid_table(grid_file)
    return table if grid_version is None else table.as_of(grid_version)


def note_uncovered(outcome: Footprint | Unestimated, registry: Registry, table: GridTable | None) -> None:
    """Say where the yearly average stands in, because the table does not cover the time of the call."""
    if table is None or not isinstance(outcome, Footprint):
        return
    provenance = outcome.provenance
    zone = zone_of_grid(registry, provenance.grid_id)
    last = table.end_of(zone)
    if GRID_TABLE_STALE in provenance.assumptions and last is not None:
        click.echo(
            f"warning: the grid table is stale: its figures of {zone} end at {text_from_moment(last)}, more than "
            f"{STALE_AFTER_DAYS} days before the call; the yearly average is taken, `otel-carbon grid refresh` helps",
            err=True,
        )
    elif GRID_HOUR_NOT_IN_TABLE in provenance.assumptions:
        click.echo(
            f"note: the grid table has no figure of {zone} for the time of the call; the yearly average is taken",
            err=True,
        )


def default_table_path(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where the user's own data lie by the platform's convention, and in there the table."""
    if platform == "win32":
        folder = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        named = environ.get("XDG_DATA_HOME", "")
        folder = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"
    return folder / FOLDER_NAME / TABLE_NAME


def zone_named(registry: Registry, name: str) -> str | None:
    """Our grid zone of a name, such as DEU for DE; `None` when the registry knows none."""
    zone = registry.about(Zone, name.strip(), None)
    return zone.zone if zone else None


def zone_codes(registry: Registry, texts: tuple[str, ...]) -> tuple[ZoneCode, ...]:
    """Read `CODE` or `OURS=CODE` of each `--zone`.

    Raises:
        click.UsageError: a zone is not in the registry.
    """
    return tuple(_zone_code(registry, text) for text in texts)


def _zone_code(registry: Registry, text: str) -> ZoneCode:
    ours, equals, theirs = (part.strip() for part in text.partition("="))
    code = theirs if equals else ours
    zone = zone_named(registry, ours)
    if zone is None or not code:
        known = [fact.zone for fact in registry.facts("zone") if isinstance(fact, Zone)]
        near = nearest_names(ours, known)
        question = f"; did you mean {' or '.join(near)}?" if near else ""
        msg = (
            f"--zone {text}: no grid zone {ours!r} in registry {registry.version}{question}; write the source's CODE "
            "of a country, or OURS=CODE, such as USA-CAMX=US-CAL-CISO"
        )
        raise click.UsageError(msg)
    return ZoneCode(zone, code)


def moment_option(text: str) -> datetime:
    """Read a day, which is its first moment in UTC, or a moment with a time zone.

    Raises:
        click.BadParameter: it is neither.
    """
    moment = moment_from_text(text)
    if moment is not None:
        return moment
    try:
        day = date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no day such as 2026-11-26, and no moment with a time zone such as 2026-11-26T13:00Z"
        raise click.BadParameter(msg) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def last_day(now: datetime) -> tuple[datetime, datetime]:
    """The last 24 full hours."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return end - timedelta(days=1), end
