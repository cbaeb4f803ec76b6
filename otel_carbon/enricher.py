"""Read, count, estimate, book: what happens to finished spans, the same in process and in the collector."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from otel_carbon import attributes as ours
from otel_carbon.booking import Booking
from otel_carbon.core import reasons
from otel_carbon.core.footprint import Unestimated, footprint_of, units_of
from otel_carbon.core.tokens import NO_TOKENS_AT_ALL
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, NO_TOKENS, Candidate, response_key, shape_key, span_keys
from otel_carbon.counting.window import CountingWindow
from otel_carbon.enrich_settings import ANY_SERVICE, EnrichSettings
from otel_carbon.estimating import NS_PER_DAY, FactorResolver, has_usage, with_assumptions
from otel_carbon.metrics.examples import Example
from otel_carbon.metrics.totals import Totals
from otel_carbon.spans.model_names import with_provider_names
from otel_carbon.spans.read import SpanReader
from otel_carbon.spans.role import Role
from otel_carbon.spans.sampling import adjusted_count
from otel_carbon.spans.write import footprint_attributes, status_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.booking import BookingContext
    from otel_carbon.core.factors import Factors
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.core.tokens import AdditiveTokens
    from otel_carbon.counting.candidate import Verdict
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.spans.counts import Counts
    from otel_carbon.spans.read import GenAiReading
    from otel_carbon.spans.view import ResourceView, SpanView
    from otel_carbon.spans.write import AttributeValue
    from otel_carbon.usage_metrics.profiles import UsageProfile

Identity = tuple[int | bytes, int | bytes, int | bytes, int, int]
"""Trace, span and parent id of a span, its start and its end."""


@dataclass(slots=True)
class Observation:
    """What is kept of a GenAI span until it is judged; not frozen, as one is made for every span."""

    reading: GenAiReading
    candidate: Candidate
    resource: ResourceView
    is_candidate: bool
    stands_for: float | None = None
    """How many calls sampling kept this one for, itself included; `None` when it does not say."""
    ids: tuple[int | bytes, int | bytes] | None = None
    """Trace and parent span, kept for a journal."""
    trace_id: int | bytes = 0


@dataclass(slots=True)
class Outcome:
    """What became of a GenAI span; an empty `status` leaves the span as it is.

    `verdict` is one of the values of `otel_carbon.verdict`. Not frozen, as one is made for every span.
    """

    verdict: str
    status: str
    reason: str
    factors: Factors | None
    """What the tokens of an estimated call are multiplied by."""
    reading: GenAiReading
    upgrades: bool = False
    """Whether another span of the same call, one without usage, came out as an unestimated call before."""

    @property
    def footprint(self) -> Footprint | None:
        """The figures of an estimated call, worked out each time: where spans go nowhere nobody asks."""
        if self.factors is None:
            return None
        return footprint_of(self.reading.tokens or NO_TOKENS_AT_ALL, self.factors, self.reading.metered_nj)

    def attributes(self, *, full: bool) -> dict[str, AttributeValue]:
        """The attributes to add to the span."""
        if not self.status:
            return {}
        footprint = self.footprint
        if footprint is not None:
            return footprint_attributes(footprint, full=full)
        return status_attributes(self.status, self.reason)


class Journal(Protocol):
    """Keeps what was judged for a process to come."""

    def note(self, observations: Sequence[Observation], outcomes: Sequence[Outcome | None]) -> None:
        """Note spans that were judged together; the outcome of one that failed is `None`."""


class Enricher:
    """One counting domain: registry, window and totals that belong together; safe to use from any thread."""

    def __init__(
        self,
        registry: Registry,
        settings: EnrichSettings | None = None,
        window: CountingWindow | None = None,
        totals: Totals | None = None,
    ) -> None:
        self.settings = settings or EnrichSettings()
        self.registry = registry
        self.reader = SpanReader(self.settings.tenant_attribute, with_provider_names(self.settings.models))
        self.window = window or CountingWindow(time.monotonic)
        self.totals = totals or Totals()
        resolver = FactorResolver(
            registry, self.settings.configured_regions, self.settings.strict, self.settings.grid_table
        )
        self._booking = Booking(resolver, self.totals, self.settings.tenant_attribute)
        self._batch = 0
        """Which spans that arrived together are being booked, by a number."""
        self.journal: Journal | None = None
        """Told what was judged, while the lock of the totals is held."""

    def enrich(self, span: SpanView, told: Counts | None = None) -> Outcome | None:
        """Judge one span as it ends and book it; `None` when it is no GenAI span.

        `told` are counts that came to be known beside it.
        """
        observation = self.observe(span)
        if observation is None:
            return None
        if told is not None:
            observation.reading.complete(told)
            observation.candidate = _candidate(observation.reading, _identity(span), span.scope, span.resource)
        with self.totals.lock:
            self._batch += 1
            if observation.is_candidate:
                outcome = self._inference(observation, self.window.judge(observation.candidate))
            else:
                outcome = self._without_judging(observation)
            self.totals.see_one(_seen_as(observation, outcome))
        return outcome

    def enrich_together(self, spans: Sequence[SpanView]) -> list[Outcome | None]:
        """Judge and book spans that arrived together; outcomes come in the order given, `None` for no GenAI span."""
        observations = [self.observe(span) for span in spans]
        outcomes = iter(self.judge_together([found for found in observations if found is not None]))
        return [None if found is None else next(outcomes) for found in observations]

    def observe(self, span: SpanView) -> Observation | None:
        """Read a span, so that its bytes need not be kept until it is judged; `None` when it is no GenAI span."""
        try:
            reading = self.reader.read(span)
        except Exception:  # one span that no rule foresaw must not cost the others of its request
            reading = None
        if reading is None:
            self._see_unread(span)
            return None
        return self.observed(reading, _identity(span), span.scope, span.resource, span.trace_state)

    def observed(
        self, reading: GenAiReading, identity: Identity, scope: str, resource: ResourceView, trace_state: str
    ) -> Observation:
        """What is to be judged of a span that was read."""
        profile = reading.profile
        is_candidate = profile.role is _INFERENCE and not profile.judged
        settings = self.settings
        if is_candidate and (profile.served or settings.pass_through or settings.usage_source):
            is_candidate = self._counts_at(resource.service, served=profile.served)
        stands_for = adjusted_count(trace_state) if trace_state else None
        trace_id, _, parent_span_id, _, _ = identity
        ids = None if self.journal is None else (trace_id, parent_span_id)
        candidate = _candidate(reading, identity, scope, resource)
        return Observation(reading, candidate, resource, is_candidate, stands_for, ids, trace_id)

    def _counts_at(self, service: str, *, served: bool) -> bool:
        """Whether the settings let the inference spans of a service count; `served` ones only where they are named."""
        if service in self.settings.pass_through or self.settings.counts_metrics_of(service):
            return False
        return not served or not self.settings.accounting_point.isdisjoint((service, ANY_SERVICE))

    def judge_together(self, observations: Sequence[Observation]) -> list[Outcome]:
        """Judge and book what was observed of spans that arrived together; outcomes come in the order given.

        What earlier hops judged, and the spans that only link others, are known before the rest is judged.
        """
        outcomes: list[Outcome | None] = [None] * len(observations)
        waiting: list[int] = []
        with self.totals.lock:
            self._batch += 1
            for i, observation in enumerate(observations):
                if observation.is_candidate:
                    waiting.append(i)
                else:
                    outcomes[i] = self._without_judging(observation)
            verdicts, twins = self.window.judge_with_twins([observations[i].candidate for i in waiting])
            failure: Exception | None = None
            for counted, others in twins.items():
                try:
                    observations[waiting[counted]].reading.merge(observations[waiting[i]].reading for i in others)
                except Exception as error:  # the call is booked as its span tells it
                    failure = error
            for i, verdict in zip(waiting, verdicts, strict=True):
                try:
                    outcomes[i] = self._inference(observations[i], verdict)
                except Exception as error:  # the other calls are booked all the same: they will not be judged anew
                    failure = error
            if self.journal is not None:
                self.journal.note(observations, outcomes)
            if failure is not None:
                raise failure
            judged = cast("list[Outcome]", outcomes)
            self.totals.see(map(_seen_as, observations, judged))
        return judged

    def reset_after_fork(self) -> None:
        """Start a child process with free locks, an empty window and zero counters: the past is its parent's."""
        self.window = self.window.emptied()
        self.totals.reset()
        self._booking.reset()

    def _see_unread(self, span: SpanView) -> None:
        """Count a span that looks like a GenAI span but cannot be read, so that a blind spot shows."""
        if self.reader.looks_genai(span):
            dialect = self.reader.dialect_of(span.scope)
            with self.totals.lock:
                self.totals.see_one((span.scope, dialect.name if dialect else "", ours.VERDICT_NOT_READ))

    def _without_judging(self, observation: Observation) -> Outcome:
        """The outcome of a span that is no candidate: judged by an earlier hop, counted elsewhere, or no inference."""
        profile = observation.reading.profile
        if profile.judged:
            return self._judged_before(observation)
        if profile.role is not Role.INFERENCE:
            return self._structure(observation)
        if self.settings.counts_metrics_of(observation.resource.service):
            return self._counted_from_metrics(observation)
        self.window.note_relay(observation.candidate)
        return Outcome(
            ours.VERDICT_DUPLICATE, ours.STATUS_DUPLICATE, reasons.ACCOUNTING_POINT, None, observation.reading
        )

    def _counted_from_metrics(self, observation: Observation) -> Outcome:
        """Keep the call as evidence, so that spans of it from other services, as of a gateway, do not count either."""
        verdict = self.window.note_judged(observation.candidate, COUNTED)
        label = ours.VERDICT_REPEATED if verdict.repeated else ours.VERDICT_DUPLICATE
        return Outcome(label, ours.STATUS_DUPLICATE, reasons.USAGE_FROM_METRICS, None, observation.reading)

    def _structure(self, observation: Observation) -> Outcome:
        reading = observation.reading
        aggregate = reading.profile.role is Role.AGGREGATE
        verdict = self.window.note_structure(observation.candidate, aggregate=aggregate)
        if verdict is None:
            return Outcome(ours.VERDICT_GENAI_OTHER, "", "", None, reading)
        if verdict.kind != AGGREGATE:  # delivered before as something else, which stays what it was
            return Outcome(ours.VERDICT_REPEATED, "", "", None, reading)
        label = ours.VERDICT_REPEATED if verdict.repeated else ours.VERDICT_AGGREGATE
        return Outcome(label, ours.STATUS_AGGREGATE, verdict.reason, None, reading)

    def _inference(self, observation: Observation, verdict: Verdict) -> Outcome:
        reading = observation.reading
        if verdict.kind != COUNTED:
            label = ours.VERDICT_REPEATED if verdict.repeated else verdict.kind
            return Outcome(label, verdict.kind, verdict.reason, None, reading)
        context = self._booking.context(reading.profile, observation.resource, observation.candidate.start_ns)
        outcome = _estimated(reading, context.factors)
        if verdict.repeated:
            outcome.verdict = ours.VERDICT_REPEATED
        else:
            outcome.upgrades = verdict.upgrades
            self._book(context, outcome, observation, operation=not verdict.upgrades)
        return outcome

    def _judged_before(self, observation: Observation) -> Outcome:
        """Keep the verdict of an earlier hop as evidence; the span stays untouched."""
        trusted = self.settings.already_enriched == "trust"
        if not trusted and observation.resource.service in self.settings.pass_through:
            self.window.note_relay(observation.candidate)
            return Outcome(ours.VERDICT_ALREADY_ENRICHED, "", "", None, observation.reading)
        judged = observation.reading.profile.judged
        kind = judged if judged in (ours.STATUS_DUPLICATE, ours.STATUS_AGGREGATE) else COUNTED
        verdict = self.window.note_judged(observation.candidate, kind)
        label = ours.VERDICT_REPEATED if verdict.repeated else ours.VERDICT_ALREADY_ENRICHED
        if trusted or kind != COUNTED or self.settings.counts_metrics_of(observation.resource.service):
            return Outcome(label, "", "", None, observation.reading)
        reading = observation.reading
        context = self._booking.context(reading.profile, observation.resource, observation.candidate.start_ns)
        outcome = _estimated(reading, context.factors)
        if verdict.kind == COUNTED and not verdict.repeated:
            self._book(context, outcome, observation, operation=not verdict.upgrades)
        return Outcome(label, "", outcome.reason, outcome.factors, reading)

    def _book(self, context: BookingContext, outcome: Outcome, observation: Observation, *, operation: bool) -> None:
        """Add a call to the totals, whose lock is held."""
        factors, reading = outcome.factors, outcome.reading
        account = self._booking.account(context, factors, outcome.status, outcome.reason)
        account.calls += operation
        self.totals.touch(account)
        tokens = reading.tokens
        if factors is not None:
            counted = tokens or NO_TOKENS_AT_ALL
            account.add_tokens(counted, units_of(counted, factors, reading.metered_nj))
        elif tokens is not None:
            account.add_tokens(tokens)
        if account.batch != self._batch:  # one for each request is enough
            account.batch = self._batch
            account.example = Example(observation.trace_id, observation.candidate.span_id, outcome.footprint, tokens)
        if observation.stands_for is not None:
            self.totals.extrapolate(account, observation.stands_for - 1, outcome.footprint, operation=operation)

    def book_usage(
        self, profile: UsageProfile, resource: ResourceView, day_number: int, tokens: AdditiveTokens, calls: int
    ) -> str:
        """Book what metrics report of the calls of one day; `calls` is 0 when their number is not known.

        `day_number` counts days in UTC from 1970 on. Returns the reason why there is no figure, empty when there is.
        """
        with self.totals.lock:
            context = self._booking.context(profile, resource, day_number * NS_PER_DAY)
            factors = context.factors
            if isinstance(factors, Unestimated):
                reason = factors.reason
                account = self._booking.account(context, None, ours.STATUS_UNESTIMATED, reason)
            else:
                reason = ""
                account = self._booking.account(context, factors, ours.STATUS_ESTIMATED, reason)
            account.calls += calls
            self.totals.touch(account)
            account.add_tokens(tokens)  # nobody knows how long each context was
        return reason


_NO_USAGE = Unestimated(reasons.NO_USAGE)
_INFERENCE = Role.INFERENCE  # looking a member up costs more than comparing it


def _estimated(reading: GenAiReading, factors: Factors | Unestimated) -> Outcome:
    if reading.profile.metered:
        return _metered(reading, factors)
    tokens, counts, codes = reading.tokens, reading.counts, reading.codes
    if tokens is None or counts is None:
        factors = reading.problem or _NO_USAGE
    elif counts[1] is None and not has_usage(reading.profile.operation, counts[0], counts[1]):
        factors = _NO_USAGE
    elif not isinstance(factors, Unestimated):
        factors = with_assumptions(factors, codes) if codes else factors
        return Outcome(ours.VERDICT_COUNTED, ours.STATUS_ESTIMATED, "", factors, reading)
    return Outcome(ours.VERDICT_UNESTIMATED, ours.STATUS_UNESTIMATED, factors.reason, None, reading)


def _metered(reading: GenAiReading, factors: Factors | Unestimated) -> Outcome:
    """The outcome of a call whose energy a meter gave, whatever is known of its tokens."""
    if not isinstance(factors, Unestimated):
        if reading.metered_nj is not None:
            return Outcome(ours.VERDICT_COUNTED, ours.STATUS_ESTIMATED, "", factors, reading)
        factors = Unestimated(reasons.INVALID_METERED_ENERGY)
    return Outcome(ours.VERDICT_UNESTIMATED, ours.STATUS_UNESTIMATED, factors.reason, None, reading)


def _identity(span: SpanView) -> Identity:
    return span.trace_id, span.span_id, span.parent_span_id, span.start_ns, span.end_ns


def _candidate(reading: GenAiReading, identity: Identity, scope: str, resource: ResourceView) -> Candidate:
    trace_id, span_id, parent_span_id, start_ns, end_ns = identity
    counts, profile = reading.counts, reading.profile
    tokens = (counts[0], counts[1] or None) if counts else NO_TOKENS  # embeddings: no output, or an output of zero
    key, parent_key = span_keys(trace_id, span_id, parent_span_id)
    return Candidate(
        key,
        parent_key,
        scope,
        start_ns,
        max(start_ns, end_ns),
        response_key(reading.response_id),
        profile.model,
        tokens,
        shape_key(resource.emitter or resource.service, profile.model, tokens),
        span_id,
        profile.trust,
        profile.leaf,
    )


def _seen_as(observation: Observation, outcome: Outcome) -> tuple[str, str, str]:
    """Scope, dialect and verdict, as the totals count them."""
    return observation.candidate.scope, observation.reading.profile.dialect, outcome.verdict
