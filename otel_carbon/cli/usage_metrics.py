"""The part of the carbon processor that reads metrics, with a word to the log on what has no figure."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from otel_carbon.core.reasons import SENTENCES

if TYPE_CHECKING:
    from otel_carbon.collector.self_metrics import CarbonNumbers
    from otel_carbon.otlp.metrics import UsageFromMetrics

_logger = logging.getLogger(__name__)
MAX_TOLD = 1000
"""How many models without a figure are told of."""


class MetricsStage:
    """Books requests, and says once for each model why its tokens have no figure.

    Of calls whose number is not known, no counter has the reason.
    """

    def __init__(self, usage: UsageFromMetrics) -> None:
        self._usage = usage
        self._told: set[tuple[str, str, str]] = set()

    def __call__(self, body: bytes) -> None:
        """Book one request."""
        for usage, reason in self._usage.book(body):
            about = (usage.resource.service, usage.profile.model, reason)
            if reason and about not in self._told and len(self._told) < MAX_TOLD:
                self._told.add(about)
                _logger.warning(
                    "metrics of %s name the model %r, whose tokens are counted without a figure: %s: %s",
                    usage.resource.service,
                    usage.profile.model,
                    reason,
                    SENTENCES[reason],
                )

    def numbers(self) -> CarbonNumbers:
        """What has become of the points so far, for the collector's own page."""
        from otel_carbon.collector.self_metrics import CarbonNumbers

        found = self._usage.numbers()
        return CarbonNumbers(found.points, found.known_series, found.dropped_series, found.waiting_tokens)
