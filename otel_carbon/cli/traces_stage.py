"""What the collector does to traces: each request as it comes, or several together when they are held."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

from otel_carbon.attributes import VERDICT_ALREADY_ENRICHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_carbon.enricher import Outcome
    from otel_carbon.otlp.traces import ReadRequest, TracesEnricher

_logger = logging.getLogger(__name__)


class TracesStage:
    """Enriches requests, and says once that spans came which an earlier hop enriched: their calls count there.

    With `tell_of_trust` off it says nothing, as they are counted here too.
    """

    def __init__(self, traces: TracesEnricher, *, tell_of_trust: bool) -> None:
        self._traces = traces
        self._untold = Lock()
        if not tell_of_trust:
            self._untold.acquire()  # never released: there is nothing to tell

    def __call__(self, body: bytes) -> bytes:
        """Enrich one request."""
        enriched, outcomes = self._traces.enrich(body)
        self._tell_of(outcomes)
        return enriched

    def prepare(self, body: bytes, *, writes: bool = True) -> tuple[int, Callable[[], bytes]]:
        """Check one request; returns how many spans it has, and what enriches it, or only counts it."""
        spans, enrich = self._traces.prepare(body, writes=writes)

        def finish() -> bytes:
            enriched, outcomes = enrich()
            self._tell_of(outcomes)
            return enriched

        return spans, finish

    def read(self, body: bytes) -> ReadRequest:
        """Read one request that is held."""
        return self._traces.read(body)

    def finish(self, requests: Sequence[ReadRequest]) -> list[bytes]:
        """Enrich requests that were held, their spans decided together."""
        finished = self._traces.finish(requests)
        self._tell_of(outcome for _, outcomes in finished for outcome in outcomes)
        return [enriched for enriched, _ in finished]

    def _tell_of(self, outcomes: Iterable[Outcome]) -> None:
        if (
            not self._untold.locked()
            and any(outcome.verdict == VERDICT_ALREADY_ENRICHED for outcome in outcomes)
            and self._untold.acquire(blocking=False)  # never released: of several threads, one tells
        ):
            _logger.info(
                "spans arrive that were enriched before; they are passed on and not counted here: the metrics of "
                "whoever enriched them hold the totals. To count them here instead, set `already_enriched: count` "
                "in the carbon processor, and leave those metrics out of sums"
            )
