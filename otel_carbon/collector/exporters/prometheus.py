"""Serve `/metrics`: the carbon counters and the collector's own, rendered away from the receiving threads."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from otel_carbon.collector.asgi_server import AsgiServer, header, respond
from otel_carbon.collector.http_gate import guarded
from otel_carbon.metrics.exposition import OPENMETRICS_END

if TYPE_CHECKING:
    from otel_carbon.collector.asgi_server import Message, Receive, Send
    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.endpoints import Endpoint
    from otel_carbon.collector.page.application import BuiltInPage
    from otel_carbon.collector.self_metrics import SelfMetrics
    from otel_carbon.collector.tls import ServerTls

METRICS_PATH = "/metrics"
_OPENMETRICS = "application/openmetrics-text"
_TEXT = "text/plain; charset=utf-8"
_logger = logging.getLogger(__name__)


class Render(Protocol):
    """Writes metric families for a scraper."""

    def __call__(self, accept_header: str, /) -> tuple[bytes, str]:
        """Return the exposition and its content type, chosen by the scraper's Accept header."""


class _Rendering:
    """A page that is going to be rendered."""

    page: asyncio.Future[tuple[bytes, str]]


class PrometheusExporter:
    """One page for two sources, on a server and a render thread of its own.

    uvicorn is used here as for the receivers, so that one implementation of deadlines and bounds guards every
    port; rendering takes milliseconds for each thousand series, hence the extra thread: a scrape never delays
    the next connection, and two scrapes never render at the same time. Scrapes that wait for that thread share one
    page, so that on a machine too slow for its scrapers they do not pile up.

    Args:
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        render: writes the carbon counters; None where no carbon processor runs.
        self_metrics: the collector's own counters.
        tls: certificates; None is plain.
        authenticator: who may scrape; None lets all.
        page: what people see at `/`; None has nothing there.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        key: str,
        render: Render | None,
        self_metrics: SelfMetrics,
        tls: ServerTls | None = None,
        authenticator: Authenticator | None = None,
        page: BuiltInPage | None = None,
    ) -> None:
        self._key = key
        self._page = page
        self._render = render
        self._self_metrics = self_metrics
        self._waiting: dict[str, _Rendering] = {}
        """Renderings that have not begun, by Accept header."""
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="prometheus render")
        application = guarded(self._application, authenticator, name="prometheus passwords")
        self._server = AsgiServer(application, endpoint, key=key, name="prometheus exporter", tls=tls)

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens; the real port once it is started."""
        return self._server.endpoint

    def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        if self._page is not None:
            self._page.start()
        self._server.start()

    def begin_stop(self, grace_s: float) -> None:
        """Take no new scrapes; those that have begun may end within `grace_s` seconds."""
        self._server.begin_stop(grace_s)

    def finish_stop(self, grace_s: float) -> None:
        """Wait for the end of what `begin_stop` let run."""
        self._server.finish_stop(grace_s)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._page is not None:
            self._page.stop()

    def page(self, accept_header: str) -> tuple[bytes, str]:
        """Write the whole page and tell its content type."""
        if self._render is None:
            return self._self_metrics.render(), "text/plain; version=0.0.4; charset=utf-8"
        carbon, content_type = self._render(accept_header)
        own = self._self_metrics.render(openmetrics=content_type.startswith(_OPENMETRICS))
        end = len(carbon) - len(OPENMETRICS_END) if carbon.endswith(OPENMETRICS_END) else len(carbon)
        return b"".join((memoryview(carbon)[:end], own)), content_type

    def _shared_page(self, accept_header: str) -> asyncio.Future[tuple[bytes, str]]:
        """A page whose rendering begins after now, be it asked for here or by an earlier scrape."""
        rendering = self._waiting.get(accept_header)
        if rendering is None:
            # Entered before the thread can take it out.
            rendering = self._waiting[accept_header] = _Rendering()
            loop = asyncio.get_running_loop()
            rendering.page = loop.run_in_executor(self._threads, self._begin, accept_header)
        return rendering.page

    def _begin(self, accept_header: str) -> tuple[bytes, str]:
        del self._waiting[accept_header]
        return self.page(accept_header)

    async def _application(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI's shape
        if self._page is not None and scope["path"] in self._page.paths:
            await self._page(scope, send)
            return
        if scope["path"] != METRICS_PATH:
            await respond(send, 404, b"the metrics are at /metrics\n", _TEXT)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await respond(send, 405, b"read the metrics with GET\n", _TEXT, ((b"allow", b"GET, HEAD"),))
            return
        try:
            page, content_type = await asyncio.shield(self._shared_page(header(scope, b"accept")))
        except Exception:
            _logger.exception("%s: cannot render the metrics", self._key)
            await respond(send, 500, b"cannot render the metrics; see the log of the collector\n", _TEXT)
        else:
            await respond(send, 200, page, content_type)
