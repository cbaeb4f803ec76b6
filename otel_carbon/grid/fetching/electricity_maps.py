"""Electricity Maps, API v3: hourly averages of a zone, of the last 24 hours or of a time in the past."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from otel_carbon.errors import GridError
from otel_carbon.grid.fetching.answers import Answer
from otel_carbon.grid.fetching.json_client import Refused
from otel_carbon.grid.fetching.sources import ELECTRICITY_MAPS
from otel_carbon.grid.table import GridRow, check_row
from otel_carbon.grid.table_file import text_from_moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.grid.fetching.json_client import JsonClient
    from otel_carbon.grid.fetching.spans_of_time import Times

KEY_HEADER = "auth-token"
LONGEST_REQUEST = timedelta(days=10)
"""Of hourly figures; the API refuses more at once."""
HOUR = timedelta(hours=1)
HOURLY = "hourly"
ESTIMATED = "/estimated"
"""Behind the source of rows whose hour Electricity Maps itself has only estimated; a later refresh may correct them."""
_NO_KEY = (401, 403)
_NO_ZONE = 404


def read_electricity_maps(
    client: JsonClient, zone: str, code: str, basis: str, times: Times | None, key_variable: str
) -> Iterator[GridRow]:
    """The rows of one zone, hour by hour.

    Args:
        client: asks the API, with the user's key.
        zone: ours, which the rows get.
        code: the zone as Electricity Maps calls it.
        basis: `lifecycle` or `direct`.
        times: what to read; `None` is the last 24 hours, which free keys may read too.
        key_variable: the environment variable that the key is from, named in errors.

    Raises:
        GridError: the key is refused, the zone is unknown, or the answer is malformed; the message says which.
        GridSourceUnavailable: there is no answer.
    """
    asked = {"zone": code, "emissionFactorType": basis, "shouldUseFallbackCallerLookup": "false"}
    if times is None:
        yield from _rows(_read(client, "history", asked, key_variable), "history", zone, code, basis)
        return
    for part in times.parts(LONGEST_REQUEST):
        period = {"start": text_from_moment(part.start), "end": text_from_moment(part.end)}
        for row in _rows(_read(client, "past-range", asked | period, key_variable), "data", zone, code, basis):
            if part.holds(row.start, row.end):
                yield row


def _read(client: JsonClient, kind: str, parameters: dict[str, str], key_variable: str) -> Answer:
    try:
        found = client.read(f"/carbon-intensity/{kind}", parameters)
    except Refused as error:
        raise _explained(error, parameters["zone"], key_variable) from error
    return Answer(ELECTRICITY_MAPS.name, "", found)


def _explained(error: Refused, code: str, key_variable: str) -> GridError:
    if error.status in _NO_KEY:
        return GridError(
            f"{error}: Electricity Maps refuses the key in {key_variable}; it may be wrong, or not be for zone {code} "
            "or this time (free keys read one zone, and its last 24 hours: leave out --from)"
        )
    if error.status == _NO_ZONE:
        return GridError(f"{error}: Electricity Maps knows no zone {code}; write it as --zone OURS=CODE")
    return error


def _rows(answer: Answer, kind: str, zone: str, code: str, basis: str) -> Iterator[GridRow]:
    answered = answer.field("zone")
    if answered.content != code:
        raise answered.error(f"the zone {code} that was asked for")
    _check_granularity(answer)
    for entry in answer.field(kind).entries():
        gco2e_per_kwh = entry.field("carbonIntensity").intensity_gco2e_per_kwh()
        start = entry.field("datetime").moment()
        _check_basis(answer, entry, basis)
        _check_granularity(entry)
        if gco2e_per_kwh is None:
            continue
        source = ELECTRICITY_MAPS.name + (ESTIMATED if entry.field("isEstimated").content is True else "")
        row = GridRow(zone, start, start + HOUR, gco2e_per_kwh, basis, source, ELECTRICITY_MAPS.licence)
        if wrong := check_row(row):
            raise entry.error(f"a usable hour: {wrong}")
        yield row


def _check_basis(answer: Answer, entry: Answer, basis: str) -> None:
    """Raise where an entry, or the answer for all of them, is of another basis than was asked for, or of none."""
    said = entry.field("emissionFactorType")
    if said.content is None and answer.field("emissionFactorType").content == basis:
        return
    if said.content != basis:
        raise said.error(f"{basis}, which was asked for")


def _check_granularity(part: Answer) -> None:
    said = part.field("temporalGranularity")
    if said.content not in (None, HOURLY):
        raise said.error(HOURLY)
