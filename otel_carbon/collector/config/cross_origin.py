"""Settings of cross-origin requests: which web pages may send."""

from __future__ import annotations

import re
from typing import Annotated

from otel_carbon.collector.config.modelling import AfterValidator, Field
from otel_carbon.collector.config.values import Name, Section

_ANY = "*"
_OPAQUE = "null"
_SCHEME_AND_HOST = re.compile(r"[a-z*][a-z0-9+.*-]*://[^/?#@\s]+|[^/?#@\s:]*\*[^/?#@\s]*", re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _origin(text: str) -> str:
    """Refuse what no browser would ever send as an origin."""
    if text in {_ANY, _OPAQUE}:
        return text
    if text.count(_ANY) > 1:
        raise ValueError(f"{text!r} may have one * at most")
    if not _SCHEME_AND_HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no origin; write scheme, host and port alone, such as https://app.example.com")
    return text


def _header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a header")
    return text


Origin = Annotated[Name, AfterValidator(_origin)]
HeaderName = Annotated[Name, AfterValidator(_header_name)]


class CorsConfig(Section):
    """Which web pages may send (CORS)."""

    allowed_origins: tuple[Origin, ...] = Field(
        default=(),
        description="Origins of the pages, such as `https://app.example.com` or `https://*.example.com`; one `*` "
        "stands for any text. Without any, no page may send. Browsers take `*` alone only without credentials.",
    )
    allowed_headers: tuple[HeaderName, ...] = Field(
        default=(),
        description="Headers that they may send beside `Accept`, `Accept-Language`, `Content-Language` and "
        "`Content-Type`, such as `Authorization`; `*` is all. Without any, `X-Requested-With`.",
    )
    exposed_headers: tuple[HeaderName, ...] = Field(
        default=(), description="Headers of answers that their scripts may read, such as `Retry-After`."
    )
    max_age_s: int = Field(
        default=0,
        validation_alias="max_age",
        ge=-1,
        description="How long browsers may remember what they may send, in seconds; 0 leaves it to them, -1 is never.",
    )
