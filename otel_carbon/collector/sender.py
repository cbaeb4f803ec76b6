"""Empty one exporter's queue on threads of its own, retrying what can pass."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from threading import Event, Lock, Thread
from traceback import clear_frames
from typing import TYPE_CHECKING, Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event
from tenacity.stop import stop_after_attempt, stop_before_delay, stop_never, stop_when_event_set

from otel_carbon.collector.signals import Batch
from otel_carbon.errors import OtelCarbonError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenacity.stop import stop_base

    from otel_carbon.collector.byte_queue import SendingQueue
    from otel_carbon.collector.self_metrics import SelfMetrics

BACKOFF_FACTOR = 1.5
LAST_ANSWER_S = 1.0
_JITTER = 0.5
_logger = logging.getLogger(__name__)


class RetryableExportError(OtelCarbonError):
    """The backend may accept the same batch later; `retry_after_s` is its wish, in seconds, if it has one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PermanentExportError(OtelCarbonError):
    """The backend will never accept this batch."""


class Export(Protocol):
    """Sends batches to one backend."""

    def send(self, batch: Batch) -> int:
        """Send one batch and return how many of its items the backend rejected (OTLP partial success).

        Raises:
            RetryableExportError: the same batch may pass later.
            PermanentExportError: it never will.
        """

    def close(self) -> None:
        """Give back connections."""


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """When a refused batch is tried again.

    Attributes:
        enabled: whether it is tried again at all.
        initial_interval_s: first delay, in seconds.
        max_interval_s: longest delay of our own choosing, in seconds; a backend's Retry-After may be longer.
        max_elapsed_time_s: after this many seconds the batch is dropped; 0 is never.
        multiplier: each delay is so many times as long as the one before.
    """

    enabled: bool = True
    initial_interval_s: float = 5.0
    max_interval_s: float = 30.0
    max_elapsed_time_s: float = 300.0
    multiplier: float = BACKOFF_FACTOR


class Sender:
    """The workers of one exporter: each has one request in flight, made of what the queue lets travel together.

    Args:
        export: how a batch is sent.
        queue: where batches come from.
        retry: when to try again.
        metrics: counts what was sent and what was lost.
        consumers: how many workers there are; with more than one the order may change.
    """

    def __init__(
        self,
        export: Export,
        queue: SendingQueue,
        retry: RetrySettings,
        metrics: SelfMetrics,
        *,
        consumers: int = 1,
    ) -> None:
        self.queue = queue
        self._export = export
        self._metrics = metrics
        self._gave_up = Event()
        self._retrying = _retrying(retry, self._gave_up)
        self._counting = Lock()
        self._in_flight = 0
        """Items of the batches that are being sent."""
        self._is_dropping = False
        """Whether it was logged that batches are dropped, and none has passed since."""
        self._given_up = 0
        """Items of batches in flight that were dropped because the deadline came."""
        # Daemons, so that a backend that hangs beyond the deadline cannot keep the process alive.
        self._threads = [
            Thread(target=self._run, name=f"sender {queue.exporter}", daemon=True) for _ in range(max(1, consumers))
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def send_rest(self, deadline_s: float) -> int:
        """Send what waits, and give up at a deadline; returns how many items were still waiting, and are lost."""
        if self._threads[0].ident is None:
            return 0
        self._join(deadline_s)
        self._gave_up.set()
        lost = self.queue.clear()
        for batch in lost:
            self._metrics.send_failed(self.queue.exporter, batch.signal, batch.items)
        return sum(batch.items for batch in lost)

    def end(self, deadline_s: float) -> int:
        """After `send_rest`, wait for the last answers; returns how many items were on their way, and are lost."""
        if self._threads[0].ident is None:
            return 0
        self._join(deadline_s)
        # A backend that hangs may have taken what is in flight, or not.
        unanswered = 0 if self.queue.is_durable else self._in_flight
        self._export.close()
        return self._given_up + unanswered

    def _join(self, deadline_s: float) -> None:
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _run(self) -> None:
        while batches := self.queue.take():
            if self._gave_up.is_set() and self.queue.is_durable:
                return  # the next start sends them
            items = sum(batch.items for batch in batches)
            with self._counting:
                self._in_flight += items
            try:
                kept = self._deliver_together(batches)
            finally:
                with self._counting:
                    self._in_flight -= items
            self.queue.settle([batch for batch in batches if batch not in kept])

    def _deliver_together(self, batches: list[Batch]) -> list[Batch]:
        """Send batches as one, as two requests of OTLP put end to end are one; a refused one goes piece by piece.

        Returns:
            Those that stay where they are: on the disk, for the next start.
        """
        if len(batches) > 1:
            items = sum(batch.items for batch in batches)
            joined = Batch(batches[0].signal, b"".join(batch.body for batch in batches), items)
            try:
                self._book(joined, self._retrying(self._attempt, joined))
            except PermanentExportError as error:
                clear_frames(error.__traceback__)  # as in `_dropped`; one bad request must not take the others with it
            except Exception as error:
                return [] if self._dropped(joined, error) else batches
            else:
                return []
        return [batch for batch in batches if not self._delivered(batch)]

    def _delivered(self, batch: Batch) -> bool:
        """Send a batch; whether it is dealt with, well or not."""
        try:
            self._book(batch, self._retrying(self._attempt, batch))
        except Exception as error:
            return self._dropped(batch, error)
        return True

    def _book(self, batch: Batch, rejected: int) -> None:
        rejected = min(rejected, batch.items)
        self._metrics.sent(self.queue.exporter, batch.signal, batch.items - rejected)
        self._metrics.send_failed(self.queue.exporter, batch.signal, rejected)

    def _dropped(self, batch: Batch, error: Exception) -> bool:
        """Give a batch up, unless the process ends and the disk keeps it; whether it was given up."""
        if not isinstance(error, RetryableExportError | PermanentExportError):
            # A fault of ours must not end the thread: the queue would fill and stop every other exporter.
            _logger.error("%s: dropped a batch because of an unexpected error", self.queue.exporter, exc_info=error)
        # The error, its frames and the retries hold each other, and with them the batch and the backend's answer:
        # megabytes each time, until a garbage collector that seldom runs comes by.
        clear_frames(error.__traceback__)
        if self._gave_up.is_set() and self.queue.is_durable and not isinstance(error, PermanentExportError):
            return False
        self._metrics.send_failed(self.queue.exporter, batch.signal, batch.items)
        if isinstance(error, RetryableExportError | PermanentExportError):
            self._note_drop(batch, error)
        if self._gave_up.is_set():
            with self._counting:
                self._given_up += batch.items
        return True

    def _attempt(self, batch: Batch) -> int:
        try:
            rejected = self._export.send(batch)
        except RetryableExportError as error:
            self._note_failure(error)
            raise
        self._is_dropping = False
        if self.queue.is_failing:
            self.queue.is_failing = False
            _logger.info("%s: sends again", self.queue.exporter)
        return rejected

    def _note_failure(self, error: Exception) -> None:
        """Log the change from working to failing; the counters tell how often."""
        if not self.queue.is_failing:
            self.queue.is_failing = True
            _logger.warning("%s: cannot send: %s", self.queue.exporter, error)

    def _note_drop(self, batch: Batch, error: Exception) -> None:
        """Log that batches begin to be dropped, also where the backend had failed before; counters tell how many."""
        self.queue.is_failing = True
        if not self._is_dropping:
            self._is_dropping = True
            _logger.error(
                "%s: dropped %d items of %s, further ones are only counted: %s",
                *(self.queue.exporter, batch.items, batch.signal.value, error),
            )


def drain_all(senders: Sequence[Sender], deadline_s: float) -> int:
    """Let senders accept no more, send what waits, and give up at a deadline, all at the same time.

    Args:
        senders: those that send.
        deadline_s: `time.monotonic()` at which to give up, in seconds; last answers have a second more.

    Returns:
        How many items were still waiting or on their way, and are lost; none of a queue that is on the disk.
    """
    for sender in senders:  # what waits for company goes now, whoever else keeps us until the deadline
        sender.queue.close()
    waiting = sum(sender.send_rest(deadline_s) for sender in senders)
    last_answer_s = time.monotonic() + LAST_ANSWER_S
    return waiting + sum(sender.end(last_answer_s) for sender in senders)


def _retrying(retry: RetrySettings, gave_up: Event) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(RetryableExportError),
        wait=lambda state: retry_delay_s(retry, state),
        stop=stop_when_event_set(gave_up) | _stop_rule(retry),
        sleep=sleep_using_event(gave_up),
        reraise=True,
    )


def _stop_rule(retry: RetrySettings) -> stop_base:
    if not retry.enabled:
        return stop_after_attempt(1)
    return stop_before_delay(retry.max_elapsed_time_s) if retry.max_elapsed_time_s else stop_never


def retry_delay_s(retry: RetrySettings, state: RetryCallState) -> float:
    """Seconds until the next attempt: the backend's wish, or a growing delay spread by +-50 %."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RetryableExportError) and error.retry_after_s is not None:
        return error.retry_after_s
    # The exponent is capped because 1.5**2000 is no float; the delay has long reached its maximum by then.
    grown_s = retry.initial_interval_s * retry.multiplier ** min(state.attempt_number - 1, 100)
    spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 -- spreads load, protects no secret
    return min(grown_s, retry.max_interval_s) * spread
