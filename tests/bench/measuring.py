"""How benchmarks measure and show."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7


def cpu_us(work: Callable[[], int]) -> float:
    """CPU time of one unit of work in microseconds; `work` says how many units it did."""
    gc.collect()
    started_ns = time.process_time_ns()
    units = work()
    return (time.process_time_ns() - started_ns) / 1000 / units


def medians(**works: Callable[[], int]) -> dict[str, float]:
    """The median of each, taken in turns, so that a slow moment hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(cpu_us(work))
    return {name: statistics.median(times) for name, times in taken.items()}


def line(what: str, us: float, ratio: float | None = None, beside: str = "") -> None:
    say(f"{what:58} {us:9.2f} {'' if ratio is None else f'{ratio:8.2f}'}  {beside}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def progress(text: str) -> None:
    """Say on standard error what is going on, so that standard output holds results alone."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
