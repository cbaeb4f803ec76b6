from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.clock import endure_jumps, endure_odd_times, libfaketime
from tests.support.components import require_component

if TYPE_CHECKING:
    from tests.chaos.backend import Backend
    from tests.chaos.victim import Victim

FAKETIME_HINT = "apt-get install --no-install-recommends faketime"


def test_a_wall_clock_that_jumps_changes_no_verdict_and_no_count(tmp_path: Path) -> None:
    library = libfaketime()
    require_component("libfaketime", found=library is not None, hint=FAKETIME_HINT)
    told = endure_jumps(tmp_path, Path(str(library)), seed=3, calls_each=5)
    assert told["complaints"] == []
    assert told["calls"] == told["twins"] == 9 * 5


def test_spans_that_claim_to_be_of_any_time_get_one_verdict_and_kill_nothing(victim: Victim, backend: Backend) -> None:
    assert endure_odd_times(victim, backend, seed=4) == []
    assert victim.faults() == []
