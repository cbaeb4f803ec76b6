"""Cross-origin requests (CORS): which web pages may send to an HTTP server, as the upstream collector means it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.collector.asgi_server import header
from otel_carbon.collector.refusal_reasons import CountRefusal, Reason, count_nothing

if TYPE_CHECKING:
    from otel_carbon.collector.asgi_server import Application, Message, Receive, Send

    Fields = list[tuple[bytes, bytes]]

ANY = "*"
_ALWAYS_ALLOWED = frozenset({"accept", "accept-language", "content-language", "content-type"})
_ALLOWED_UNLESS_LISTED = frozenset({"x-requested-with"})
_METHODS = frozenset({"GET", "HEAD", "POST"})
_MOST_HEADERS = 64
"""What a page asks for is repeated in the answer, which stays short."""
_VARY_ALWAYS = (b"vary", b"Origin")
_VARY_PREFLIGHT = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
_CREDENTIALS = (b"access-control-allow-credentials", b"true")


@dataclass(frozen=True, slots=True)
class CrossOriginSettings:
    """Which web pages may send, and what.

    Attributes:
        allowed_origins: such as `https://app.example.com`; `*` stands for any text.
        allowed_headers: of requests, beside those that are always allowed; `*` is all.
        exposed_headers: of answers, that scripts may read.
        max_age_s: how long a browser may remember an answer, in seconds; 0 leaves it to the browser, below is never.
    """

    allowed_origins: tuple[str, ...]
    allowed_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    max_age_s: int = 0


class CrossOrigin:
    """Answers the questions of browsers before an application, and lets allowed pages read what that answers.

    A browser asks (`OPTIONS`, the preflight) before it sends what no form could send, without any credentials; so
    this stands before authentication. What it is not allowed, it does not send. Other clients are not concerned.

    Args:
        application: what answers everything else.
        settings: which pages.
        count_refusal: told of questions that are answered with no.
    """

    def __init__(
        self, application: Application, settings: CrossOriginSettings, count_refusal: CountRefusal = count_nothing
    ) -> None:
        self._application = application
        self._count_refusal = count_refusal
        self._allows_any = ANY in settings.allowed_origins
        patterns = (re.escape(each).replace(r"\*", ".*") for each in settings.allowed_origins)
        self._origins = re.compile("|".join(patterns), re.IGNORECASE)
        listed = {each.lower() for each in settings.allowed_headers}
        self._allows_all_headers = ANY in listed
        self._headers = _ALWAYS_ALLOWED | (listed or _ALLOWED_UNLESS_LISTED)
        exposed = ", ".join(settings.exposed_headers).encode("latin-1")
        self._exposed = [(b"access-control-expose-headers", exposed)] if exposed else []
        age = b"%d" % max(0, settings.max_age_s)
        self._max_age = [(b"access-control-max-age", age)] if settings.max_age_s else []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a preflight; pass everything else on, and mark its answer."""
        origin = header(scope, b"origin")
        if scope["method"] == "OPTIONS" and header(scope, b"access-control-request-method"):
            await self._answer_preflight(scope, origin, send)
            return
        fields = [_VARY_ALWAYS, *self._for_origin(origin)]

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *fields]
            await send(message)

        await self._application(scope, receive, send_marked)

    async def _answer_preflight(self, scope: Message, origin: str, send: Send) -> None:
        allowed = self._for_preflight(scope, origin)
        if not allowed:
            self._count_refusal(Reason.CROSS_ORIGIN)
        await send({"type": "http.response.start", "status": 204, "headers": [_VARY_PREFLIGHT, *allowed]})
        await send({"type": "http.response.body", "body": b""})

    def _for_preflight(self, scope: Message, origin: str) -> Fields:
        """What allows the request that is asked for; nothing where it is not allowed."""
        method = header(scope, b"access-control-request-method")
        names = _names_in(scope, b"access-control-request-headers")
        is_allowed = self._allows_all_headers or names <= self._headers
        if not self._allows(origin) or method not in _METHODS or len(names) > _MOST_HEADERS or not is_allowed:
            return []
        asked = ", ".join(sorted(names)).encode("latin-1")
        return [
            self._allow_origin(origin),
            (b"access-control-allow-methods", method.encode("latin-1")),
            *([(b"access-control-allow-headers", asked)] if asked else []),
            _CREDENTIALS,
            *self._max_age,
        ]

    def _for_origin(self, origin: str) -> Fields:
        """What lets a page read an answer; nothing where it is not allowed."""
        return [self._allow_origin(origin), *self._exposed, _CREDENTIALS] if self._allows(origin) else []

    def _allows(self, origin: str) -> bool:
        return bool(origin) and (self._allows_any or self._origins.fullmatch(origin) is not None)

    def _allow_origin(self, origin: str) -> tuple[bytes, bytes]:
        return b"access-control-allow-origin", b"*" if self._allows_any else origin.encode("latin-1")


def _names_in(scope: Message, name: bytes) -> set[str]:
    """The names that a header lists, which some gateways split into several headers."""
    lists = (str(value, "latin-1") for key, value in scope["headers"] if key == name)
    return {each.strip().lower() for listed in lists for each in listed.split(",")} - {""}
