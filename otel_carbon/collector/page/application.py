"""Serve the built-in page and its figures; they are worked out away from the event loop."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from otel_carbon.collector.asgi_server import respond
from otel_carbon.collector.page.document import document
from otel_carbon.collector.page.health import health
from otel_carbon.collector.page.shell import build_shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.collector.asgi_server import Message, Send
    from otel_carbon.collector.page.watch import TotalsWatch
    from otel_carbon.collector.self_metrics import SelfMetrics

PAGE_PATH = "/"
TOTALS_PATH = "/api/totals"
FRESH_S = 5.0
"""How long figures are shown again instead of worked out anew, so that many readers cost what one does."""
_TEXT = "text/plain; charset=utf-8"
_GUARDS = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_logger = logging.getLogger(__name__)


class BuiltInPage:
    """The page of one server, which calls it for the paths that are its own. It only reads.

    Args:
        watch: what looks at the totals.
        self_metrics: the collector's own counters.
        monotonic_s: a clock that never goes back, in seconds.
    """

    paths = frozenset({PAGE_PATH, TOTALS_PATH})

    def __init__(
        self, watch: TotalsWatch, self_metrics: SelfMetrics, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._watch = watch
        self._self_metrics = self_metrics
        self._monotonic_s = monotonic_s
        self._shell = build_shell()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="built-in page")
        self._figures = b""
        self._fresh_until_s = float("-inf")

    def start(self) -> None:
        """Begin to count by days."""
        self._watch.start()

    def stop(self) -> None:
        """Give the threads back."""
        self._watch.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Message, send: Send) -> None:
        """Answer a request for one of `paths`."""
        if scope["method"] not in {"GET", "HEAD"}:
            await respond(send, 405, b"this page only reads; use GET\n", _TEXT, ((b"allow", b"GET, HEAD"),))
        elif scope["path"] == PAGE_PATH:
            policy = (b"content-security-policy", self._shell.content_security_policy.encode())
            await respond(send, 200, self._shell.html, "text/html; charset=utf-8", (policy, *_GUARDS))
        else:
            await self._send_figures(send)

    async def _send_figures(self, send: Send) -> None:
        try:
            body = await asyncio.get_running_loop().run_in_executor(self._threads, self.figures)
        except Exception:
            _logger.exception("the figures of the built-in page cannot be worked out")
            await respond(send, 500, b"cannot work out the figures; see the log of the collector\n", _TEXT, _GUARDS)
        else:
            await respond(send, 200, body, "application/json", _GUARDS)

    def figures(self) -> bytes:
        """The figures as JSON, at most `FRESH_S` old; on the one thread that works them out."""
        if self._monotonic_s() >= self._fresh_until_s:
            seen = self._watch.look()
            own = health(self._self_metrics.collect(), seen.look.snapshot.dropped_series)
            self._figures = json.dumps(document(seen, own), separators=(",", ":"), allow_nan=False).encode()
            self._fresh_until_s = self._monotonic_s() + FRESH_S
        return self._figures
