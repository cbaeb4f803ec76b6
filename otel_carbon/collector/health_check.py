"""Answer probes: 200 while the collector takes telemetry, 503 before and after."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from otel_carbon.collector.asgi_server import AsgiServer, respond
from otel_carbon.collector.http_gate import guarded
from otel_carbon.collector.pipeline_status import OK, STARTING, STOPPING, status_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_carbon.collector.asgi_server import Message, Receive, Send
    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.config.document import PipelineConfig
    from otel_carbon.collector.endpoints import Endpoint
    from otel_carbon.collector.pipeline_status import BackendState
    from otel_carbon.collector.tls import ServerTls

STATUS_PATH = "/status"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class HealthCheck:
    """Serves `GET /` (and every other path, as probes are configured in many ways).

    `GET /status` tells more, and with `?verbose` of every component.

    Args:
        endpoint: where to listen.
        key: key path of the endpoint setting, for messages.
        pipelines: the components of each pipeline, by name.
        backends: the states of exporters that send, by component id.
        refuses_all: tells whether no request is taken at present, whatever it is.
        tls: certificates; None is plain.
        authenticator: who may ask; None lets all.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        key: str,
        pipelines: Mapping[str, PipelineConfig] = NOTHING,
        backends: Mapping[str, BackendState] = NOTHING,
        refuses_all: Callable[[], bool] = lambda: False,
        tls: ServerTls | None = None,
        authenticator: Authenticator | None = None,
    ) -> None:
        self._pipelines = pipelines
        self._backends = backends
        self._refuses_all = refuses_all
        self._status = STARTING
        self._started = self._since = datetime.now(UTC)
        application = guarded(self._application, authenticator, name="health check passwords")
        self._server = AsgiServer(application, endpoint, key=key, name="health check", tls=tls)
        self._up_since: datetime | None = None
        self._ready_s = 0.0

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens; the real port once it is started."""
        return self._server.endpoint

    def start(self) -> None:
        """Listen, and answer 503 until `set_ready`.

        Raises:
            ConfigError: the endpoint cannot be listened on.
        """
        self._server.start()

    def set_ready(self, *, ready: bool) -> None:
        """Answer 200 from now on, or 503."""
        self._ready_s = time.monotonic()
        self._since = datetime.now(UTC)
        self._up_since = self._since if ready else None
        self._status = OK if ready else STOPPING

    def begin_stop(self, grace_s: float) -> None:
        """Take no new probes."""
        self._server.begin_stop(grace_s)

    def finish_stop(self, grace_s: float) -> None:
        """Wait for the end of what `begin_stop` let run."""
        self._server.finish_stop(grace_s)

    async def _application(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI's shape
        up_since = None if self._refuses_all() else self._up_since
        if scope["path"] == STATUS_PATH:
            answer = self._status_document(verbose=b"verbose" in scope["query_string"].split(b"&"))
        elif up_since is None:
            answer = {"status": "Server not available"}
        else:
            uptime_s = time.monotonic() - self._ready_s
            answer = {"status": "Server available", "upSince": up_since.isoformat(), "uptime": f"{uptime_s:.3f}s"}
        # A backend that fails is no reason to send no traffic here, or to restart.
        await respond(send, 503 if up_since is None else 200, json.dumps(answer).encode(), "application/json")

    def _status_document(self, *, verbose: bool) -> dict[str, Any]:
        return status_document(
            self._pipelines,
            self._backends,
            status=self._status,
            started=self._started,
            since=self._since,
            verbose=verbose,
        )
