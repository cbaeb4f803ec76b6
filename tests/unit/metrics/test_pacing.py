from __future__ import annotations

import pytest

from otel_carbon.metrics.pacing import HURRY_AFTER_S, SLICE_S, Pacing


class Clock:
    """A time that steps and pauses move on."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.paused_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.paused_s += seconds


def paused_s(steps: int, step_s: float) -> float:
    clock = Clock()
    pacing = Pacing(clock, clock.sleep)
    for _ in range(steps):
        clock.now_s += step_s
        pacing.rest()
    return clock.paused_s


def test_work_within_a_slice_never_pauses() -> None:
    assert paused_s(4, SLICE_S / 5) == 0


@pytest.mark.parametrize("steps_a_slice", [1, 4, 10])
def test_long_work_pauses_as_long_as_it_works(steps_a_slice: int) -> None:
    # A slice is over by the step after it, as times are not exact.
    worked_s = 1000 * SLICE_S
    assert paused_s(1000 * steps_a_slice, SLICE_S / steps_a_slice) == pytest.approx(worked_s, rel=0.51)


def test_work_that_takes_too_long_is_done_without_further_pauses() -> None:
    steps = 10 * round(HURRY_AFTER_S / SLICE_S)
    assert paused_s(steps, SLICE_S * 1.01) == pytest.approx(HURRY_AFTER_S / 2, rel=0.02)
