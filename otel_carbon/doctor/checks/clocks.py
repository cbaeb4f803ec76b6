"""Is the clock right, and are the facts of today?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from otel_carbon.doctor.findings import counted, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.doctor.findings import Finding
    from otel_carbon.doctor.observations import Examined

MOST_SKEW_S = 60.0
"""Clocks may differ by so much, a slow answer included, before it is said."""
OLD_REGISTRY = timedelta(days=365)


def check_clock(examined: Examined) -> Iterator[Finding]:
    """Findings about the clock of the application, and about spans that end in the future."""
    evidence = [
        _skew(f"the Date of {probe.endpoint}", probe.clock_ahead_s)
        for probe in examined.probes
        if probe.clock_ahead_s is not None and abs(probe.clock_ahead_s) > MOST_SKEW_S
    ]
    for report in examined.reports:
        ahead_s = report.written_at_s - report.written_file_at_s
        if report.written_at_s and report.written_file_at_s and abs(ahead_s) > MOST_SKEW_S:
            evidence.append(_skew("the file system", ahead_s))
    released = _first_day(examined.environment.registry.released)
    now = datetime.fromtimestamp(examined.now_s, UTC)
    if released is not None and now < released:
        evidence.append(f"it is {now:%Y-%m-%d} here, before the registry of {released:%Y-%m} was made")
    if evidence:
        yield finding("clock_skewed", dict.fromkeys(evidence))
    count = sum(report.in_future for report in examined.reports)
    if count:
        most_s = max(report.most_in_future_s for report in examined.reports)
        yield finding("spans_in_future", [f"{counted(count, 'span')}, up to {most_s:.0f} s ahead"])


def check_ages(examined: Examined) -> Iterator[Finding]:
    """Findings about the registry, its overlay and the grid table: unreadable or old."""
    registry = examined.environment.registry
    now = datetime.fromtimestamp(examined.now_s, UTC)
    released = _first_day(registry.released)
    if registry.overlay_problem:
        yield finding("registry_overlay_unusable", [registry.overlay_problem], path=registry.overlay)
    if registry.grid_problem:
        yield finding("grid_table_unusable", [registry.grid_problem])
    elif registry.grid_until and datetime.fromisoformat(registry.grid_until) < now:
        yield finding("grid_table_stale", [f"{registry.grid_table} ends at {registry.grid_until}"])
    if released is not None and now - released > OLD_REGISTRY:
        yield finding("registry_old", [f"registry {registry.version}, made in {registry.released}"])


def _first_day(month: str) -> datetime | None:
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00") if month else None


def _skew(against: str, ahead_s: float) -> str:
    return f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} {against}"
