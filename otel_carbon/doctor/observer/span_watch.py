"""Reads, counts and estimates the spans of a provider as our own processor would, and notes what came out."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.counting.window import CountingWindow
from otel_carbon.doctor.observer.notes import MAX_NAME_CHARACTERS
from otel_carbon.doctor.own_settings import enrich_settings, registry_with_overlay
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.labels import LabelBudget
from otel_carbon.metrics.totals import Totals
from otel_carbon.sdk import end_hook
from otel_carbon.sdk.spans import SpanViews, may_be_genai
from otel_carbon.spans.region import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from weakref import ref

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_carbon.doctor.observer.notes import Notes
    from otel_carbon.enricher import Outcome

MAX_CALLS = 4096
MAX_SERIES = 64
MAX_REMEMBERED = 1024
"""Counted calls of which the scope is remembered, to be named where another span reports them again."""
ELSEWHERE = (reasons.ACCOUNTING_POINT, reasons.USAGE_FROM_METRICS)
"""Spans that do not count by a setting are no overlap."""
SELF_TEST = end_hook.__name__
"""The scope of the span with which our processor tries what the SDK lets it do."""
OUR_ATTRIBUTES = f"{ours.ROOT}."


class Judge:
    """The counting domain of the observer, apart from that of the application."""

    def __init__(self) -> None:
        registry, _ = registry_with_overlay(os.environ)
        window = CountingWindow(time.monotonic, max_calls=MAX_CALLS, archives=False)
        self.enricher = Enricher(registry, enrich_settings(os.environ), window, Totals(LabelBudget(MAX_SERIES)))
        self.winners: OrderedDict[object, str] = OrderedDict()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.enricher.reset_after_fork)

    def remember(self, keys: tuple[object, ...], scope: str) -> None:
        """Keep the scope of a counted call under all that another span of it may share."""
        for key in keys:
            self.winners[key] = scope
        while len(self.winners) > MAX_REMEMBERED:
            self.winners.popitem(last=False)

    def winner(self, keys: tuple[object, ...]) -> str:
        """The scope of the span that counts for a duplicate; empty when it is forgotten."""
        return next((self.winners[key] for key in keys if key in self.winners), "")


@lru_cache(maxsize=1)
def _judge() -> Judge:
    """The one judge of all providers of this process: a call may be reported to two of them."""
    return Judge()


class SpanWatch(SpanProcessor):
    """Notes each span that ends; keeps of a call whom it went to, and nothing that was said."""

    def __init__(self, notes: Notes, provider: ref[object], at_span_end: Callable[[], None]) -> None:
        self._notes = notes
        self._provider = provider
        self._at_span_end = at_span_end
        self._views = SpanViews()

    def on_end(self, span: ReadableSpan) -> None:
        """Note a span; whatever goes wrong stays here."""
        try:
            if span.instrumentation_scope is not None and span.instrumentation_scope.name == SELF_TEST:
                return
            self._notes.see_end(span.end_time or 0)
            attributes = span.attributes or {}
            if may_be_genai(attributes):
                self._note_call(span, attributes)
            self._at_span_end()
        except Exception:  # noqa: S110 - the application goes on unobserved
            pass

    def _note_call(self, span: ReadableSpan, attributes: Mapping[str, Any]) -> None:
        judge = _judge()
        unjudged = {key: value for key, value in attributes.items() if not key.startswith(OUR_ATTRIBUTES)}
        view = self._views.view(span, unjudged, span.end_time or 0)
        scope = view.scope[:MAX_NAME_CHARACTERS]
        with self._notes.lock:
            outcome = judge.enricher.enrich(view)
            if outcome is None or outcome.status in ("", ours.STATUS_AGGREGATE):
                return
            self._notes.with_calls.add(id(self._provider()))
            keys = _keys(outcome, view.trace_id)
            if outcome.status == ours.STATUS_DUPLICATE:
                if outcome.reason not in ELSEWHERE:
                    self._notes.count("overlaps", (judge.winner(keys), scope, outcome.reason))
                return
            judge.remember(keys, scope)
            enriched = ours.STATUS in attributes
            sampled = bool(span.context and span.context.trace_flags.sampled)
            self._notes.count("calls", (scope, *_row(outcome), enriched, sampled))


def _keys(outcome: Outcome, trace_id: object) -> tuple[object, ...]:
    """What another span of the same call may share, the most telling first."""
    response, trace = ("response", outcome.reading.response_id), ("trace", trace_id)
    tokens = ("tokens", outcome.reading.counts)
    pairs = (response, tokens, trace) if outcome.reason == reasons.SAME_SHAPE else (response, trace, tokens)
    return tuple(pair for pair in pairs if pair[1])


def _row(outcome: Outcome) -> tuple[str, ...]:
    """Provider, model, status, reason, match, operator, region, evidence and the region that the span tells."""
    profile, footprint = outcome.reading.profile, outcome.footprint
    told = profile.region.region if profile.region.evidence != UNKNOWN and profile.region.region else ""
    provenance = footprint.factors.provenance if footprint is not None else None
    return (
        profile.provider,
        profile.model,
        outcome.status,
        outcome.reason,
        provenance.match if provenance else "",
        provenance.provider if provenance else "",
        provenance.region if provenance else "",
        provenance.region_evidence if provenance else "",
        told,
    )
