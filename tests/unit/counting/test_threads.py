"""One window under many threads: every call counted exactly once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from otel_carbon.counting.candidate import COUNTED, DUPLICATE
from tests.unit.counting.candidates import candidate, window

if TYPE_CHECKING:
    from otel_carbon.counting.window import CountingWindow

THREADS = 8
SPANS = 300


def _judged_by(
    counting: CountingWindow, start: Barrier, trace: int, scope: str, batch: int
) -> Counter[tuple[str, bool]]:
    """Judge the spans of a trace in batches; how often each verdict came out."""
    start.wait()
    found: Counter[tuple[str, bool]] = Counter()
    for first in range(1, SPANS + 1, batch):
        spans = [candidate(n, trace=trace, scope=scope, tokens=(n, 1)) for n in range(first, first + batch)]
        found.update((verdict.kind, verdict.repeated) for verdict in counting.judge_together(spans))
    return found


def _run(jobs: list[tuple[int, str]], batch: int) -> Counter[tuple[str, bool]]:
    counting, start = window(), Barrier(len(jobs))
    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(_judged_by, counting, start, trace, scope, batch) for trace, scope in jobs]
        return sum((future.result(timeout=30) for future in futures), Counter[tuple[str, bool]]())


def test_threads_with_spans_of_their_own_count_all_of_them() -> None:
    found = _run([(trace, "sdk") for trace in range(1, THREADS + 1)], batch=10)
    assert found == {(COUNTED, False): THREADS * SPANS}


def test_threads_with_the_same_spans_count_each_once() -> None:
    found = _run([(1, "sdk")] * THREADS, batch=1)
    assert found == {(COUNTED, False): SPANS, (COUNTED, True): (THREADS - 1) * SPANS}


def test_threads_with_twins_of_each_other_count_each_call_once() -> None:
    found = _run([(trace, f"scope {trace}") for trace in range(1, THREADS + 1)], batch=5)
    assert found == {(COUNTED, False): SPANS, (DUPLICATE, False): (THREADS - 1) * SPANS}
