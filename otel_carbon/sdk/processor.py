"""The span processor: energy, emissions and water on each GenAI span of an application."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from otel_carbon import attributes as ours
from otel_carbon.sdk.domain import CarbonDomain, shared_domain
from otel_carbon.sdk.end_hook import EndHook
from otel_carbon.sdk.spans import SpanViews, may_be_genai
from otel_carbon.spans.role import Role
from otel_carbon.spans.told_beside import told_beside
from otel_carbon.switches import is_disabled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from otel_carbon.enrich_settings import EnrichSettings
    from otel_carbon.metrics.totals import Totals
    from otel_carbon.registry.catalog import Registry
    from otel_carbon.spans.write import AttributeValue

logger = logging.getLogger(__name__)


class CarbonSpanProcessor(SpanProcessor):
    """Add `otel_carbon.*` attributes to GenAI spans before they end, and count them in OpenTelemetry metrics.

    Works at any position among a provider's processors, and never raises into or blocks the application.
    Without arguments all processors and exporters of a process share one counting domain,
    configured by `OTEL_CARBON_*`; with any argument this one has a domain of its own.
    `OTEL_CARBON_DISABLED=true` makes it do nothing.

    Args:
        registry: the facts to use instead of the bundled ones.
        settings: what to write and how to label it.
        meter_provider: where the counters go instead of the global meter provider.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        settings: EnrichSettings | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._disabled = is_disabled(os.environ)
        own = registry or settings or meter_provider
        self._domain = CarbonDomain(registry, settings, meter_provider) if own else shared_domain()
        self._hook = EndHook(self._on_span_ending, self._report)
        self._views = SpanViews()
        self._unsaid = ["failure"]
        self.missed = 0
        """Inference spans that were booked, but ended without our attributes because they were never watched."""

    @property
    def totals(self) -> Totals:
        """The running totals that the metrics report."""
        return self._domain.enricher.totals

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - SDK signature
        """Watch the span, so that it can be enriched while its attributes can still be set."""
        if self._disabled:
            return
        try:
            self._hook.watch(span)
        except Exception as error:  # nothing of ours may reach the host
            self._report(error)

    def _on_ending(self, span: Span) -> None:
        """Enrich the span, told of by the SDK before exporters see it; older SDKs and wrappers do not tell."""
        if not self._disabled:
            self._hook.tell(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Book an inference span that we were not told of in time, such as one started before this processor came."""
        if self._disabled:
            return
        try:
            attributes = self._hook.attributes_of(span)
            if may_be_genai(attributes) and ours.STATUS not in attributes:
                view = self._views.view(span, attributes, span.end_time or 0)
                reading = self._domain.enricher.reader.read(view)
                if reading is not None and reading.profile.role is Role.INFERENCE:
                    self._domain.enricher.enrich(view)
                    self.missed += 1
                    self._hook.distrust()
        except Exception as error:
            self._report(error)

    def shutdown(self) -> None:
        """Do nothing: the metrics are flushed by whoever reads them."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - SDK signature
        """Report success: everything is booked when a span ends."""
        return True

    def _on_span_ending(
        self, span: Span, attributes: Mapping[str, object], end_ns: int
    ) -> Mapping[str, AttributeValue]:
        enricher = self._domain.enricher
        outcome = enricher.enrich(self._views.view(span, attributes, end_ns), told_beside(span))
        return outcome.attributes(full=enricher.settings.full) if outcome else {}

    def _report(self, error: Exception) -> None:
        """Say it once; a log line for each span would hurt more than it helps."""
        try:
            self._unsaid.pop()  # of several threads, one gets here
        except IndexError:
            return
        logger.warning("a span was left without its footprint; the application is unaffected", exc_info=error)
