"""The sample company at work now: requests one after another to a collector that somebody runs, until told to stop."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from otel_carbon.demo.playback import play_span, service_provider
from otel_carbon.demo.traffic import PlannedService, plan_traffic
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import TracerProvider

    from otel_carbon.demo.span_trees import PlannedSpan
    from otel_carbon.demo.traffic import TrafficPlan

    Episode = tuple[str, tuple[PlannedSpan, ...]]
    """A service and the traces of one request to it."""

PAUSE_S = 0.5
"""Time from one request to the next, in seconds."""
EXIT_DONE = 0
_TRACES_PATH = "/v1/traces"


class LiveConsole(Protocol):
    """Where it says that it begins and ends."""

    def note(self, text: str) -> None:
        """One line of progress."""


def send_until_told(backend_url: str, console: LiveConsole) -> int:
    """Send sample traffic until SIGINT or SIGTERM; has to run in the main thread.

    Args:
        backend_url: where a collector takes OTLP/HTTP, without a path.
        console: where to write.

    Returns:
        The exit code, 0.
    """
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # as first process of a container it would get neither otherwise
        signal.signal(number, lambda *_: told.set())
    console.note(f"sending sample traffic to {backend_url}, a request every {PAUSE_S:g} s; press Ctrl+C to end")
    sent = send_live_traffic(backend_url, told)
    console.note(f"ended after {sent:,} requests")
    return EXIT_DONE


def send_live_traffic(backend_url: str, told: threading.Event, *, pause_s: float = PAUSE_S) -> int:
    """Play requests of the sample services as if they ended just now; the collector enriches all of them.

    What cannot be sent is tried again and then given up by the SDK's exporter, which logs it.

    Args:
        backend_url: where a collector takes OTLP/HTTP, without a path.
        told: ends it.
        pause_s: time from one request to the next, in seconds.

    Returns:
        How many requests were played.
    """
    url = backend_url.rstrip("/") + _TRACES_PATH
    registry = Registry.bundled()
    providers: dict[str, TracerProvider] = {}
    played = 0
    try:
        for plan in _plans():
            for service in plan.services:
                if service.scenario.name not in providers:
                    providers[service.scenario.name] = service_provider(_left_to_collector(service), url, registry)
            for name, roots in episodes(plan):
                for root in ended_at(roots, time.time_ns()):
                    play_span(providers[name], root)
                played += 1
                if told.wait(pause_s):
                    return played
    finally:
        for provider in providers.values():
            provider.shutdown()
    return played


def episodes(plan: TrafficPlan) -> Iterator[Episode]:
    """Requests of all services in order: traces of a service that overlap in time are of one request."""
    found: list[Episode] = []
    for service in plan.services:
        together: list[PlannedSpan] = []
        for root in service.roots:
            if together and root.start_ns > max(span.end_ns for span in together):
                found.append((service.scenario.name, tuple(together)))
                together = []
            together.append(root)
        if together:
            found.append((service.scenario.name, tuple(together)))
    yield from sorted(found, key=lambda each: each[1][0].start_ns)


def ended_at(roots: tuple[PlannedSpan, ...], end_ns: int) -> list[PlannedSpan]:
    """The same traces, all moved so that the last one ends then, in Unix nanoseconds."""
    later_ns = end_ns - max(root.end_ns for root in roots)
    return [_moved(root, later_ns) for root in roots]


def _moved(span: PlannedSpan, later_ns: int) -> PlannedSpan:
    return replace(
        span,
        start_ns=span.start_ns + later_ns,
        end_ns=span.end_ns + later_ns,
        children=tuple(_moved(child, later_ns) for child in span.children),
    )


def _plans() -> Iterator[TrafficPlan]:
    """Thirty days of requests at a time, each from dice of its own, so that no id comes twice."""
    while True:
        now = datetime.now(UTC)
        yield plan_traffic(now.date(), seed=now.isoformat())


def _left_to_collector(service: PlannedService) -> PlannedService:
    return replace(service, scenario=replace(service.scenario, in_process=False))
