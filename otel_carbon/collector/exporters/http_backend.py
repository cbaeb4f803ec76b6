"""Post bodies to one HTTP backend: bounded answers, refusals that tell whether to come again, certificates reloaded."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx

from otel_carbon.collector.client_tls import GENERATIONS, watched_tls
from otel_carbon.collector.exporters.redaction import Redaction, shown_url
from otel_carbon.collector.sender import PermanentExportError, RetryableExportError
from otel_carbon.collector.status import retry_delay_from_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.collector.exporters.backend import BackendSettings

RESPONSE_LIMIT_BYTES = 4 * 1024 * 1024


class Answer(NamedTuple):
    """What a backend answered with success, and what takes our secrets out of it before it is shown."""

    body: bytes
    redaction: Redaction


class HttpBackend:
    """One kept-alive connection to a backend.

    Args:
        settings: where and how to send.
        headers: sent with every request; they win over those of the settings.
        is_retryable: whether a refusal with this status may pass later.
        explain: what the body of a refusal says, in words.

    Raises:
        ConfigError: the files of TLS cannot be used.
    """

    def __init__(
        self,
        settings: BackendSettings,
        headers: Mapping[str, str],
        *,
        is_retryable: Callable[[int], bool],
        explain: Callable[[bytes], str],
    ) -> None:
        self._settings = settings
        self._headers = httpx.Headers(settings.headers)
        self._headers.update({"accept-encoding": "identity", **headers})
        self._is_retryable = is_retryable
        self._explain = explain
        # httpx writes URLs to its log with all that is in them.
        self._url = shown_url(settings.endpoint).rstrip("/")
        tls = settings.tls
        self._extensions = {"sni_hostname": tls.server_name} if tls is not None and tls.server_name else {}
        self._clients: list[httpx.Client] = []
        """The one in use, and the one before it: what that was sending when the certificates changed goes on."""
        self._current = watched_tls(tls, self._new_client, exporter=settings.exporter)

    def post(self, path: str, content: bytes) -> Answer:
        """Post a body below the endpoint, and return the answer.

        Raises:
            RetryableExportError: the same body may pass later.
            PermanentExportError: it never will.
        """
        authorize = self._settings.authorization
        sent = {"authorization": authorize()} if authorize is not None else {}
        redaction = Redaction(self._settings.endpoint, (*self._settings.headers.values(), *sent.values()))
        deadline_s = time.monotonic() + self._settings.timeout_s
        client = self._current.value
        try:
            request = client.build_request(
                "POST", self._url + path, content=content, headers=sent, extensions=self._extensions
            )
            response = client.send(request, stream=True)
            try:
                answer = _read_bounded(response, deadline_s)
            finally:
                _let_go(response)
        except httpx.HTTPError as error:
            reason = redaction.clean(str(error)) or type(error).__name__
            raise RetryableExportError(f"{self._url}: {reason}") from error
        if response.is_success:
            return Answer(answer, redaction)
        raise self._refusal(response, redaction.clean(self._explain(answer)))

    def close(self) -> None:
        """Close the connection."""
        for client in self._clients:
            client.close()

    def _refusal(self, response: httpx.Response, why: str) -> Exception:
        message = f"{self._url} answered {response.status_code}{f': {why}' if why else ''}"
        if not self._is_retryable(response.status_code):
            return PermanentExportError(message)
        wish_s = retry_delay_from_header(response.headers.get("retry-after"), datetime.now(UTC))
        return RetryableExportError(message, wish_s)

    def _new_client(self) -> httpx.Client:
        tls = self._settings.tls
        is_authorized = "authorization" in self._headers or self._settings.authorization is not None
        client = httpx.Client(
            auth=None if is_authorized else _basic_auth(self._settings.endpoint),
            headers=self._headers,
            timeout=self._settings.timeout_s,
            follow_redirects=False,
            trust_env=self._settings.behind_proxy,
            verify=True if tls is None else tls.context(),
        )
        self._clients.append(client)
        while len(self._clients) > GENERATIONS:
            self._clients.pop(0).close()
        return client


def _basic_auth(endpoint: str) -> httpx.BasicAuth | None:
    parts = urlsplit(endpoint)
    return httpx.BasicAuth(unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def _let_go(response: httpx.Response) -> None:
    """Close a response, and part it from its stream.

    They hold each other, and with them the request: a body of up to 1 MiB for each, until a garbage collector that
    seldom runs comes by.
    """
    response.close()
    response.stream = httpx.ByteStream(b"")


def _read_bounded(response: httpx.Response, deadline_s: float) -> bytes:
    """Read an answer up to a limit, and never expanded: a backend must not be able to fill our memory.

    Raises:
        PermanentExportError: it is longer, which by OTLP is an error that stays.
    """
    answer = bytearray()
    for piece in response.iter_raw():
        answer += piece
        if len(answer) > RESPONSE_LIMIT_BYTES:
            raise PermanentExportError(f"the answer is longer than {RESPONSE_LIMIT_BYTES} bytes")
        if time.monotonic() > deadline_s:  # httpx bounds the wait for each piece only
            raise httpx.ReadTimeout("the answer took too long")
    return bytes(answer)
