"""A backend that is away for longer than its queue lasts: what the client, the other backend and memory see of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.chaos.backend import running_backend
from tests.chaos.bystander import busy_bystander
from tests.chaos.reporting import mebibytes
from tests.chaos.victim import attacked_collector, config, watched_memory
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.victim import Victim

QUEUE_BYTES = 128 << 10
MOST_ADDED_BYTES = 64 << 20
AWAY, WORKING = "otlp_http/away", "otlp_http/working"
_RETRY = {"initial_interval": "50ms", "max_interval": "200ms", "max_elapsed_time": 0}
_FILLED_WITHIN_S = 60.0


def outlast_the_queue(folder: Path, *, seed: int) -> dict[str, Any]:
    """Keep a backend away until its queue is full and beyond, then let it come back.

    Returns:
        What it came to; `complaints` holds what should not be.
    """
    port = free_ports(1)[0]
    with ExitStack() as running:
        working = running.enter_context(running_backend())
        away = {"endpoint": f"http://127.0.0.1:{port}", "retry_on_failure": _RETRY}
        exporters = {
            WORKING: {"endpoint": working.endpoint, "retry_on_failure": _RETRY},
            AWAY: {**away, "sending_queue": {"queue_size_bytes": QUEUE_BYTES}},
        }
        with attacked_collector(folder, config(exporters)) as victim:
            with watched_memory(victim) as resident_bytes:
                with busy_bystander(victim, pause_s=0.002, seed=seed) as bystander:
                    wait_until(lambda: _dropped(victim) >= 100, timeout_s=_FILLED_WITHIN_S, what="full queue")
                    queued_bytes = victim.counter("otelcol_exporter_queue_size", exporter=AWAY)
                complaints = bystander.complaints(working.arrivals)
            back = running.enter_context(running_backend(port=port))
            owed = len(bystander.acknowledged) - _dropped(victim)
            wait_until(lambda: len(back.arrivals.statuses) >= owed, timeout_s=60, what=f"{owed} spans after all")
            wait_until(
                lambda: victim.counter("otelcol_exporter_queue_size", exporter=AWAY) == 0,
                timeout_s=60,
                what="empty queue",
            )
    if queued_bytes > 2 * QUEUE_BYTES:
        complaints.append(f"{queued_bytes:.0f} bytes in a queue of {QUEUE_BYTES}")
    if max(resident_bytes) - resident_bytes[0] > MOST_ADDED_BYTES:
        complaints.append(f"RSS grew from {mebibytes(resident_bytes[0])} to {mebibytes(max(resident_bytes))} MiB")
    return {
        "acknowledged": len(bystander.acknowledged),
        "asked_to_wait": bystander.asked_to_wait,
        "rss_before_mib": mebibytes(resident_bytes[0]),
        "rss_highest_mib": mebibytes(max(resident_bytes)),
        "complaints": complaints,
    }


def _dropped(victim: Victim) -> int:
    """Spans that the queue had no room for: refused to the client with all others, or left out for this backend."""
    return int(victim.counter("otelcol_exporter_enqueue_failed_spans_total", exporter=AWAY))
