"""A counting domain that outlives its process: what it remembers and what it has booked, saved as it changes."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.counting.candidate import COUNTED
from otel_carbon.counting.memory import DEFAULT_TTL_S
from otel_carbon.counting.remembered import (
    JUDGED,
    JUDGED_BEFORE,
    RELAY,
    STEP,
    SUM,
    Texts,
    read_remembered,
    remember_again,
    written,
)
from otel_carbon.metrics.saved_totals import rows_of, totals_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from otel_carbon.enricher import Enricher, Observation, Outcome

_COMPACT = (",", ":")
_logger = logging.getLogger(__name__)


class CountingChanges(NamedTuple):
    """What has changed since it was last asked for.

    Attributes:
        log: spans that were judged, compact; empty when there were none.
        rows: totals that changed, as they are now, by key.
    """

    log: bytes
    rows: dict[str, str]


class DurableCounting:
    """Tells what changes in a counting domain, and brings one back that another process had.

    Args:
        enricher: the domain; nothing was judged by it yet.
        monotonic_s: the clock of its window, in seconds.
    """

    log_ttl_s = DEFAULT_TTL_S
    """How long an entry of the log is of use, in seconds."""

    def __init__(self, enricher: Enricher, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._enricher = enricher
        self._monotonic_s = monotonic_s
        self._groups: list[list[tuple[Observation, Outcome]]] = []
        enricher.totals.keep_track()
        enricher.journal = self

    def note(self, observations: Sequence[Observation], outcomes: Sequence[Outcome | None]) -> None:
        """Note spans that were judged together; those that came again say nothing new."""
        pairs = zip(observations, outcomes, strict=True)
        group = [(seen, became) for seen, became in pairs if became is not None and _is_new(became)]
        if group:  # written down later, as others wait for the lock meanwhile
            self._groups.append(group)

    def take_changes(self) -> CountingChanges:
        """What has changed since the last call: all that was judged by now is in it."""
        totals = self._enricher.totals
        with totals.lock:
            groups, self._groups = self._groups, []
            rows = rows_of(totals.take_touched())
        if not groups:
            return CountingChanges(b"", rows)
        texts = Texts()
        log = [[self._written(texts, seen, became) for seen, became in group] for group in groups]
        return CountingChanges(json.dumps([list(texts), log], separators=_COMPACT).encode(), rows)

    def restore(self, log: Iterable[tuple[float, bytes]], rows: Mapping[str, str]) -> None:
        """Go on where another process ended.

        Args:
            log: how old each entry is, in seconds, and the entry, oldest first.
            rows: all totals by key.

        Raises:
            ValueError, TypeError, LookupError: the totals are not what `take_changes` gave.
        """
        self._enricher.totals.restore(totals_of(rows))
        now_s, at_s, unreadable = self._monotonic_s(), float("-inf"), 0
        for age_s, entry in log:
            # A wall clock that was set back must not make later entries older than earlier ones.
            at_s = max(at_s, now_s - max(0.0, age_s))
            try:
                self._remember(entry, at_s)
            except (ValueError, TypeError, LookupError):
                unreadable += 1
        if unreadable:
            _logger.error("%d entries of the counting log cannot be read; what they say is forgotten", unreadable)

    def _remember(self, entry: bytes, at_s: float) -> None:
        texts, groups = json.loads(entry)
        for group in groups:
            remember_again(self._enricher.window, [read_remembered(values, texts) for values in group], at_s)

    def _written(self, texts: Texts, seen: Observation, became: Outcome) -> list[Any]:
        resource = seen.resource
        return written(
            texts,
            self._action(seen, became),
            seen.ids or (0, 0),
            seen.reading.response_id,
            resource.emitter or resource.service,
            seen.candidate,
        )

    def _action(self, seen: Observation, became: Outcome) -> tuple[str, str, str, bool]:
        """How the enricher came to an outcome, and the verdict that was remembered."""
        verdict = became.verdict
        if seen.is_candidate:
            if verdict in (ours.VERDICT_COUNTED, ours.VERDICT_UNESTIMATED):
                return JUDGED, COUNTED, "", became.upgrades
            return JUDGED, verdict, became.reason, False
        if verdict == ours.VERDICT_GENAI_OTHER:
            return STEP, "", "", False
        if verdict == ours.VERDICT_AGGREGATE:
            return SUM, "", "", False
        if verdict == ours.VERDICT_ALREADY_ENRICHED and not self._relays(seen):
            judged = seen.reading.profile.judged
            is_call = judged not in (ours.STATUS_DUPLICATE, ours.STATUS_AGGREGATE)
            return JUDGED_BEFORE, COUNTED if is_call else judged, "", False
        if verdict == ours.VERDICT_DUPLICATE and became.reason == reasons.USAGE_FROM_METRICS:
            return JUDGED_BEFORE, COUNTED, "", False
        return RELAY, "", "", False

    def _relays(self, seen: Observation) -> bool:
        settings = self._enricher.settings
        return settings.already_enriched != "trust" and seen.resource.service in settings.pass_through


def _is_new(became: Outcome) -> bool:
    return became.verdict != ours.VERDICT_REPEATED
