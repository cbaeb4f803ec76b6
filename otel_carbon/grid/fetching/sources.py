"""The sources that a grid table can be filled from: what they are called, and on what terms."""

from __future__ import annotations

from typing import NamedTuple


class GridSource(NamedTuple):
    """A source of intensities; `licence` is written on every row, `terms` is told to the user at each refresh."""

    name: str
    endpoint: str
    licence: str
    terms: str


ELECTRICITY_MAPS = GridSource(
    "electricity-maps",
    "https://api.electricitymaps.com/v3",
    "Electricity Maps, terms of the key; open data ODbL-1.0",
    "Electricity Maps: data of its API are under the terms of your key, its open data sets under ODbL 1.0. "
    "The table is your own; do not pass it on unless those terms allow it.",
)
UK_CARBON_INTENSITY = GridSource(
    "uk-carbon-intensity",
    "https://api.carbonintensity.org.uk",
    "CC-BY-4.0",
    "UK Carbon Intensity API, National Energy System Operator (NESO): CC BY 4.0, name the source. "
    "The figures are direct emissions, not life cycle, so no estimate uses them.",
)
OWN_CSV = GridSource("csv", "", "own", "CSV: the terms of your own files, as their licence column says.")
SOURCES = {source.name: source for source in (ELECTRICITY_MAPS, UK_CARBON_INTENSITY, OWN_CSV)}
