"""Latency of small exports at half of the load that the slower contestant could take."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.collector.bodies import make_load
from tests.bench.collector.turns import take_turn
from tests.bench.measuring import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.collector.contestants import Contestant

_SPANS_PER_REQUEST = 64
_SECONDS = 8.0
_WARM_UP_SPANS = 10_000


def latencies_ms(
    contestants: Sequence[Contestant], slowest_us_per_span: float, *, rounds: int, factors: Path
) -> tuple[float, dict[str, dict[str, float]]]:
    """Send to each in turns at one rate.

    Args:
        contestants: which ones.
        slowest_us_per_span: CPU microseconds of the slowest of them; one core takes at most the inverse of it.
        rounds: how often each has its turn.
        factors: the file with the numbers of `coefficients`.

    Returns:
        Requests a second, and by contestant the median over rounds of `median_ms` and `p99_ms`, in milliseconds.
    """
    per_s = 0.5 * 1e6 / slowest_us_per_span / _SPANS_PER_REQUEST
    taken: dict[str, dict[str, list[float]]] = {each.name: {"median_ms": [], "p99_ms": []} for each in contestants}
    for number in range(rounds):
        load = make_load(int(per_s * _SECONDS) * _SPANS_PER_REQUEST, _SPANS_PER_REQUEST, 1.0)
        warm_up = make_load(_WARM_UP_SPANS, _SPANS_PER_REQUEST, 1.0)
        for contestant in contestants:
            progress(f"latency, round {number + 1} of {rounds}: {contestant.name} at {per_s:.0f} requests/s")
            with tempfile.TemporaryDirectory() as folder:
                turn = take_turn(contestant, warm_up, load, folder=Path(folder), factors=factors, requests_per_s=per_s)
            percentiles = statistics.quantiles(turn.latencies_s, n=100)
            taken[contestant.name]["median_ms"].append(percentiles[49] * 1000)
            taken[contestant.name]["p99_ms"].append(percentiles[98] * 1000)
    medians = {
        name: {which: statistics.median(each) for which, each in values.items()} for name, values in taken.items()
    }
    return per_s, medians
