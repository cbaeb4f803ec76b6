"""Settings of TLS and authentication of whatever listens: the meaning, unit and default of every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from otel_carbon.collector.config.modelling import BeforeValidator, Field
from otel_carbon.collector.config.values import Name, Seconds, Section
from otel_carbon.collector.tls import TlsSettings


def _as_text(version: object) -> object:
    """`1.2` without quotes is a number in YAML."""
    return str(version) if isinstance(version, float) else version


class TlsServerConfig(Section):
    """Certificates of a server, and of whom it takes connections."""

    cert_file: Name = Field(description="PEM file with the certificate, and intermediate ones after it.")
    key_file: Name = Field(description="PEM file with the private key, without a password.")
    client_ca_file: str | None = Field(
        default=None,
        min_length=1,
        description="PEM file with the authorities whose clients may connect (mTLS); when left out, all may.",
    )
    min_version: Annotated[Literal["1.2", "1.3"], BeforeValidator(_as_text)] = Field(
        default="1.2", description="Oldest TLS version that is spoken; gRPC takes `1.2` only."
    )
    reload_interval_s: Seconds = Field(
        default=0.0,
        validation_alias="reload_interval",
        ge=0,
        description="How often to look for changed files, a duration; 0 is never.",
    )

    def settings(self, key: str) -> TlsSettings:
        """What a server is given.

        Args:
            key: key path of this section, for messages.
        """
        return TlsSettings(
            key=key,
            cert_file=Path(self.cert_file),
            key_file=Path(self.key_file),
            client_ca_file=Path(self.client_ca_file) if self.client_ca_file else None,
            min_version=self.min_version,
            reload_interval_s=self.reload_interval_s or None,
        )


class AuthConfig(Section):
    """Who may come."""

    authenticator: Name = Field(
        description="Id of the extension that decides: `bearertokenauth` or `basicauth`, listed in service.extensions."
    )


class ExporterAuthConfig(Section):
    """Who this is."""

    authenticator: Name = Field(
        description="Id of the extension whose credentials are sent: `bearertokenauth`, or `basicauth` with "
        "`client_auth`; listed in service.extensions."
    )


class AuthorizedExporter(Section):
    """What every exporter that sends by HTTP or gRPC can be given."""

    auth: ExporterAuthConfig | None = Field(default=None, description="Credentials; none unless the key is there.")


class SecuredListener(Section):
    """What every listening part can be given."""

    tls: TlsServerConfig | None = Field(default=None, description="TLS; plain unless the key is there.")
    auth: AuthConfig | None = Field(default=None, description="Authentication; open unless the key is there.")
