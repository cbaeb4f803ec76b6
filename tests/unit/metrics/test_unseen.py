"""What sampled calls stand for is extrapolated beside the totals, and never into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon import metric_names
from otel_carbon.metrics.points import points_of
from otel_carbon.otlp.json_traces import enrich_json_requests
from otel_carbon.otlp.plain import enrich_plainly
from otel_carbon.otlp.traces import TracesEnricher
from tests.unit.metrics.bookings import booking
from tests.unit.otlp.messages import attributes_of, fresh_enricher, inference_span, otlp_json, request_of, spans_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_carbon.enricher import Enricher
    from otel_carbon.metric_names import Metric
    from otel_carbon.metrics.totals import Totals

CALL_JOULES = (800 * 0.206 + 300 * 0.687) / 1000 * 1.16 * 3600  # Wh per 1,000 tokens, PUE, J per Wh
UNSEEN = (
    metric_names.SAMPLING_UNSEEN_OPERATIONS,
    metric_names.SAMPLING_UNSEEN_ENERGY,
    metric_names.SAMPLING_UNSEEN_EMISSIONS,
)


def sampled(number: int, trace_state: str, model: str = "gpt-4o", tenant: str = "") -> Span:
    span = inference_span(number, model, {"otel_carbon.tenant": tenant} if tenant else {})
    span.trace_state = trace_state
    return span


def body(*spans: Span, service: str = "shop", scope: str = "tests") -> bytes:
    return request_of(*spans, service=service, scope=scope).SerializeToString()


def amounts(totals: Totals, metric: Metric) -> list[float]:
    return [point.amount for point in points_of(totals.snapshot(), metric)]


def test_a_call_kept_with_one_in_four_stands_for_three_more() -> None:
    totals, book = booking()
    book(body(sampled(1, "ot=th:c")))
    [operations], [energy], [emissions] = (amounts(totals, metric) for metric in UNSEEN)
    assert operations == 4 - 1
    assert energy == pytest.approx((4 - 1) * CALL_JOULES, rel=1e-9)
    assert emissions == pytest.approx((4 - 1) * amounts(totals, metric_names.EMISSIONS)[0])


def test_totals_and_spans_are_those_of_the_same_calls_without_a_trace_state() -> None:
    (totals, book), (plain_totals, book_plainly) = booking(), booking()
    spans = [sampled(1, "ot=th:c"), sampled(2, "ot=th:f"), sampled(3, "ot=th:c", "no-such-image-1")]
    sampled_spans = spans_of(book(body(*spans)))
    for span in spans:
        span.ClearField("trace_state")
    plain_spans = spans_of(book_plainly(body(*spans)))
    found, expected = totals.snapshot(), plain_totals.snapshot()
    assert (found.rows, found.operations, found.spans) == (expected.rows, expected.operations, expected.spans)
    assert expected.unseen == {}
    assert [attributes_of(span) for span in sampled_spans] == [attributes_of(span) for span in plain_spans]


@pytest.mark.parametrize("trace_state", ["", "vendor=1", "ot=rv:0123456789abcd", "ot=th:ffffffffffffff", "ot=th:x"])
def test_without_a_valid_threshold_there_is_no_series_and_not_a_zero(trace_state: str) -> None:
    totals, book = booking()
    book(body(sampled(1, trace_state)))
    assert [amounts(totals, metric) for metric in UNSEEN] == [[], [], []]


def test_a_service_that_says_it_keeps_everything_has_a_zero() -> None:
    totals, book = booking()
    book(body(sampled(1, "ot=th:0")))
    assert [amounts(totals, metric) for metric in UNSEEN] == [[0], [0], [0]]


def test_the_labels_are_those_of_the_counters_that_they_extend() -> None:
    totals, book = booking()
    book(body(sampled(1, "ot=th:8"), sampled(2, "ot=th:c", "no-such-image-1"), sampled(3, "ot=th:f", tenant="red")))
    snapshot = totals.snapshot()
    for metric, extended in zip(
        UNSEEN, (metric_names.OPERATIONS, metric_names.ENERGY, metric_names.EMISSIONS), strict=True
    ):
        labels = [point.attributes for point in points_of(snapshot, metric)]
        assert labels == [point.attributes for point in points_of(snapshot, extended)]
    assert sorted(amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS)) == [2 - 1, 4 - 1, 16 - 1]


def test_calls_of_one_series_add_up_whatever_each_stands_for() -> None:
    totals, book = booking()
    book(body(sampled(1, "ot=th:8"), sampled(2, "")))
    book(body(sampled(3, "ot=th:c")))
    assert amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == [(2 - 1) + (4 - 1)]
    assert amounts(totals, metric_names.OPERATIONS) == [3]


def test_a_call_that_several_spans_report_stands_for_others_once() -> None:
    totals, book = booking()
    for scope in ("one", "other", "one"):  # a twin, and a second delivery
        span = sampled(1, "ot=th:c")
        span.span_id = scope[:1].encode() * 8
        book(body(span, scope=scope))
    assert amounts(totals, metric_names.OPERATIONS) == [1]
    assert amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == [4 - 1]


def test_a_call_found_without_usage_first_stands_for_others_once() -> None:
    totals, book = booking()
    first, second = sampled(1, "ot=th:c"), sampled(1, "ot=th:c")
    first.parent_span_id, second.span_id = b"12345678", b"12345678"
    del first.attributes[3:]
    book(body(first))
    book(body(second))
    assert sum(amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS)) == 4 - 1
    assert amounts(totals, metric_names.SAMPLING_UNSEEN_ENERGY) == [pytest.approx((4 - 1) * CALL_JOULES, rel=1e-9)]


def test_beyond_the_label_budget_extrapolations_are_other_too_with_each_series_once() -> None:
    totals, book = booking(max_series=1)
    book(body(sampled(1, "ot=th:0"), sampled(2, "ot=th:8", tenant="a"), sampled(3, "ot=th:8", "no-such-image-1", "b")))
    labels = [point.attributes for point in points_of(totals.snapshot(), metric_names.SAMPLING_UNSEEN_ENERGY)]
    assert [each["otel_carbon.tenant"] for each in labels] == ["none", "other"]
    assert sum(amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS)) == (1 - 1) + (2 - 1) + (2 - 1)


def test_closing_accounts_keeps_extrapolations_and_a_reset_forgets_them() -> None:
    totals, book = booking()
    book(body(sampled(1, "ot=th:c")))
    totals.close_accounts()
    assert amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == [3]
    totals.reset()
    assert amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == []


def _plainly(encoded: bytes, enricher: Enricher) -> None:
    enrich_plainly(encoded, enricher)


def _fast(encoded: bytes, enricher: Enricher) -> None:
    TracesEnricher(enricher)(encoded)


def _json(encoded: bytes, enricher: Enricher) -> None:
    request = request_of()
    request.ParseFromString(encoded)
    enrich_json_requests([otlp_json(request)], enricher)


def _json_with_protobuf_names(encoded: bytes, enricher: Enricher) -> None:
    request = request_of()
    request.ParseFromString(encoded)
    enrich_json_requests([otlp_json(request, preserving_proto_field_name=True)], enricher)


@pytest.mark.parametrize("way", [_plainly, _fast, _json, _json_with_protobuf_names])
def test_all_ways_into_the_collector_read_the_trace_state(way: Callable[[bytes, Enricher], None]) -> None:
    enricher = fresh_enricher()
    way(body(sampled(1, "vendor=x,ot=rv:0123456789abcd;th:c")), enricher)
    assert amounts(enricher.totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == [4 - 1]


def test_a_trace_state_that_is_no_text_leaves_the_span_readable() -> None:
    totals, book = booking()
    book(body(sampled(1, "ot=th:c")).replace(b"ot=th:c", b"\xff\xfe=th:c"))
    assert amounts(totals, metric_names.OPERATIONS) == [1]
    assert amounts(totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == []


@pytest.mark.parametrize(("policy", "unseen"), [("trust", []), ("count", [4 - 1])])
def test_spans_that_an_earlier_hop_judged_are_extrapolated_where_they_are_counted(
    policy: str, unseen: list[float]
) -> None:
    judged = TracesEnricher(fresh_enricher())(body(sampled(1, "ot=th:c")))
    enricher = fresh_enricher(already_enriched=policy)
    TracesEnricher(enricher)(judged)
    assert amounts(enricher.totals, metric_names.SAMPLING_UNSEEN_OPERATIONS) == unseen
