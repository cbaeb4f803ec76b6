"""PromQL of what the collector says about itself, of the collectors that the variables choose."""

from __future__ import annotations

UPTIME = "otelcol_process_uptime_seconds_total"
ITEMS = {"spans": "spans", "metric points": "metric_points", "log records": "log_records"}
"""What `{items}` in a name stands for, by what people call it."""
_CHOSEN = 'job=~"$job",instance=~"$instance"'


def of_all_signals(name: str, function: str, window: str) -> str:
    """A sum over the counters of all signals, of which one that has not come yet has no series."""
    parts = (f"sum({function}({of(name.format(items=each))}[{window}]))" for each in ITEMS.values())
    return " + ".join(f"({part} or vector(0))" for part in parts)


def queue_fill() -> str:
    """How full each queue is, of 1."""
    return f"{of('otelcol_exporter_queue_size')} / {of('otelcol_exporter_queue_capacity')}"


def of(name: str) -> str:
    """A series of the collectors that are chosen."""
    return f"{name}{{{_CHOSEN}}}"
