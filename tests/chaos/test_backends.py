from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.backends import endure
from tests.chaos.full_queue import outlast_the_queue
from tests.chaos.misbehaving import CASES

if TYPE_CHECKING:
    from pathlib import Path


def test_backends_that_misbehave_take_nothing_from_one_that_works_and_the_counters_tell(tmp_path: Path) -> None:
    told = endure(tmp_path, CASES, seconds=7.0, seed=1)
    assert told["complaints"] == []
    assert told["acknowledged"] > 0


def test_a_backend_away_for_longer_than_its_queue_lasts_costs_no_memory_and_no_acknowledged_span_elsewhere(
    tmp_path: Path,
) -> None:
    assert outlast_the_queue(tmp_path, seed=2)["complaints"] == []
