"""Settings of extensions: the meaning, unit and default of every key."""

from __future__ import annotations

from pydantic import Field

from otel_carbon.collector.config.security import SecuredListener
from otel_carbon.collector.config.values import ListenEndpoint  # noqa: TC001 -- pydantic reads it at run time


class HealthCheckConfig(SecuredListener):
    """Answers probes: 200 while telemetry is taken, 503 before and after."""

    endpoint: ListenEndpoint = Field(
        default="localhost:13133", description="Where to listen, `host:port`; port 0 takes a free one."
    )
