"""The answers of the OTLP/HTTP receiver other than success."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from otel_carbon.collector.asgi_server import CLOSE, respond
from otel_carbon.collector.refusal_reasons import Reason
from otel_carbon.collector.refusals import RETRY_AFTER_S
from otel_carbon.collector.status import Code, Encoding, encode_status, status_message

if TYPE_CHECKING:
    from otel_carbon.collector.asgi_server import Headers, Send


class Refusal(Exception):
    """An answer other than success.

    Args:
        http_status: such as 400.
        code: the code of the `Status` body.
        message: what went wrong, in words.
        reason: as what it is counted.
        headers: more of them.
        retry_after_s: when to try again, in seconds; None for errors that stay.
        close: end the connection after it.
    """

    def __init__(
        self,
        http_status: int,
        code: Code,
        message: str,
        reason: Reason,
        headers: Headers = (),
        *,
        retry_after_s: float | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.reason = reason
        # Closing while the body still comes in would reset the connection and lose this answer, so the server
        # reads on and discards; only a body that does not come is not waited for.
        self.headers = (*headers, *CLOSE) if close else tuple(headers)
        self.status = status_message(code, message, retry_after_s)

    async def answer(self, send: Send, encoding: Encoding) -> None:
        """Send it in the encoding of the request."""
        await respond(send, self.http_status, encode_status(self.status, encoding), encoding.value, self.headers)


def bad_data(message: str) -> Refusal:
    """What no repetition will make good."""
    return Refusal(400, Code.INVALID_ARGUMENT, message, Reason.BAD_DATA)


def too_large(message: str) -> Refusal:
    """A body beyond the limit."""
    return Refusal(413, Code.RESOURCE_EXHAUSTED, message, Reason.TOO_LARGE)


def too_slow(deadline_s: float) -> Refusal:
    """A body that did not come; the client may send it again."""
    message = f"the body took longer than {deadline_s:g} s"
    return Refusal(408, Code.DEADLINE_EXCEEDED, message, Reason.BODY_TIMEOUT, close=True)


def stopping() -> Refusal:
    """What had not come or was not done when the receiver stopped; the client should send it again."""
    message = "the collector is being stopped; send it again"
    headers = ((b"retry-after", b"%d" % math.ceil(RETRY_AFTER_S)),)
    reason = Reason.BODY_TIMEOUT
    return Refusal(503, Code.UNAVAILABLE, message, reason, headers, retry_after_s=RETRY_AFTER_S, close=True)


def overloaded(message: str, retry_after_s: float, reason: Reason) -> Refusal:
    """No room now; the client should send it again."""
    wait = b"%d" % math.ceil(retry_after_s)
    headers = ((b"retry-after", wait),)
    return Refusal(503, Code.UNAVAILABLE, message, reason, headers, retry_after_s=retry_after_s)


def unknown_content_type() -> Refusal:
    """A body that is neither protobuf nor JSON."""
    wanted = " or ".join(each.value for each in Encoding)
    return Refusal(415, Code.INVALID_ARGUMENT, f"the content type must be {wanted}", Reason.ENCODING)


def unknown_content_encoding(content_encoding: str, taken: tuple[str, ...]) -> Refusal:
    """A compression that is not understood, or not taken here."""
    names = ", ".join((*taken, "identity"))
    message = f"the content encoding must be one of {names}, or absent, not {content_encoding[:40]!r}"
    accepted = (b"accept-encoding", names.encode("latin-1"))
    return Refusal(415, Code.INVALID_ARGUMENT, message, Reason.ENCODING, (accepted,))


def unauthenticated(challenge: Headers) -> Refusal:
    """A client that is not known; it never tells what it had sent."""
    return Refusal(401, Code.UNAUTHENTICATED, "authentication is needed", Reason.UNAUTHENTICATED, challenge)
