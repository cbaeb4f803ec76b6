"""Metric families as the series of remote write: the names, labels and values that a scrape of the page yields."""

from __future__ import annotations

import struct
from itertools import islice
from typing import TYPE_CHECKING

from otel_carbon.collector.exporters.remote_write_schema import (
    COUNTER_TYPE,
    GAUGE_TYPE,
    HISTOGRAM_TYPE,
    UNKNOWN_TYPE,
    new_write_request,
)
from otel_carbon.metrics.pacing import never_rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric as Family

    from otel_carbon.metrics.pacing import Rest

Series = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name; `__name__` is one of them, and none is empty."""

NAME_LABEL = "__name__"
STALE = struct.unpack("<d", (0x7FF0_0000_0000_0002).to_bytes(8, "little"))[0]
"""The one not-a-number that ends a series."""
SAMPLES_PER_REQUEST = 2000
_TYPES = {"counter": COUNTER_TYPE, "gauge": GAUGE_TYPE, "histogram": HISTOGRAM_TYPE}


def values_of(
    families: Iterable[Family], external_labels: Mapping[str, str], rest: Rest = never_rest
) -> dict[Series, float]:
    """The value of every series.

    Args:
        families: what a page would show.
        external_labels: added to every series that has no label of that name.
        rest: called after each series, so that others get the interpreter.
    """
    values = {}
    for family in families:
        for sample in family.samples:
            values[_series({**external_labels, **sample.labels, NAME_LABEL: sample.name})] = float(sample.value)
            rest()
    return values


def _series(labels: Mapping[str, str]) -> Series:
    return tuple(sorted((name, text) for name, text in labels.items() if text))


def write_requests(
    values: Mapping[Series, float], families: Iterable[Family], timestamp_ms: int, rest: Rest = never_rest
) -> Iterator[tuple[bytes, int]]:
    """Serialized requests, each with its number of samples; the first says what the families are.

    Args:
        values: the value of each series.
        families: for their types and descriptions.
        timestamp_ms: when the values were such, in milliseconds since 1970.
        rest: called after each series, so that others get the interpreter.
    """
    left = iter(values.items())
    described = list(families)
    while samples := list(islice(left, SAMPLES_PER_REQUEST)):
        request = new_write_request()
        for series, value in samples:
            one = request.timeseries.add()
            for name, text in series:
                one.labels.add(name=name, value=text)
            one.samples.add(value=value, timestamp=timestamp_ms)
            rest()
        for family in described:
            kind = _TYPES.get(family.type, UNKNOWN_TYPE)
            request.metadata.add(type=kind, metric_family_name=_name(family), help=family.documentation)
        described = []
        yield request.SerializeToString(), len(samples)


def _name(family: Family) -> str:
    """Prometheus knows a counter by the name of its samples, as it does where it scrapes the text format."""
    return f"{family.name}_total" if family.type == "counter" else family.name
