"""Settings of TLS towards backends, under the names of the upstream collector."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from otel_carbon.collector.config.modelling import BeforeValidator, Field, WithJsonSchema, model_validator
from otel_carbon.collector.config.values import Seconds, Section


def _version_text(version: object) -> object:
    """`1.2` without quotes is a number in YAML."""
    return str(version) if isinstance(version, float) else version


_WrittenVersion = Annotated[str, WithJsonSchema({"enum": ["1.2", "1.3", 1.2, 1.3]})]
TlsVersion = Annotated[Literal["1.2", "1.3"], BeforeValidator(_version_text, json_schema_input_type=_WrittenVersion)]
FILE_KEYS = ("ca_file", "cert_file", "key_file")


class TlsClientConfig(Section):
    """How a backend is told to be the right one, and how this collector shows who it is."""

    insecure: bool = Field(
        default=False, description="Whether TLS is not used at all, where the endpoint has no scheme."
    )
    insecure_skip_verify: bool = Field(
        default=False, description="Whether any certificate is taken; whoever is in between can then read along."
    )
    ca_file: str | None = Field(
        default=None, description="Certificates of the authorities to trust, PEM; without it those that are known."
    )
    cert_file: str | None = Field(default=None, description="Certificate of this collector for mutual TLS, PEM.")
    key_file: str | None = Field(default=None, description="Private key of `cert_file`, PEM without a password.")
    server_name_override: str | None = Field(
        default=None, min_length=1, description="Name that the backend's certificate must have, if not the endpoint's."
    )
    min_version: TlsVersion = Field(default="1.2", description="Oldest version of TLS that is spoken.")
    reload_interval_s: Seconds = Field(
        default=0.0,
        validation_alias="reload_interval",
        ge=0,
        description="How often to look for changed files, a duration; 0 is never.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together; name both or none")
        if self.insecure and self.asks_for_tls:
            raise ValueError("insecure: true is without TLS; remove it, or the other keys of tls")
        return self

    @property
    def asks_for_tls(self) -> bool:
        """Whether a key says something that holds with TLS only."""
        files = any(getattr(self, key) is not None for key in FILE_KEYS)
        return files or self.insecure_skip_verify or self.server_name_override is not None


def contradiction(endpoint: str, tls: TlsClientConfig | None) -> str | None:
    """What is wrong when the scheme of an endpoint says one thing and `tls` another; None when they agree."""
    if tls is None:
        return None
    if tls.insecure and endpoint.startswith("https://"):
        return "the endpoint says https:// and tls.insecure says without TLS; write http:// or remove tls.insecure"
    if tls.asks_for_tls and endpoint.startswith("http://"):
        return "the endpoint says http://, which is without TLS; write https:// or remove tls"
    return None
