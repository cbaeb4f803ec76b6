"""A small overlay of made-up facts, as its author would write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OVERLAY = """\
version: acme-1
sources:
  acme-lab-2026:
    {producer: Acme, title: Lab notes, year: 2026, url: "https://acme.example/lab", licence: CC-BY-4.0,
     accessed: 2026-11-22, redistributable: "yes", locator: page 3, note: ""}
facts:
  grid/FRA/acme@2026-11:
    {zone: FRA, basis: location, gco2e_per_kwh: {low: 30, mid: 40, high: 50}, sources: [acme-lab-2026],
     evidence: supplier, published: 2026-11-22, valid_from: 2024-01-01,
     supersedes: grid/FRA/location-lifecycle@2024, note: ""}
"""


def write_overlay(directory: Path, text: str = OVERLAY) -> Path:
    """The directory with the overlay in it."""
    directory.mkdir(exist_ok=True)
    (directory / "acme.yaml").write_text(text, encoding="utf-8")
    return directory
