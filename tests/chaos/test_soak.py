from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.memory_plot import memory_plot
from tests.chaos.soak import endure

if TYPE_CHECKING:
    from pathlib import Path


def test_steady_load_is_counted_as_it_was_sent_and_leaves_memory_flat(tmp_path: Path) -> None:
    told, samples = endure(tmp_path, minutes=0.1, spans_per_s=600, seed=5)
    assert told["complaints"] == []
    assert told["calls"] > told["twins"] > 0
    assert all(mib > 0 for _, mib in samples)


def test_memory_is_drawn_with_words_for_those_who_do_not_see_it() -> None:
    drawn = memory_plot([(0.0, 70.0), (60.0, 80.0)], "From 70 to 80 MiB.")
    assert drawn.startswith("<svg")
    assert "<desc>From 70 to 80 MiB.</desc>" in drawn
