"""Read, count, estimate, book: what happens to finished spans, the same in process and in the collector."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.core.footprint import Footprint, Unestimated
from otel_carbon.core.tokens import additive_from_usage
from otel_carbon.counting.candidate import COUNTED, NO_TOKENS, Candidate, TokenShape, response_key, span_key
from otel_carbon.counting.window import CountingWindow
from otel_carbon.estimating import FactorResolver, day_from_unix_ns, estimate_with
from otel_carbon.methods.per_token import CallSubject
from otel_carbon.metrics.labels import NO_TENANT, SeriesLabels, label_text
from otel_carbon.metrics.totals import Booking, SeenSpan, Totals
from otel_carbon.spans.read import GenAiReading, read_span
from otel_carbon.spans.role import Role
from otel_carbon.spans.write import footprint_attributes, status_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.counting.candidate import Verdict
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.spans.view import SpanView
    from otel_carbon.spans.write import AttributeValue

DEFAULT_TENANT_ATTRIBUTE = ours.TENANT


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


class Outcome(NamedTuple):
    """What became of a GenAI span; an empty `status` leaves the span as it is.

    `verdict` is one of the values of `otel_carbon.verdict`.
    """

    verdict: str
    status: str
    reason: str
    footprint: Footprint | None
    reading: GenAiReading | None

    def attributes(self, *, full: bool) -> dict[str, AttributeValue]:
        """The attributes to add to the span."""
        if self.footprint is not None:
            return footprint_attributes(self.footprint, full=full)
        return status_attributes(self.status, self.reason) if self.status else {}


_OTHER = Outcome(ours.VERDICT_GENAI_OTHER, "", "", None, None)


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

    def enrich(self, span: SpanView) -> Outcome | None:
        """Judge one span as it ends and book it; `None` when it is no GenAI span."""
        return self.enrich_together([span])[0]

    def enrich_together(self, spans: Sequence[SpanView]) -> list[Outcome | None]:
        """Judge and book spans that arrived together; outcomes come in the order given."""
        outcomes: list[Outcome | None] = [None] * len(spans)
        inferences: list[tuple[int, GenAiReading, Candidate]] = []
        bookings: list[Booking] = []
        for i, span in enumerate(spans):
            if span.attributes.get(ours.STATUS) in ours.STATUS_VALUES:
                outcomes[i] = self._judged_before(span, bookings)
            elif (reading := read_span(span)) is not None:
                candidate = _candidate(span, reading)
                if reading.role is Role.INFERENCE:
                    inferences.append((i, reading, candidate))
                else:
                    outcomes[i] = self._structure(reading, candidate)
        if inferences:
            verdicts = self._verdicts([candidate for _, _, candidate in inferences])
            for (i, reading, _), verdict in zip(inferences, verdicts, strict=True):
                outcomes[i] = self._inference(spans[i], reading, verdict, bookings)
        seen = [SeenSpan(span.scope, found.verdict) for span, found in zip(spans, outcomes, strict=True) if found]
        if seen:
            self.totals.book(bookings, seen)
        return outcomes

    def estimate_span(self, span: SpanView, reading: GenAiReading) -> Footprint | Unestimated:
        """The footprint of an inference span, counted or not."""
        if reading.usage is None:
            return reading.problem or Unestimated("no_usage")
        region = reading.region
        subject = CallSubject(
            reading.provider,
            reading.model,
            reading.operation,
            region.region,
            region.evidence,
            day_from_unix_ns(span.start_ns),
            region.private_host,
        )
        return estimate_with(self._resolver, subject, reading.usage)

    def _verdicts(self, candidates: list[Candidate]) -> list[Verdict]:
        if len(candidates) == 1:
            return [self.window.judge(candidates[0])]
        return self.window.judge_together(candidates)

    def _structure(self, reading: GenAiReading, candidate: Candidate) -> Outcome:
        verdict = self.window.note_structure(candidate, aggregate=reading.role is Role.AGGREGATE)
        if verdict is None:
            return _OTHER._replace(reading=reading)
        label = ours.VERDICT_REPEATED if verdict.repeated else ours.VERDICT_AGGREGATE
        return Outcome(label, ours.STATUS_AGGREGATE, verdict.reason, None, reading)

    def _inference(self, span: SpanView, reading: GenAiReading, verdict: Verdict, bookings: list[Booking]) -> Outcome:
        if verdict.kind != COUNTED:
            label = ours.VERDICT_REPEATED if verdict.repeated else verdict.kind
            return Outcome(label, verdict.kind, verdict.reason, None, reading)
        result = self.estimate_span(span, reading)
        if isinstance(result, Unestimated):
            outcome = Outcome(ours.VERDICT_UNESTIMATED, ours.STATUS_UNESTIMATED, result.reason, None, reading)
        else:
            outcome = Outcome(ours.VERDICT_COUNTED, ours.STATUS_ESTIMATED, "", result, reading)
        if verdict.repeated:
            return outcome._replace(verdict=ours.VERDICT_REPEATED)
        bookings.append(self._booking(span, outcome, operation=not verdict.upgrades))
        return outcome

    def _judged_before(self, span: SpanView, bookings: list[Booking]) -> Outcome:
        """Keep the verdict of an earlier hop as evidence; the span stays untouched."""
        status = span.attributes.get(ours.STATUS)
        reading = read_span(span)
        if reading is None:
            return Outcome(ours.VERDICT_ALREADY_ENRICHED, "", "", None, None)
        kind = status if status in (ours.STATUS_DUPLICATE, ours.STATUS_AGGREGATE) else COUNTED
        repeated = self.window.note_judged(_candidate(span, reading), str(kind))
        if self.settings.already_enriched == "count" and kind == COUNTED and not repeated:
            result = self.estimate_span(span, reading)
            footprint = result if isinstance(result, Footprint) else None
            reason = result.reason if isinstance(result, Unestimated) else ""
            bookings.append(self._booking(span, Outcome("", str(status), reason, footprint, reading), operation=True))
        label = ours.VERDICT_REPEATED if repeated else ours.VERDICT_ALREADY_ENRICHED
        return Outcome(label, "", "", None, reading)

    def _booking(self, span: SpanView, outcome: Outcome, *, operation: bool) -> Booking:
        reading, footprint = outcome.reading, outcome.footprint
        assert reading is not None  # noqa: S101 - only outcomes of readings are booked
        tenant_key = self.settings.tenant_attribute
        tenant = span.attributes.get(tenant_key) or span.resource.attributes.get(tenant_key)
        provenance = footprint.factors.provenance if footprint else None
        labels = SeriesLabels(
            label_text(provenance.provider if provenance else reading.provider),
            label_text(reading.model),
            label_text(provenance.region if provenance else reading.region.region or ""),
            provenance.tier if provenance else "",
            label_text(str(tenant)) if tenant else NO_TENANT,
            label_text(span.resource.service),
            label_text(span.resource.environment),
        )
        tokens = footprint.tokens if footprint else additive_from_usage(reading.usage) if reading.usage else None
        return Booking(labels, outcome.status if operation else "", outcome.reason, footprint, tokens)


def _candidate(span: SpanView, reading: GenAiReading) -> Candidate:
    usage = reading.usage
    return Candidate(
        span_key(span.trace_id, span.span_id),
        span_key(span.trace_id, span.parent_span_id),
        span.scope,
        span.resource.service,
        span.start_ns,
        max(span.start_ns, span.end_ns),
        response_key(reading.provider, reading.response_id),
        reading.model,
        TokenShape(usage.input_tokens, usage.output_tokens) if usage else NO_TOKENS,
    )
