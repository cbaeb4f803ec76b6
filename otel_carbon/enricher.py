"""Read, count, estimate, book: what happens to finished spans, the same in process and in the collector."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.reasons import MODEL_NOT_NAMED, NO_USAGE
from otel_carbon.counting.candidate import AGGREGATE, COUNTED, NO_TOKENS, Candidate, response_key, shape_key, span_key
from otel_carbon.counting.window import CountingWindow
from otel_carbon.estimating import NS_PER_DAY, FactorResolver, day_from_unix_ns, footprint_of_counts, has_usage
from otel_carbon.methods.per_token import CallSubject
from otel_carbon.metrics.labels import NO_TENANT, SeriesLabels, label_text
from otel_carbon.metrics.totals import Totals
from otel_carbon.spans.read import read_span
from otel_carbon.spans.role import Role
from otel_carbon.spans.write import footprint_attributes, status_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from otel_carbon.core.factors import Factors
    from otel_carbon.core.footprint import Footprint
    from otel_carbon.counting.candidate import Verdict
    from otel_carbon.metrics.totals import Row
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.spans.read import GenAiReading, SpanProfile
    from otel_carbon.spans.view import ResourceView, SpanView
    from otel_carbon.spans.write import AttributeValue

DEFAULT_TENANT_ATTRIBUTE = ours.TENANT
MAX_CONTEXTS = 10_000


@dataclass(frozen=True, slots=True)
class EnrichSettings:
    """What a user may choose.

    `full` writes all attributes instead of the core ones.
    `configured_regions` (provider to region) wins over what calls report.
    `tenant_attribute` names the attribute that tells tenants apart, looked for on the span, then its resource.
    `already_enriched` says whether spans that an earlier hop judged are booked again (`count`) or not (`trust`).
    """

    full: bool = False
    configured_regions: Mapping[str, str] = field(default_factory=dict)
    tenant_attribute: str = DEFAULT_TENANT_ATTRIBUTE
    already_enriched: Literal["trust", "count"] = "trust"


@dataclass(slots=True)
class _Context:
    """What calls have in common; it holds the profile, whose identity is part of its key.

    Rows are made when something is booked in them: an empty row would say zero of what is unknown.
    """

    profile: SpanProfile
    factors: Factors | Unestimated
    labels: SeriesLabels
    row: Row | None = None
    row_without_figure: Row | None = None


class Observation(NamedTuple):
    """What is kept of a GenAI span until it is judged."""

    reading: GenAiReading
    candidate: Candidate
    resource: ResourceView


class Outcome(NamedTuple):
    """What became of a GenAI span; an empty `status` leaves the span as it is.

    `verdict` is one of the values of `otel_carbon.verdict`.
    """

    verdict: str
    status: str
    reason: str
    footprint: Footprint | None
    reading: GenAiReading
    upgrades: bool = False
    """Whether another span of the same call, one without usage, came out as an unestimated call before."""

    def attributes(self, *, full: bool) -> dict[str, AttributeValue]:
        """The attributes to add to the span."""
        if not self.status:
            return {}
        if self.footprint is not None:
            return footprint_attributes(self.footprint, full=full)
        return status_attributes(self.status, self.reason)


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
        self.window = window or CountingWindow(time.monotonic)
        self.totals = totals or Totals()
        self._resolver = FactorResolver(registry, self.settings.configured_regions)
        self._contexts: dict[tuple[int, str, str, str, int], _Context] = {}

    def enrich(self, span: SpanView) -> Outcome | None:
        """Judge one span as it ends and book it; `None` when it is no GenAI span."""
        observation = self.observe(span)
        if observation is None:
            return None
        with self.totals.lock:
            outcome = self._without_judging(observation)
            if outcome is None:
                outcome = self._inference(observation, self.window.judge(observation.candidate))
            self.totals.see(span.scope, outcome.verdict)
        return outcome

    def enrich_together(self, spans: Sequence[SpanView]) -> list[Outcome | None]:
        """Judge and book spans that arrived together; outcomes come in the order given, `None` for no GenAI span."""
        observations = [self.observe(span) for span in spans]
        outcomes = iter(self.judge_together([found for found in observations if found is not None]))
        return [None if found is None else next(outcomes) for found in observations]

    def observe(self, span: SpanView) -> Observation | None:
        """Read a span, so that its bytes need not be kept until it is judged; `None` when it is no GenAI span."""
        reading = read_span(span, self.settings.tenant_attribute)
        return None if reading is None else Observation(reading, _candidate(span, reading), span.resource)

    def judge_together(self, observations: Sequence[Observation]) -> list[Outcome]:
        """Judge and book what was observed of spans that arrived together; outcomes come in the order given.

        What earlier hops judged, and the spans that only link others, are known before the rest is judged.
        """
        with self.totals.lock:
            outcomes = [self._without_judging(observation) for observation in observations]
            waiting = [i for i, outcome in enumerate(outcomes) if outcome is None]
            verdicts = self.window.judge_together([observations[i].candidate for i in waiting])
            for i, verdict in zip(waiting, verdicts, strict=True):
                outcomes[i] = self._inference(observations[i], verdict)
            judged = [outcome for outcome in outcomes if outcome is not None]
            for observation, outcome in zip(observations, judged, strict=True):
                self.totals.see(observation.candidate.scope, outcome.verdict)
        return judged

    def reset_after_fork(self) -> None:
        """Start a child process with free locks, an empty window and zero counters: the past is its parent's."""
        self.window = CountingWindow(time.monotonic)
        self.totals.reset()
        self._contexts = {}

    def _without_judging(self, observation: Observation) -> Outcome | None:
        """The outcome of a span that is no candidate: judged by an earlier hop, or no inference."""
        profile = observation.reading.profile
        if profile.judged:
            return self._judged_before(observation)
        return None if profile.role is Role.INFERENCE else self._structure(observation)

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
        if verdict.kind != COUNTED:
            label = ours.VERDICT_REPEATED if verdict.repeated else verdict.kind
            return Outcome(label, verdict.kind, verdict.reason, None, observation.reading)
        context = self._context(observation)
        outcome = _estimated(observation.reading, context)
        if verdict.repeated:
            return outcome._replace(verdict=ours.VERDICT_REPEATED)
        self._book(context, outcome, operation=not verdict.upgrades)
        return outcome._replace(upgrades=True) if verdict.upgrades else outcome

    def _context(self, observation: Observation) -> _Context:
        """Factors and labels, which all calls of an application that say the same on the same day share."""
        profile, resource = observation.reading.profile, observation.resource
        tenant = profile.tenant or resource.attributes.get(self.settings.tenant_attribute)
        tenant_label = label_text(str(tenant)) if tenant else NO_TENANT
        day_number = observation.candidate.start_ns // NS_PER_DAY
        key = (id(profile), resource.service, resource.environment, tenant_label, day_number)
        known = self._contexts.get(key)
        if known is None:
            if len(self._contexts) >= MAX_CONTEXTS:
                self._contexts.clear()
            day = day_from_unix_ns(day_number * NS_PER_DAY)
            known = self._contexts[key] = self._new_context(profile, resource, tenant_label, day)
        return known

    def _new_context(self, profile: SpanProfile, resource: ResourceView, tenant: str, day: date) -> _Context:
        region = profile.region
        subject = CallSubject(
            profile.provider, profile.model, profile.operation, region.region, region.evidence, day, region.private_host
        )
        factors: Factors | Unestimated = Unestimated(MODEL_NOT_NAMED)
        if profile.model:
            factors = self._resolver.factors_of(subject)
        provenance = None if isinstance(factors, Unestimated) else factors.provenance
        texts = (
            provenance.provider if provenance else profile.provider,
            profile.model,
            provenance.region if provenance else region.region or "",
            provenance.tier if provenance else "",
            tenant,
            resource.service,
            resource.environment,
        )
        labels = SeriesLabels(*(label_text(text) for text in texts))
        return _Context(profile, factors, labels)

    def _judged_before(self, observation: Observation) -> Outcome:
        """Keep the verdict of an earlier hop as evidence; the span stays untouched."""
        judged = observation.reading.profile.judged
        kind = judged if judged in (ours.STATUS_DUPLICATE, ours.STATUS_AGGREGATE) else COUNTED
        verdict = self.window.note_judged(observation.candidate, kind)
        label = ours.VERDICT_REPEATED if verdict.repeated else ours.VERDICT_ALREADY_ENRICHED
        if self.settings.already_enriched == "trust" or kind != COUNTED:
            return Outcome(label, "", "", None, observation.reading)
        context = self._context(observation)
        outcome = _estimated(observation.reading, context)
        if verdict.kind == COUNTED and not verdict.repeated:
            self._book(context, outcome, operation=not verdict.upgrades)
        return Outcome(label, "", outcome.reason, outcome.footprint, observation.reading)

    def _book(self, context: _Context, outcome: Outcome, *, operation: bool) -> None:
        """Add a call to the totals, whose lock is held."""
        if outcome.footprint is not None:
            row = context.row = context.row or self.totals.row(context.labels)
            row.add_footprint(outcome.footprint)
        else:
            row = context.row_without_figure = context.row_without_figure or self.totals.row(
                context.labels._replace(tier="")
            )
            if outcome.reading.tokens is not None:
                row.add_tokens(outcome.reading.tokens)
        if operation:
            row.count_operation(outcome.status, outcome.reason)


def _estimated(reading: GenAiReading, context: _Context) -> Outcome:
    factors = context.factors
    if reading.tokens is None or reading.counts is None:
        factors = reading.problem or Unestimated(NO_USAGE)
    elif not has_usage(reading.profile.operation, reading.counts[0], reading.counts[1]):
        factors = Unestimated(NO_USAGE)
    if isinstance(factors, Unestimated) or reading.tokens is None:
        reason = factors.reason if isinstance(factors, Unestimated) else NO_USAGE
        return Outcome(ours.VERDICT_UNESTIMATED, ours.STATUS_UNESTIMATED, reason, None, reading)
    input_reported = reading.counts is not None and reading.counts[0] is not None
    footprint = footprint_of_counts(reading.tokens, factors, input_reported=input_reported)
    return Outcome(ours.VERDICT_COUNTED, ours.STATUS_ESTIMATED, "", footprint, reading)


def _candidate(span: SpanView, reading: GenAiReading) -> Candidate:
    counts, profile = reading.counts, reading.profile
    tokens = (counts[0], counts[1]) if counts else NO_TOKENS
    return Candidate(
        span_key(span.trace_id, span.span_id),
        span_key(span.trace_id, span.parent_span_id),
        span.scope,
        span.start_ns,
        max(span.start_ns, span.end_ns),
        response_key(reading.response_id),
        profile.model,
        tokens,
        shape_key(span.resource.service, profile.model, tokens),
        span.span_id,
    )
