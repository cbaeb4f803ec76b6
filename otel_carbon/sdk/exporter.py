"""The span exporter: enriches finished spans on their way to another exporter, with public API only."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter

from otel_carbon.sdk.domain import CarbonDomain, shared_domain
from otel_carbon.sdk.spans import SpanViews, may_be_genai

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.trace.export import SpanExportResult

    from otel_carbon.enrich_settings import EnrichSettings
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.spans.write import AttributeValue

logger = logging.getLogger(__name__)


class CarbonSpanExporter(SpanExporter):
    """Hand enriched copies of spans to a delegate; spans of others pass as they are.

    For declarative configuration, and for those who want no span touched in process.
    Spans of one batch are decided together. Arguments are those of `CarbonSpanProcessor`.
    """

    def __init__(
        self,
        delegate: SpanExporter,
        registry: Registry | None = None,
        settings: EnrichSettings | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        own = registry or settings or meter_provider
        self._domain = CarbonDomain(registry, settings, meter_provider) if own else shared_domain()
        self._delegate = delegate
        self._views = SpanViews()
        self._unsaid = ["failure"]

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the batch, enriched where it holds GenAI spans."""
        try:
            spans = self._enriched(spans)
        except Exception as error:  # the spans matter more than our attributes
            self._report(error)
        return self._delegate.export(spans)

    def shutdown(self) -> None:
        """Shut the delegate down."""
        self._delegate.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the delegate."""
        return self._delegate.force_flush(timeout_millis)

    def _enriched(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        batch = list(spans)
        positions = [i for i, span in enumerate(batch) if may_be_genai(span.attributes or {})]
        views = [self._views.view(batch[i], dict(batch[i].attributes or {}), batch[i].end_time or 0) for i in positions]
        enricher = self._domain.enricher
        for i, outcome in zip(positions, enricher.enrich_together(views), strict=True):
            added = outcome.attributes(full=enricher.settings.full) if outcome else {}
            if added:
                batch[i] = _EnrichedSpan(batch[i], added)
        return batch

    def _report(self, error: Exception) -> None:
        """Say it once; a log line for each batch would hurt more than it helps."""
        try:
            self._unsaid.pop()
        except IndexError:
            return
        logger.warning("a batch was exported without footprints", exc_info=error)


class _EnrichedSpan(ReadableSpan):
    """A copy of a span with more attributes, which remembers what the limits took from the original."""

    def __init__(self, original: ReadableSpan, added: dict[str, AttributeValue]) -> None:
        super().__init__(
            name=original.name,
            context=original.context,
            parent=original.parent,
            resource=original.resource,
            attributes={**(original.attributes or {}), **added},
            events=original.events,
            links=original.links,
            kind=original.kind,
            instrumentation_scope=original.instrumentation_scope,
            status=original.status,
            start_time=original.start_time,
            end_time=original.end_time,
        )
        self._dropped = original.dropped_attributes, original.dropped_events, original.dropped_links

    @property
    def dropped_attributes(self) -> int:
        """How many attributes the limits took."""
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        """How many events the limits took."""
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        """How many links the limits took."""
        return self._dropped[2]
