"""Health of the collector: what comes in and goes out, what waits, what is refused, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.dashboards.board import Board, Row, filter_by
from tools.dashboards.collector_series import ITEMS, UPTIME, of, of_all_signals, queue_fill
from tools.dashboards.panels import GOOD_BAD, Column, Frame, Query, stat_panel, table_panel, time_panel

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, table, timeseries

    from tools.dashboards.panels import Threshold

NO_COLLECTOR = "No collector is scraped"
_FULL = ((None, "green"), (0.5, "orange"), (0.8, "red"))
_QUANTILES = {"median": 0.5, "95 %": 0.95, "99 %": 0.99}


def collector() -> Board:
    """The dashboard."""
    return Board(
        "collector",
        "otel-carbon / Collector health",
        "Whether the collector takes all that comes, sends it on, counts it, and what it costs. Its modelled "
        "figures are elsewhere.",
        (
            Row("At a glance", (_running(), _failing(), _fullest(), _lost(), _uptime(), _versions())),
            Row("In", (_accepted(), _requests(), _not_taken(), _refusals())),
            Row("Counting", (_durations(), _processed(), _held(), _decisions(), _usage(), _usage_state())),
            Row("Out", (_sent(), _unsent(), _queues(), _in_flight(), _batches(), _backends())),
            Row("Cost", (_cpu(), _memory())),
        ),
        variables=(
            filter_by("job", "Job", f"label_values({UPTIME}, job)"),
            filter_by("instance", "Instance", f'label_values({UPTIME}{{job=~"$job"}}, instance)'),
        ),
        time_from="now-6h",
    )


def _running() -> stat.Panel:
    return _figure("Collectors", "How many are scraped and answer.", "short", f"count({of(UPTIME)})", width=3)


def _failing() -> stat.Panel:
    return _figure(
        "Failing backends",
        "Backends that refuse what they are sent, or are not there; what they do not take waits in a queue.",
        "short",
        f"sum({of('otel_carbon_collector_exporter_failing')})",
        GOOD_BAD,
        width=4,
    )


def _fullest() -> stat.Panel:
    return _figure(
        "Fullest queue",
        "At 100 % requests are refused, and clients keep them.",
        "percentunit",
        f"max({queue_fill()})",
        _FULL,
        width=4,
    )


def _lost() -> stat.Panel:
    failed = of_all_signals("otelcol_exporter_send_failed_{items}_total", "increase", "$__range")
    return _figure(
        "Items given up",
        "Spans, metric points and log records that a backend rejected, or that were given up, in the shown range.",
        "short",
        failed,
        GOOD_BAD,
        width=4,
    )


def _uptime() -> stat.Panel:
    return _figure("Least uptime", "Time since the last start of a collector.", "s", f"min({of(UPTIME)})", width=4)


def _versions() -> table.Panel:
    by = "version, registry_version"
    frame = Frame("Versions", "What runs, and which facts it computes with.", "short", 5, 4, NO_COLLECTOR)
    labels = {"version": "Version", "registry_version": "Registry"}
    columns = (Column("Collectors", f"count by ({by}) ({of('otel_carbon_build_info')})", "short"),)
    return table_panel(frame, labels, columns, sort_by="Collectors", first_pixels=70)


def _accepted() -> timeseries.Panel:
    return _of_items("Accepted", "Items taken over: every queue has them.", "otelcol_receiver_accepted_{items}_total")


def _requests() -> timeseries.Panel:
    return _rate(
        "Requests by outcome",
        "Refused: a queue was full, and the client tries again. Failure: a bad request.",
        "reqps",
        "otelcol_receiver_requests_total",
        ("outcome", "transport"),
        "{{outcome}}, {{transport}}",
    )


def _not_taken() -> timeseries.Panel:
    frame = Frame(
        "Refused and failed items",
        "Refused for now as a queue was full, or answered with an error.",
        "suffix:/s",
        empty="Nothing refused",
        bounds=(0, None),
    )
    queries = [
        Query(f"sum(rate({of(f'otelcol_receiver_{outcome}_{name}_total')}[$__rate_interval]))", f"{title} {outcome}")
        for title, name in ITEMS.items()
        for outcome in ("refused", "failed")
    ]
    return time_panel(frame, queries)


def _refusals() -> timeseries.Panel:
    frame = Frame(
        "Refusals by reason",
        "Requests and connections that a receiver refused: size, time, credentials, and so on.",
        "reqps",
        empty="Nothing refused",
        bounds=(0, None),
    )
    # There is a counter for each reason from the start; only those that rise are worth a line.
    rate = f"sum by (reason) (rate({of('otel_carbon_collector_receiver_refusals_total')}[$__rate_interval])) > 0"
    return time_panel(frame, [Query(rate, "{{reason}}")])


def _durations() -> timeseries.Panel:
    frame = Frame(
        "Time to process a request",
        "Counting and computing what calls take, as modelled, for a request or for all that was held.",
        "s",
        empty=NO_COLLECTOR,
        bounds=(0, None),
    )
    rate = f"sum by (le) (rate({of('otelcol_processor_internal_duration_seconds_bucket')}[$__rate_interval]))"
    return time_panel(
        frame, [Query(f"histogram_quantile({value}, {rate})", title) for title, value in _QUANTILES.items()]
    )


def _processed() -> timeseries.Panel:
    return _rate(
        "Items into processors",
        "None is ever dropped there.",
        "suffix:/s",
        "otelcol_processor_incoming_items_total",
        ("processor", "otel_signal"),
        "{{processor}}, {{otel_signal}}",
    )


def _held() -> timeseries.Panel:
    share = f"{of('otel_carbon_collector_hold_size')} / {of('otel_carbon_collector_hold_capacity')}"
    frame = Frame(
        "Room for held requests",
        "How full the room is in which requests wait to be decided together.",
        "percentunit",
        empty="Nothing is held",
        thresholds=_FULL,
        bounds=(0, 1),
    )
    return time_panel(frame, [Query(share, "{{processor}} {{instance}}")], limit_lines=True)


def _decisions() -> timeseries.Panel:
    return _rate(
        "Decisions on held requests",
        "Size instead of time: the room is small for the traffic.",
        "ops",
        "otel_carbon_collector_hold_decisions_total",
        ("cause",),
        "{{cause}}",
        empty="Nothing is held",
    )


def _usage() -> timeseries.Panel:
    return _rate(
        "Usage read from metrics",
        "Data points of services that are counted from their metrics, by outcome.",
        "suffix:/s",
        "otel_carbon_collector_usage_points_total",
        ("outcome",),
        "{{outcome}}",
        empty="No service is counted from metrics",
    )


def _usage_state() -> timeseries.Panel:
    frame = Frame(
        "Remembered of usage metrics",
        "Cumulative series that are remembered, and tokens whose total has not come yet.",
        "short",
        empty="No service is counted from metrics",
        bounds=(0, None),
    )
    return time_panel(
        frame,
        [
            Query(f"sum({of('otel_carbon_collector_usage_series')})", "series"),
            Query(f"sum({of('otel_carbon_collector_usage_tokens_waiting')})", "tokens waiting"),
        ],
    )


def _sent() -> timeseries.Panel:
    return _of_items("Sent", "Items that backends accepted.", "otelcol_exporter_sent_{items}_total")


def _unsent() -> timeseries.Panel:
    frame = Frame(
        "Given up, or refused by a full queue",
        "Spans, metric points and log records that a backend rejected or that were given up, and those that a "
        "full queue refused.",
        "suffix:/s",
        empty="Nothing",
        bounds=(0, None),
    )
    events = {"given up": "send_failed", "refused by a full queue": "enqueue_failed"}
    queries = [
        Query(of_all_signals(f"otelcol_exporter_{event}_{{items}}_total", "rate", "$__rate_interval"), text)
        for text, event in events.items()
    ]
    return time_panel(frame, queries)


def _queues() -> timeseries.Panel:
    frame = Frame(
        "Queues",
        "How full each is, by bytes; at 100 % requests are refused.",
        "percentunit",
        empty=NO_COLLECTOR,
        thresholds=_FULL,
        bounds=(0, 1),
    )
    return time_panel(frame, [Query(queue_fill(), "{{exporter}} {{instance}}")], limit_lines=True)


def _in_flight() -> timeseries.Panel:
    frame = Frame("On the way", "Requests on their way to a backend.", "short", empty=NO_COLLECTOR, bounds=(0, None))
    series = f"sum by (exporter) ({of('otelcol_exporter_in_flight_requests')})"
    return time_panel(frame, [Query(series, "{{exporter}}")])


def _batches() -> timeseries.Panel:
    name = "otelcol_exporter_queue_batch_send_size_bytes"
    total, number = (f"sum by (exporter) (rate({of(f'{name}_{each}')}[$__rate_interval]))" for each in ("sum", "count"))
    frame = Frame(
        "Mean size of what is sent",
        "Bytes of an attempt to send, before compression.",
        "bytes",
        empty="Nothing was sent",
        bounds=(0, None),
    )
    return time_panel(frame, [Query(f"{total} / ({number} > 0)", "{{exporter}}")])


def _backends() -> timeseries.Panel:
    frame = Frame(
        "Backends that fail",
        "1 while a backend refuses what it is sent, or is not there.",
        "short",
        empty=NO_COLLECTOR,
        bounds=(0, 1),
        decimals=0,
    )
    series = f"max by (exporter) ({of('otel_carbon_collector_exporter_failing')})"
    return time_panel(frame, [Query(series, "{{exporter}}")])


def _cpu() -> timeseries.Panel:
    frame = Frame("CPU", "Cores in use, user and system.", "none", empty=NO_COLLECTOR, bounds=(0, None))
    series = f"sum by (instance) (rate({of('otelcol_process_cpu_seconds_total')}[$__rate_interval]))"
    return time_panel(frame, [Query(series, "{{instance}}")])


def _memory() -> timeseries.Panel:
    frame = Frame("Memory", "Resident bytes.", "bytes", empty=NO_COLLECTOR, bounds=(0, None))
    return time_panel(frame, [Query(f"sum by (instance) ({of('otelcol_process_memory_rss_bytes')})", "{{instance}}")])


def _figure(
    title: str,
    about: str,
    unit: str,
    expression: str,
    thresholds: tuple[Threshold, ...] = ((None, "blue"),),
    *,
    width: int,
) -> stat.Panel:
    decimals = 1 if unit == "percentunit" else None
    frame = Frame(title, about, unit, width, 4, NO_COLLECTOR, thresholds, decimals=decimals)
    return stat_panel(frame, [Query(expression, title)])


def _of_items(title: str, about: str, name: str) -> timeseries.Panel:
    frame = Frame(title, about, "suffix:/s", empty="Nothing", bounds=(0, None))
    queries = [
        Query(f"sum(rate({of(name.format(items=each))}[$__rate_interval]))", signal) for signal, each in ITEMS.items()
    ]
    return time_panel(frame, queries, stacked=True)


def _rate(
    title: str, about: str, unit: str, name: str, by: tuple[str, ...], legend: str, *, empty: str = NO_COLLECTOR
) -> timeseries.Panel:
    frame = Frame(title, about, unit, empty=empty, bounds=(0, None))
    return time_panel(frame, [Query(f"sum by ({', '.join(by)}) (rate({of(name)}[$__rate_interval]))", legend)])
