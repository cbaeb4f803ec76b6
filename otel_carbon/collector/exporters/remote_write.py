"""Push the carbon counters to a Prometheus remote-write endpoint, at an interval, each time as they are then."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

import cramjam
from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event
from tenacity.stop import stop_after_attempt, stop_when_event_set

from otel_carbon.collector.exporters.http_backend import HttpBackend
from otel_carbon.collector.exporters.series import STALE, values_of, write_requests
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError, RetrySettings, retry_delay_s
from otel_carbon.collector.signals import Signal
from otel_carbon.metrics.pacing import Pacing
from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.metrics_core import Metric as Family

    from otel_carbon.collector.exporters.backend import BackendSettings
    from otel_carbon.collector.exporters.series import Series
    from otel_carbon.collector.self_metrics import SelfMetrics

HEADERS = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
    "user-agent": f"otel-carbon/{VERSION}",
}
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RemoteWriteSettings:
    """What is pushed, and when.

    Attributes:
        interval_s: time from one push to the next, in seconds.
        external_labels: added to every series that has no label of that name; an empty one is left out.
        retry: when a push that failed is done again.
    """

    interval_s: float
    external_labels: Mapping[str, str]
    retry: RetrySettings


class RemoteWriteExporter:
    """The worker of one endpoint: one thread, one request in flight.

    Nothing is queued: counters are sums, so that the next push makes up for one that failed, and a push that is
    done again is of the counters as they are by then. At the end all series are marked as ended, as Prometheus
    does with those of a target that it scrapes no more.

    Args:
        backend: the endpoint.
        settings: what is pushed, and when.
        read: reads the families; each call is one snapshot.
        metrics: counts what was sent.
        wall_clock_s: the time, in seconds since 1970.

    Raises:
        ConfigError: the files of TLS cannot be used.
    """

    def __init__(
        self,
        backend: BackendSettings,
        settings: RemoteWriteSettings,
        read: Callable[[], Iterable[Family]],
        metrics: SelfMetrics,
        *,
        wall_clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._exporter = backend.exporter
        self._backend = HttpBackend(backend, HEADERS, is_retryable=_is_retryable, explain=_first_line)
        self._settings = settings
        self._read = read
        self._metrics = metrics
        self._wall_clock_s = wall_clock_s
        self._stopping = Event()
        self._known: set[Series] = set()
        self._last_ms = 0
        self._state = metrics.watch_backend(self._exporter)
        self._thread = Thread(target=self._run, name=f"remote write {self._exporter}", daemon=True)
        metrics.sent(self._exporter, Signal.METRICS, 0)
        metrics.send_failed(self._exporter, Signal.METRICS, 0)

    def start(self) -> None:
        """Begin to push, the first time at once."""
        self._thread.start()

    def stop(self, deadline_s: float) -> None:
        """Push once more, mark the series as ended, and give up at a deadline.

        Args:
            deadline_s: `time.monotonic()` at which to give up, in seconds.
        """
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline_s - time.monotonic()))
            if self._thread.is_alive():
                _logger.warning("%s: gave up the last push; its series go stale by themselves", self._exporter)
        self._backend.close()

    def _run(self) -> None:
        retrying = self._retrying()
        while not self._stopping.is_set():
            began_s = time.monotonic()
            self._guarded(lambda: retrying(self._attempt))
            self._stopping.wait(max(0.0, self._settings.interval_s - (time.monotonic() - began_s)))
        self._guarded(self._attempt)
        self._guarded(self._end_series)

    def _guarded(self, push: Callable[[], None]) -> None:
        """A push that fails for good is told once, and costs nothing but its samples."""
        try:
            push()
        except (RetryableExportError, PermanentExportError) as error:
            self._note_failure(error)
        except Exception:
            if not self._state.is_failing:  # a fault of ours must not end the thread, nor fill the log
                _logger.exception("%s: cannot push because of an unexpected error", self._exporter)
            self._state.note(is_failing=True)

    def _attempt(self) -> None:
        """Push the counters as they are now, and end the series that are gone."""
        families = list(self._read())
        values = values_of(families, self._settings.external_labels, Pacing().rest)
        gone = dict.fromkeys(self._known - values.keys(), STALE)
        self._push(values | gone, families)
        self._known = set(values)
        if self._state.is_failing:
            self._state.note(is_failing=False)
            _logger.info("%s: pushes again", self._exporter)

    def _end_series(self) -> None:
        if not self._state.is_failing:
            self._push(dict.fromkeys(sorted(self._known), STALE), ())

    def _push(self, values: Mapping[Series, float], families: Iterable[Family]) -> None:
        for request, samples in write_requests(values, families, self._next_ms(), Pacing().rest):
            try:
                self._backend.post("", bytes(cramjam.snappy.compress_raw(request)))
            except (RetryableExportError, PermanentExportError) as error:
                self._metrics.send_failed(self._exporter, Signal.METRICS, samples)
                if isinstance(error, RetryableExportError):
                    self._note_failure(error)
                raise
            self._metrics.sent(self._exporter, Signal.METRICS, samples)

    def _next_ms(self) -> int:
        """The time, and never one twice or an earlier one: samples out of order are refused."""
        self._last_ms = max(self._last_ms + 1, round(self._wall_clock_s() * 1000))
        return self._last_ms

    def _note_failure(self, error: Exception) -> None:
        """Log the change from working to failing; the counters tell how often."""
        if not self._state.is_failing:
            self._state.note(is_failing=True)
            _logger.warning("%s: cannot push: %s", self._exporter, error)

    def _retrying(self) -> Retrying:
        retry = self._settings.retry

        def wait_s(state: RetryCallState) -> float:
            return retry_delay_s(retry, state)

        stop = stop_when_event_set(self._stopping)
        return Retrying(
            retry=retry_if_exception_type(RetryableExportError),
            wait=wait_s,
            stop=stop if retry.enabled else stop | stop_after_attempt(1),
            sleep=sleep_using_event(self._stopping),
            reraise=True,
        )


def _is_retryable(status: int) -> bool:
    return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR


def _first_line(answer: bytes) -> str:
    return answer.decode("utf-8", "replace").partition("\n")[0].strip()
