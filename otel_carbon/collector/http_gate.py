"""Let only those into an HTTP server whom its authenticator admits, without holding up the others."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from otel_carbon.collector.asgi_server import header, respond
from otel_carbon.collector.authenticators import PasswordsBusy

if TYPE_CHECKING:
    from otel_carbon.collector.asgi_server import Application, Headers, Message, Receive, Send
    from otel_carbon.collector.authenticators import Authenticator

MOST_WAITING = 8
_TEXT = "text/plain; charset=utf-8"


class HttpGate:
    """Asks an authenticator; slow comparisons run on a thread of their own.

    Args:
        authenticator: who decides.
        name: name of the thread.
    """

    def __init__(self, authenticator: Authenticator, *, name: str) -> None:
        self._authenticator = authenticator
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting = 0

    @property
    def challenge(self) -> Headers:
        """The header of a 401."""
        return ((b"www-authenticate", self._authenticator.challenge.encode("latin-1")),)

    async def admits(self, scope: Message) -> bool:
        """Whether a request may pass.

        Raises:
            PasswordsBusy: too many passwords wait to be compared.
        """
        authorization = header(scope, b"authorization")
        if self._authenticator.remembers(authorization):
            return True
        if not authorization:
            return False
        if self._waiting >= MOST_WAITING:
            raise PasswordsBusy("too many passwords to compare; try again")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._authenticator.admits, authorization)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Give the thread back."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def guarded(application: Application, authenticator: Authenticator | None, *, name: str) -> Application:
    """Put an authenticator before a page; without one the page stays open."""
    if authenticator is None:
        return application
    gate = HttpGate(authenticator, name=name)

    async def guarded_application(scope: Message, receive: Receive, send: Send) -> None:
        try:
            is_admitted = await gate.admits(scope)
        except PasswordsBusy as busy:
            await respond(send, 503, str(busy).encode(), _TEXT, ((b"retry-after", b"1"),))
            return
        if is_admitted:
            await application(scope, receive, send)
        else:
            await respond(send, 401, b"authentication is needed\n", _TEXT, gate.challenge)

    return guarded_application
