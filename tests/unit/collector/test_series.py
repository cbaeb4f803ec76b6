from __future__ import annotations

import struct
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from otel_carbon.collector.exporters.remote_write_schema import new_write_request
from otel_carbon.collector.exporters.series import SAMPLES_PER_REQUEST, STALE, values_of, write_requests


def decoded(body: bytes) -> Any:
    return type(new_write_request()).FromString(body)  # type: ignore[attr-defined] # protobuf makes the class


def counter(name: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, f"help of {name}", labels=list(labels))


def test_a_series_has_its_labels_in_order_and_no_empty_ones() -> None:
    family = counter("joules", "zone", "Area", "none")
    family.add_metric(["FR", "north", ""], 7)
    expected = (("Area", "north"), ("__name__", "joules_total"), ("instance", "host"), ("zone", "FR"))
    assert values_of([family], {"instance": "host", "job": ""}) == {expected: 7.0}


def test_a_label_of_a_series_wins_over_an_external_one() -> None:
    family = counter("calls", "region")
    family.add_metric(["east"], 1)
    family.add_metric([""], 2)
    by_region = {dict(series).get("region"): value for series, value in values_of([family], {"region": "west"}).items()}
    # An empty label is an absent one, and still a label of the series.
    assert by_region == {"east": 1.0, None: 2.0}


def test_a_request_says_what_its_families_are() -> None:
    family, gauge = counter("joules"), GaugeMetricFamily("size", "help of size", value=2)
    family.add_metric([], 1.5)
    ((body, samples),) = write_requests(values_of([family, gauge], {}), [family, gauge], 1_700_000_000_000)
    request = decoded(body)
    assert samples == 2
    assert [(each.type, each.metric_family_name, each.help) for each in request.metadata] == [
        (1, "joules_total", "help of joules"),
        (2, "size", "help of size"),
    ]
    assert [
        ([(label.name, label.value) for label in one.labels], [(each.value, each.timestamp) for each in one.samples])
        for one in request.timeseries
    ] == [
        ([("__name__", "joules_total")], [(1.5, 1_700_000_000_000)]),
        ([("__name__", "size")], [(2.0, 1_700_000_000_000)]),
    ]


def test_many_series_are_spread_over_requests_and_described_once() -> None:
    family = counter("calls", "number")
    for number in range(2 * SAMPLES_PER_REQUEST + 1):
        family.add_metric([str(number)], number)
    requests = list(write_requests(values_of([family], {}), [family], 1))
    assert [samples for _, samples in requests] == [SAMPLES_PER_REQUEST, SAMPLES_PER_REQUEST, 1]
    assert [len(decoded(body).metadata) for body, _ in requests] == [1, 0, 0]


def test_the_end_of_a_series_keeps_its_bits_on_the_wire() -> None:
    ((body, _),) = write_requests({(("__name__", "gone"),): STALE}, [], 1)
    assert struct.pack("<Q", 0x7FF0_0000_0000_0002) in body


def test_others_get_a_turn_after_each_series_that_is_read_and_written() -> None:
    family = CounterMetricFamily("calls", "help", labels=["service"])
    for number in range(5):
        family.add_metric([f"service {number}"], number)
    rests: list[str] = []
    values = values_of([family], {}, lambda: rests.append("read"))
    list(write_requests(values, [family], 1, lambda: rests.append("written")))
    assert rests == ["read"] * 5 + ["written"] * 5
