"""Calls of aiohttp, in the coroutine that every verb of every session awaits; aiohttp itself is never imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from otel_carbon.capture.aiohttp_readers import hear_response
from otel_carbon.capture.exchange import FIRST_ERROR_STATUS, report
from otel_carbon.capture.recognise import may_be_recognised

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from otel_carbon.capture.capturer import Capturer
    from otel_carbon.capture.exchange import Exchange

    class _Switch(Protocol):
        """What knows whether capturing is on."""

        capturer: Capturer | None


def aiohttp_request(switch: _Switch, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """What takes the place of `ClientSession._request`."""

    @wraps(original)
    async def _request(self: Any, method: str, str_or_url: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - aiohttp's
        capturer = switch.capturer
        exchange = _begin(capturer, self, method, str_or_url, options) if capturer is not None else None
        if exchange is None:
            return await original(self, method, str_or_url, *args, **options)
        with exchange:
            try:
                response = await original(self, method, str_or_url, *args, **options)
            except Exception as error:
                _hear_refusal(exchange, error)
                raise
        hear_response(exchange, response, decompressed=_decompresses(self, options))
        return response

    return _request


def _begin(capturer: Capturer, session: Any, method: str, url: Any, options: dict[str, Any]) -> Exchange | None:  # noqa: ANN401 - as above
    try:
        if method.upper() != "POST":
            return None
        path = getattr(url, "raw_path", url)
        if not (isinstance(path, str) and may_be_recognised(path.encode())):
            return None
        return capturer.begin(_Request(session._build_url(url), options))  # which joins it to the base of the session
    except (TypeError, ValueError):  # it is no address, as aiohttp will say
        return None
    except Exception as error:  # nothing of ours may reach the host
        report(error)
        return None


def _hear_refusal(exchange: Exchange, error: Exception) -> None:
    """Take the status of an answer that a session was told to raise for; other errors are the exchange's to note."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and status >= FIRST_ERROR_STATUS and getattr(error, "headers", None) is not None:
        exchange.is_heard(status)
        exchange.end()


def _decompresses(session: Any, options: dict[str, Any]) -> bool:  # noqa: ANN401 - as above
    """Whether bodies come decompressed, as a request says or else its session."""
    asked = options.get("auto_decompress")
    return bool(getattr(session, "auto_decompress", True) if asked is None else asked)


_encode = json.JSONEncoder(ensure_ascii=False).encode


class _Url:
    """An address of aiohttp's, as `http_types.Url`."""

    __slots__ = ("host", "port", "raw_path", "scheme")

    def __init__(self, url: Any) -> None:  # noqa: ANN401 - of yarl, which is not imported
        self.raw_path: bytes = url.raw_path.encode()
        self.scheme: str = url.scheme
        self.host: str = url.host or ""
        self.port: int | None = url.port


class _Request:
    """What is asked of a session, as `http_types.Request`."""

    __slots__ = ("_options", "method", "url")

    def __init__(self, url: Any, options: dict[str, Any]) -> None:  # noqa: ANN401 - as above
        self.method = "POST"
        self.url = _Url(url)
        self._options = options

    @property
    def content(self) -> bytes:
        """The body; of one that aiohttp is yet to serialise the names of its members and the model, nothing else."""
        members = self._options.get("json")
        if isinstance(members, Mapping):
            model = members.get("model")
            named = dict.fromkeys(map(str, members)) | ({"model": str(model)} if isinstance(model, str) else {})
            return _encode(named).encode()
        data = self._options.get("data")
        if isinstance(data, str):
            return data.encode()
        return bytes(data) if isinstance(data, bytes | bytearray | memoryview) else b""
