"""The answers of the OTLP/gRPC receiver other than success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from otel_carbon.collector.status import STATUS_DETAILS_KEY, Code, status_message

if TYPE_CHECKING:
    from otel_carbon.collector.refusal_reasons import Reason


class GrpcRefusal(Exception):
    """A status other than OK.

    Args:
        code: the code of the status.
        message: what went wrong, in words.
        reason: as what it is counted.
        retry_after_s: when to try again, in seconds; None for errors that stay.
    """

    def __init__(self, code: Code, message: str, reason: Reason, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self._code = code
        self._message = message
        self._retry_after_s = retry_after_s

    def answer(self, context: grpc.ServicerContext) -> None:
        """Set the status of the call, with `google.rpc.Status` in its trailing metadata."""
        status = status_message(self._code, self._message, self._retry_after_s)
        context.set_code(grpc.StatusCode[self._code.name])
        context.set_details(self._message)
        context.set_trailing_metadata(((STATUS_DETAILS_KEY, status.SerializeToString()),))


def overloaded(message: str, retry_after_s: float, reason: Reason) -> GrpcRefusal:
    """No room now; the client should send it again."""
    return GrpcRefusal(Code.UNAVAILABLE, message, reason, retry_after_s)
