"""What is compared with what: each row of the result, and what it is aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.collector.contestants import otelcol, ours, rotel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.collector.contestants import Contestant

BATCHES = (512, 64)
SHARES = (1.0, 0.05)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a load looks like: spans of a request, the part of GenAI spans, and whether requests come again.

    With `repeated` a few requests are sent over and over, so that the counting window stays all but empty.
    """

    spans_per_request: int
    genai_share: float
    repeated: bool = False

    def __str__(self) -> str:
        again = ", the same few requests over and over" if self.repeated else ""
        return f"{self.spans_per_request} spans a request, {self.genai_share:.0%} GenAI{again}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Contestants that take the same load in turns; the first one is ours."""

    title: str
    shape: Shape
    contestants: Sequence[Contestant]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ratio of ours to another contestant of the same scenario, in one measure.

    Attributes:
        what: what is compared, in words.
        measure: a field of `Figures`.
        scenario: where both ran.
        peer: name of the other one.
        target: what the ratio is to be at most; None for information.
    """

    what: str
    measure: str
    scenario: Scenario
    peer: str
    target: float | None


def scenarios(otelcol_binary: Path | None) -> list[Scenario]:
    """All loads, each with its contestants; the official Collector takes part where its binary is given."""
    bare = [ours(exports=False), rotel(exports=False, enriches=False)]
    sending = [ours(exports=True), rotel(exports=True, enriches=True), rotel(exports=True, enriches=False)]
    if otelcol_binary is not None:
        bare.append(otelcol(otelcol_binary, exports=False))
        sending.append(otelcol(otelcol_binary, exports=True))
    shapes = [Shape(batch, share) for share in SHARES for batch in BATCHES]
    return [
        *(Scenario("OTLP/HTTP in, no export", shape, bare) for shape in shapes),
        *(Scenario("OTLP/HTTP in, gzip out", shape, sending) for shape in shapes),
        Scenario("OTLP/HTTP in, no export", Shape(512, 1.0, repeated=True), bare),
    ]


def comparisons(ran: Sequence[Scenario]) -> list[Comparison]:
    """The table of ratios, of the scenarios that ran."""
    compared = []
    for scenario in ran:
        for contestant in scenario.contestants[1:]:
            measure, target = _aim(scenario, contestant)
            compared.append(Comparison(scenario.title, measure, scenario, contestant.name, target))
    return compared


def _aim(scenario: Scenario, contestant: Contestant) -> tuple[str, float | None]:
    """Which figure is compared, and what its ratio should be at most."""
    is_rotel = contestant.name.startswith("rotel")
    if scenario.shape.repeated:
        return "rss_mib", 2.0 if is_rotel else 1.0
    if not is_rotel:
        return "cpu_us_per_span", 1.5
    if contestant.exports:
        return "cpu_us_per_span", 0.6 if contestant.enriches else None
    return "cpu_us_per_span", 2.5 if scenario.shape.genai_share == 1 else 0.8
