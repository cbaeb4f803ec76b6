"""A small, complete directory of facts for tests to break in one place at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.registry.authoring.check import check_directory
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.compiled import parse_compiled

if TYPE_CHECKING:
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry

SOURCES = """\
version: 2026.11.0
sources:
  lab:
    accessed: 2026-11-22
    licence: CC-BY-4.0
    producer: Laboratory
    redistributable: facts
    title: Runs
    url: https://lab.example/runs
    year: 2026
"""

FACTS = """\
shared:
  evidence: assumed
  published: 2026-11-22
  sources: [lab]
  valid_from: 2025-01-01
facts:
  range/half@2026:
    divisor_low: 2
    factor_high: 3
  energy/acme/one@2026-11:
    aliases: [acme/one]
    assumptions: []
    boundary: it
    developer: acme
    input_wh_per_ktoken: {low: 0.1, mid: 0.2, high: 0.4}
    method: assumed
    models: [one, one-2025-01-01]
    open_weights: false
    operations: [chat]
    output_wh_per_ktoken: {mid: 0.8, range: range/half@2026}
  grid/NOR/location@2025:
    basis: location
    gco2e_per_kwh: {mid: 30, range: range/half@2026}
    zone: NOR
  grid/SWE/location@2025:
    basis: location
    gco2e_per_kwh: {low: 20, mid: 40, high: 50}
    zone: SWE
  grid/north/location@2025:
    basis: location
    gco2e_per_kwh:
      mix:
        grid/NOR/location@2025: 1
        grid/SWE/location@2025: 3
    zone: north
  site/hall@2025:
    pue: {mid: 1.1, range: range/half@2026}
    site: hall
    wue_l_per_it_kwh: {low: 0.1, mid: 0.2, high: 0.4}
  region/north-1@2025:
    cloud: acme
    region: north-1
    site: hall
    zone: north
  water/NOR@2025:
    l_per_kwh: {low: 1, mid: 2, high: 4}
    zone: NOR
  zone/NOR@2025:
    names: [NO, NOR, Norway]
    water_zone: NOR
    zone: NOR
  zone/SWE@2025:
    names: [SE, SWE, Sweden]
    water_zone: NOR
    zone: SWE
  zone/north@2025:
    names: [north]
    water_zone: NOR
    zone: north
"""


class FactDirectory:
    """The files in a temporary directory, and what authoring says of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("sources.yaml", SOURCES)
        self.write("facts.yaml", FACTS)

    def write(self, name: str, text: str) -> None:
        """Write a file, replacing what was there."""
        (self.root / name).write_text(text, encoding="utf-8")

    def change(self, name: str, before: str, after: str) -> None:
        """Replace the one occurrence of a text in a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {name}"
        self.write(name, text.replace(before, after))

    def append(self, text: str) -> None:
        """Append further facts."""
        self.write("facts.yaml", (self.root / "facts.yaml").read_text(encoding="utf-8") + text)

    def problems(self, base: CompiledRegistry | None = None) -> tuple[str, ...]:
        """What the check says."""
        return check_directory(self.root, base)

    def compiled(self, base: CompiledRegistry | None = None) -> CompiledRegistry:
        """The directory compiled and read back."""
        return parse_compiled(compile_directory(self.root, base), "test.json")
