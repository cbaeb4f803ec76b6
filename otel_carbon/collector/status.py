"""Error answers of OTLP: `google.rpc.Status` bodies, retry hints, and which codes may be retried."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from math import isfinite

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

STATUS_DETAILS_KEY = "grpc-status-details-bin"
RETRYABLE_HTTP_STATUSES = frozenset({429, 502, 503, 504})
UNAUTHORIZED_HTTP_STATUSES = frozenset({401, 403})
UNAUTHORIZED_GRPC_CODES = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
RETRYABLE_GRPC_CODES = frozenset(
    {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
)
_LONGEST_RETRY_S = 24 * 3600.0


class Encoding(Enum):
    """How an OTLP/HTTP body is written; the value is its content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class Code(Enum):
    """The `google.rpc.Code` numbers that the receivers answer with."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


def status_message(code: Code, message: str, retry_after_s: float | None = None) -> status_pb2.Status:
    """Build the `google.rpc.Status` of a refused request; bad data is described in its details, too.

    Args:
        code: what went wrong.
        message: what went wrong, in words.
        retry_after_s: when to try again, in seconds; None for errors that stay.
    """
    status = status_pb2.Status(code=code.value, message=message)
    if code is Code.INVALID_ARGUMENT:
        bad_data = error_details_pb2.BadRequest()
        bad_data.field_violations.add(description=message)
        status.details.add().Pack(bad_data)
    if retry_after_s is not None:
        delay = Duration()
        delay.FromMilliseconds(round(retry_after_s * 1000))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def encode_status(status: status_pb2.Status, encoding: Encoding) -> bytes:
    """Write a status in the encoding of the request that it answers."""
    if encoding is Encoding.PROTOBUF:
        return bytes(status.SerializeToString())
    return json_format.MessageToJson(status, indent=None).encode()


def retry_delay_from_details(details: bytes) -> float | None:
    """Read the delay in seconds out of a `grpc-status-details-bin` value; None if it names none."""
    try:
        status = status_pb2.Status.FromString(details)
        for detail in status.details:
            retry = error_details_pb2.RetryInfo()
            if detail.Unpack(retry):
                return _bounded(retry.retry_delay.ToMilliseconds() / 1000)
    except DecodeError:
        return None
    return None


def retry_delay_from_header(value: str | None, now: datetime) -> float | None:
    """Read the delay in seconds out of a `Retry-After` header: seconds, or a date; None if it is neither."""
    if not value:
        return None
    try:
        seconds = float(value)
        return _bounded(seconds) if isfinite(seconds) else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter of a zone of many digits
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _bounded((aware - now).total_seconds())


def _bounded(delay_s: float) -> float:
    """A hint from outside is honoured for a day at most, and never runs backwards."""
    return min(max(delay_s, 0.0), _LONGEST_RETRY_S)
