"""Settings of the remote-write exporter: the meaning, unit and default of every key."""

from __future__ import annotations

import re
from typing import Annotated, Self

from otel_carbon.collector.config.client_tls import TlsClientConfig, contradiction
from otel_carbon.collector.config.modelling import AfterValidator, Field, model_validator
from otel_carbon.collector.config.security import AuthorizedExporter
from otel_carbon.collector.config.values import BackendUrl, Headers, Seconds, Section
from otel_carbon.collector.endpoints import Endpoint, endpoint_of_url

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def _valid_labels(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            raise ValueError(f"{name!r} is no name of a label; letters, digits and _ make one")
    return labels


class PushRetryConfig(Section):
    """When a push that the backend refused for now is done again, with the counters as they are by then."""

    enabled: bool = Field(default=True, description="Whether to do it again before the next interval.")
    initial_interval_s: Seconds = Field(
        default=1.0, validation_alias="initial_interval", ge=0.001, description="First delay, a duration."
    )
    max_interval_s: Seconds = Field(
        default=30.0, validation_alias="max_interval", ge=0.001, description="Longest delay, a duration."
    )


class PrometheusRemoteWriteExporterConfig(AuthorizedExporter):
    """Pushes the carbon processor's counters by Prometheus remote write 1.0, named as on the prometheus page."""

    endpoint: BackendUrl = Field(
        description="URL that takes remote writes, such as `http://prometheus:9090/api/v1/write`."
    )
    interval_s: Seconds = Field(
        default=15.0, validation_alias="interval", ge=0.1, description="Time from one push to the next, a duration."
    )
    external_labels: Annotated[dict[str, str], AfterValidator(_valid_labels)] = Field(
        default_factory=dict,
        description="Labels of every series; `job` is `otel-carbon` and `instance` the host's name unless set here; "
        "an empty one is left out.",
    )
    self_metrics: bool = Field(default=False, description="Whether to push the collector's own metrics as well.")
    headers: Headers = Field(default_factory=dict, description="Headers sent with every request.")
    tls: TlsClientConfig | None = Field(default=None, description="How TLS is spoken; certificates of your own.")
    timeout_s: Seconds = Field(
        default=5.0, validation_alias="timeout", gt=0, description="Longest time for one request, a duration."
    )
    retry_on_failure: PushRetryConfig = Field(default_factory=PushRetryConfig, description="When to push again.")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if problem := contradiction(self.endpoint, self.tls):
            raise ValueError(problem)
        return self

    @property
    def target(self) -> Endpoint:
        """Host and port of the backend."""
        return endpoint_of_url(self.endpoint)
