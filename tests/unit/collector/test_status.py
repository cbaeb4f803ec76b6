from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from google.rpc import error_details_pb2, status_pb2

from otel_carbon.collector.status import (
    Code,
    Encoding,
    encode_status,
    retry_delay_from_details,
    retry_delay_from_header,
    status_message,
)

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "delay_s"),
    [
        ("7", 7.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("99999999", 24 * 3600.0),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 12:00:30 +99999999999999999999", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, delay_s: float | None) -> None:
    assert retry_delay_from_header(value, NOON) == delay_s


def test_retry_info_survives_the_way_through_status_details() -> None:
    details = status_message(Code.UNAVAILABLE, "queue full", retry_after_s=1.5).SerializeToString()
    assert retry_delay_from_details(details) == 1.5


@pytest.mark.parametrize("details", [b"", b"garbage", status_pb2.Status(code=8).SerializeToString()])
def test_details_without_retry_info_name_no_delay(details: bytes) -> None:
    assert retry_delay_from_details(details) is None


def test_a_status_is_written_in_the_encoding_of_the_request() -> None:
    status = status_message(Code.UNIMPLEMENTED, "no")
    assert json.loads(encode_status(status, Encoding.JSON)) == {"code": 12, "message": "no"}
    assert status_pb2.Status.FromString(encode_status(status, Encoding.PROTOBUF)) == status


def test_bad_data_is_described_in_the_details_of_its_status() -> None:
    (detail,) = status_message(Code.INVALID_ARGUMENT, "the gzip stream is cut short").details
    bad_request = error_details_pb2.BadRequest()
    assert detail.Unpack(bad_request)
    assert [each.description for each in bad_request.field_violations] == ["the gzip stream is cut short"]
