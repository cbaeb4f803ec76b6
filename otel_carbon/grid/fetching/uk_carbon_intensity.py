"""The Carbon Intensity API of Great Britain: half-hourly averages of the whole grid, as they turned out.

Its figures are what power stations and imports emit, without the life cycle. Its regional figures are forecasts only,
and no zone of the registry stands for them, so they are not read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from otel_carbon.grid.fetching.answers import Answer
from otel_carbon.grid.fetching.sources import UK_CARBON_INTENSITY
from otel_carbon.grid.table import DIRECT, GridRow, check_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from otel_carbon.grid.fetching.json_client import JsonClient
    from otel_carbon.grid.fetching.spans_of_time import Times

LONGEST_REQUEST = timedelta(days=14)


def read_uk_carbon_intensity(client: JsonClient, zone: str, times: Times) -> Iterator[GridRow]:
    """The rows of Great Britain; half hours that have only a forecast are left out.

    Args:
        client: asks the API, which takes no key.
        zone: ours, which the rows get.
        times: what to read.

    Raises:
        GridError: the answer is malformed; the message names the field.
        GridSourceUnavailable: there is no answer.
    """
    for part in times.parts(LONGEST_REQUEST):
        path = f"/intensity/{_written(part.start)}/{_written(part.end)}"
        answer = Answer(UK_CARBON_INTENSITY.name, "", client.read(path))
        for entry in answer.field("data").entries():
            start, end = entry.field("from").moment(), entry.field("to").moment()
            gco2e_per_kwh = entry.field("intensity").field("actual").intensity_gco2e_per_kwh()
            if gco2e_per_kwh is None or not part.holds(start, end):
                continue  # the API begins with the half hour that ends where the time begins
            row = GridRow(
                zone, start, end, gco2e_per_kwh, DIRECT, UK_CARBON_INTENSITY.name, UK_CARBON_INTENSITY.licence
            )
            if wrong := check_row(row):
                raise entry.error(f"a usable half hour: {wrong}")
            yield row


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")
