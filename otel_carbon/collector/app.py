"""Run a collector: start in order, stop in the reverse order, lose nothing on the way."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import time
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Self

from otel_carbon.collector.assembly import assemble
from otel_carbon.collector.logs import log_to_stderr
from otel_carbon.collector.open_files import raise_open_file_limit
from otel_carbon.collector.sender import drain_all
from otel_carbon.collector.signals import Signal
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FrameType, TracebackType

    from otel_carbon.collector.assembly import BuildCarbon, Listener
    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.collector.endpoints import Endpoint

GRACE_S = 5.0
PUSH_GRACE_S = 5.0
"""How long the last push of the counters may take, in seconds."""
EXIT_DONE = 0
EXIT_LOST = 1
EXIT_BAD_INPUT = 2
_PAGE_GRACE_S = 1.0
_STORE_GRACE_S = 5.0
_GC_ALLOCATIONS = 50_000
_THREAD_SWITCH_S = 0.0005
"""How long a thread that answers clients waits for one that computes: each of its system calls may cost that once."""
_logger = logging.getLogger(__name__)


class Collector:
    """A collector that can be run inside another program, by `start` and `stop` or in a `with` block.

    Args:
        config: a configuration that was checked, such as `load_config` returns.
        build_carbon: makes the carbon processor from its section of the configuration.
        json_decoders: OTLP JSON to protobuf bytes for each signal; None takes those of `otel_carbon.otlp`.
    """

    def __init__(
        self,
        config: CollectorConfig,
        *,
        build_carbon: BuildCarbon,
        json_decoders: Mapping[Signal, Callable[[bytes], bytes]] | None = None,
    ) -> None:
        self._parts = assemble(config, build_carbon, json_decoders or bundled_json_decoders())
        self._health = self._parts.health_checks
        self._drain_timeout_s = config.service.drain_timeout_s

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Where each part listens, by names such as `receivers.otlp.grpc` or `exporters.prometheus`."""
        return {name: listener.endpoint for name, listener in self._listeners().items()}

    @property
    def stored_requests(self) -> int:
        """After `stop`, how many requests are on the disk for the next start."""
        return self._parts.durable.storage.left_requests if self._parts.durable is not None else 0

    def start(self) -> None:
        """Start to send and to decide, then to listen; receivers come last, so that what they take has somewhere to go.

        Raises:
            ConfigError: the file storage cannot be used, or endpoints cannot be listened on; it names all of them,
                and nothing is left running.
        """
        if self._parts.durable is not None:
            self._parts.durable.start()
        for limiter in self._parts.limiters:
            limiter.start()
        for sender in self._parts.senders:
            sender.start()
        for hold in self._parts.holds:
            hold.start()
        problems: list[str] = []
        for listener in self._listeners().values():
            try:
                listener.start()
            except ConfigError as error:
                problems += error.problems
        if problems:
            self.stop(grace_s=0, drain_s=0)
            raise ConfigError(tuple(problems))
        for pusher in self._parts.pushers:
            pusher.start()
        for health in self._health.values():
            health.set_ready(ready=True)

    def stop(self, *, grace_s: float = GRACE_S, drain_s: float | None = None) -> int:
        """Stop to listen, decide what is held, send what is queued, push the counters, then stop the pages.

        Args:
            grace_s: how long requests that have begun may take, in seconds.
            drain_s: how long it may take to decide what is held and to empty the queues, in seconds; None for what
                the configuration says.

        Returns:
            How many spans, metric points and log records were still held or queued and are lost; what is on the
            disk is not.
        """
        for health in self._health.values():
            health.set_ready(ready=False)
        _stop_all(self._parts.receivers.values(), grace_s)
        self._parts.deferred.work_off()
        deadline_s = time.monotonic() + (self._drain_timeout_s if drain_s is None else drain_s)
        lost = sum(hold.drain(deadline_s) for hold in self._parts.holds)
        lost += drain_all(self._parts.senders, deadline_s)
        if self._parts.durable is not None:
            self._parts.durable.storage.close(time.monotonic() + _STORE_GRACE_S)
        for limiter in self._parts.limiters:
            limiter.stop()
        for pusher in self._parts.pushers:
            pusher.stop(time.monotonic() + PUSH_GRACE_S)
        _stop_all((*self._parts.pages.values(), *self._health.values()), _PAGE_GRACE_S)
        return lost

    def _listeners(self) -> Mapping[str, Listener]:
        return {**self._health, **self._parts.pages, **self._parts.receivers}


def run_collector(
    config: CollectorConfig,
    *,
    build_carbon: BuildCarbon,
    json_decoders: Mapping[Signal, Callable[[bytes], bytes]] | None = None,
) -> int:
    """Run until SIGTERM or SIGINT, then stop gracefully; a second signal ends the process at once.

    Must be called on the main thread. Logs to stderr unless the caller has set logging up.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 when queued items were lost at it,
        2 when endpoints cannot be listened on.
    """
    log_to_stderr(config)
    raise_open_file_limit()
    sys.setswitchinterval(_THREAD_SWITCH_S)
    collector = Collector(config, build_carbon=build_carbon, json_decoders=json_decoders)
    asked_to_stop = Event()
    _on_stop_signals(asked_to_stop)
    try:
        collector.start()
    except ConfigError as error:
        for problem in error.problems:
            _logger.error("%s", problem)  # noqa: TRY400 -- a message for the user, the trace would hide it
        return EXIT_BAD_INPUT
    _spare_the_garbage_collector()
    for name, endpoint in collector.endpoints.items():
        _logger.info("%s listens on %s", name, endpoint)
    asked_to_stop.wait()
    _logger.info("stopping: receivers first, then what is held is decided and the queues are sent")
    lost = collector.stop()
    if lost:
        _logger.error("stopped; %d queued items could not be sent in time and are lost", lost)
        return EXIT_LOST
    if collector.stored_requests:
        _logger.info("stopped; %d requests stay on the disk for the next start", collector.stored_requests)
    else:
        _logger.info("stopped; nothing was left in the queues")
    return EXIT_DONE


def _spare_the_garbage_collector() -> None:
    """Collect cycles seldom: spans make many objects and no cycles, and scanning them cost a fifth of enrichment."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, 20, 50)


def bundled_json_decoders() -> Mapping[Signal, Callable[[bytes], bytes]]:
    """The OTLP JSON readers of `otel_carbon.otlp`, loaded when a client sends JSON for the first time."""
    return {signal: partial(_from_json, signal) for signal in Signal}


def _from_json(signal: Signal, body: bytes) -> bytes:
    from otel_carbon.otlp.json_codec import logs_from_json, metrics_from_json, traces_from_json

    readers = {Signal.TRACES: traces_from_json, Signal.METRICS: metrics_from_json, Signal.LOGS: logs_from_json}
    return readers[signal](body)


def _stop_all(listeners: Iterable[Listener], grace_s: float) -> None:
    """Let all of them end at the same time instead of one after the other."""
    stopping = tuple(listeners)
    for listener in stopping:
        listener.begin_stop(grace_s)
    for listener in stopping:
        listener.finish_stop(grace_s)


def _on_stop_signals(asked_to_stop: Event) -> None:
    def ask(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        asked_to_stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
