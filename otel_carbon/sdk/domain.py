"""One counting domain of a process: enricher, metrics, and what happens to them at a fork."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from otel_carbon.counting.window import CountingWindow
from otel_carbon.enricher import Enricher
from otel_carbon.metrics.labels import LabelBudget
from otel_carbon.metrics.totals import Totals
from otel_carbon.sdk.environment import registry_from_environment, settings_from_environment
from otel_carbon.sdk.instruments import register_instruments

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

    from otel_carbon.enrich_settings import EnrichSettings
    from otel_carbon.registry.catalog import Registry

MAX_CALLS = 32_768
"""Calls remembered in process: 25 MB at most, and fifty calls a second for ten minutes."""
MAX_SERIES = 300
"""Label sets in process: five token kinds each stay below the SDK's limit of 2,000 points an instrument."""


class CarbonDomain:
    """What all processors and exporters of a process share, so that a call seen by two of them counts once.

    `meter_provider` is where the counters go; `None` is the global one, also when it is set later.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        settings: EnrichSettings | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        registry = registry or registry_from_environment(os.environ)
        self.enricher = Enricher(
            registry,
            settings or settings_from_environment(os.environ, registry),
            CountingWindow(time.monotonic, max_calls=MAX_CALLS, archives=False),
            Totals(LabelBudget(MAX_SERIES)),
        )
        register_instruments(self.enricher.totals, meter_provider)
        self_reference = weakref.ref(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _reset(self_reference))


def _reset(reference: weakref.ref[CarbonDomain]) -> None:
    domain = reference()
    if domain is not None:
        domain.enricher.reset_after_fork()


_shared_lock = threading.Lock()
_shared: list[CarbonDomain] = []


def shared_domain() -> CarbonDomain:
    """The process's default domain, configured by `OTEL_CARBON_*`; made when first asked for."""
    with _shared_lock:
        if not _shared:
            _shared.append(CarbonDomain())
        return _shared[0]
