"""JSON over HTTPS from one source: bounded in time, tries and size, and without a secret in any message."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from time import sleep
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from otel_carbon.errors import GridError, GridSourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S = 30.0
ATTEMPTS = 4
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
MAX_BODY_BYTES = 16 * 1024 * 1024
AGAIN = (408, 429, 500, 502, 503, 504)
_OK = 200
_USER_AGENT = "otel-carbon grid refresh"


class Refused(GridError):
    """The source answered, and not with data; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _TryAgain(GridSourceUnavailable):
    """What may pass, after `retry_after_s` seconds if the source says so."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class JsonClient:
    """Asks one endpoint; `headers` may hold a key, which no message shows and no redirect is followed with.

    Raises:
        GridError: the endpoint is none, or would send the key in the clear over a network.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait: Callable[[float], None] = sleep
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        self.endpoint = self.endpoint.rstrip("/")
        address = urlsplit(self.endpoint)
        if address.scheme not in ("http", "https") or not address.hostname:
            msg = f"the endpoint {self.endpoint!r} is no address such as https://host/path"
            raise GridError(msg)
        if self.headers and address.scheme == "http" and not _is_loopback(address.hostname):
            msg = f"the endpoint {self.endpoint!r} would send your key unencrypted; use https"
            raise GridError(msg)

    def read(self, path: str, parameters: Mapping[str, str] | None = None) -> object:
        """The JSON at a path below the endpoint.

        Raises:
            Refused: the source answered with an error that will not pass.
            GridSourceUnavailable: it gave no answer, or only errors that may pass, several times.
            GridError: the answer is no JSON, or too large.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause_s,
            sleep=self.wait,
            reraise=True,
        )
        body = retrying(self._read_once, path, parameters or {})
        try:
            return json.loads(body)
        except ValueError as error:
            msg = f"{self.endpoint}{path} answered with something else than JSON"
            raise GridError(msg) from error

    def _read_once(self, path: str, parameters: Mapping[str, str]) -> bytes:
        url = f"{self.endpoint}{path}"
        headers = {"accept": "application/json", "user-agent": _USER_AGENT, **self.headers}
        try:
            with httpx.stream("GET", url, params=parameters, headers=headers, timeout=self.timeout_s) as answer:
                if answer.status_code in AGAIN:
                    msg = f"{url} answered {answer.status_code}"
                    raise _TryAgain(msg, _seconds(answer.headers.get("retry-after")))
                if answer.status_code != _OK:
                    raise Refused(answer.status_code, f"{url} answered {answer.status_code}")
                return _bounded(answer, url)
        except httpx.HTTPError as error:
            msg = f"{url}: no answer ({type(error).__name__})"  # its own text may hold more than the address
            raise _TryAgain(msg) from error


def _pause_s(state: RetryCallState) -> float:
    """Exponential with jitter, or what the source asks for where that is longer; bounded either way."""
    own_s = wait_exponential_jitter(initial=FIRST_WAIT_S, max=LONGEST_WAIT_S, jitter=FIRST_WAIT_S)(state)
    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.retry_after_s if isinstance(failure, _TryAgain) else 0.0
    return min(max(own_s, asked_s), LONGEST_WAIT_S)


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdecimal() else 0.0


def _bounded(answer: httpx.Response, url: str) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > MAX_BODY_BYTES:
            msg = f"{url} answered with more than {MAX_BODY_BYTES} bytes; ask for a shorter time"
            raise GridError(msg)
    return bytes(body)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
