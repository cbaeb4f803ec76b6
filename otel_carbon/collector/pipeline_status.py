"""What pipelines and their components are up to, in the shape of the upstream collector's second health check."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.collector.config.document import PipelineConfig

STARTING = "StatusStarting"
OK = "StatusOK"
RECOVERABLE = "StatusRecoverableError"
STOPPING = "StatusStopping"
_HEALTHY = frozenset({OK, RECOVERABLE})


class BackendState:
    """Whether a backend takes what it is sent, and since when.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.is_failing = False
        """Whether the last attempt failed in a way that may pass."""
        self.since = now()

    def note(self, *, is_failing: bool) -> None:
        """Take in how the last attempt went."""
        if is_failing != self.is_failing:
            self.is_failing, self.since = is_failing, self._now()


def status_document(
    pipelines: Mapping[str, PipelineConfig],
    backends: Mapping[str, BackendState],
    *,
    status: str,
    started: datetime,
    since: datetime,
    verbose: bool,
) -> dict[str, Any]:
    """The whole collector as JSON.

    A backend that fails leaves it healthy, as what it does not take waits: restarting the collector would not help.

    Args:
        pipelines: their components, by name.
        backends: those of exporters that send, by component id.
        status: `STARTING`, `OK` or `STOPPING`.
        started: when the process began.
        since: when `status` came about.
        verbose: whether pipelines and components are listed.
    """
    listed = {f"pipeline:{name}": _pipeline(each, backends, status, since) for name, each in pipelines.items()}
    document = {"start_time": started.isoformat(), **_worst(listed, status, since)}
    return document | {"components": listed} if verbose else document


def _pipeline(
    pipeline: PipelineConfig, backends: Mapping[str, BackendState], status: str, since: datetime
) -> dict[str, Any]:
    as_a_whole = _entry(status, since)
    listed = {f"receiver:{name}": as_a_whole for name in pipeline.receivers}
    listed |= {f"processor:{name}": as_a_whole for name in pipeline.processors}
    for name in pipeline.exporters:
        state = backends.get(name)
        is_failing = status == OK and state is not None and state.is_failing
        listed[f"exporter:{name}"] = _entry(RECOVERABLE, state.since) if is_failing and state else as_a_whole
    return {**_worst(listed, status, since), "components": listed}


def _worst(listed: Mapping[str, Mapping[str, Any]], status: str, since: datetime) -> dict[str, Any]:
    """The state of a whole by those of its parts: the one that has failed last."""
    failing = [each for each in listed.values() if each["status"] == RECOVERABLE]
    if not failing:
        return _entry(status, since)
    return _entry(RECOVERABLE, max(datetime.fromisoformat(each["status_time"]) for each in failing))


def _entry(status: str, since: datetime) -> dict[str, Any]:
    return {"healthy": status in _HEALTHY, "status": status, "status_time": since.isoformat()}
