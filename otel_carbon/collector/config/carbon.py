"""Settings of the carbon processor: the meaning, unit and default of every key."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from otel_carbon.collector.config.modelling import AfterValidator, Field, model_validator
from otel_carbon.collector.config.values import MEBIBYTE, Name, Seconds, Section

MAX_HOLD_S = 60.0


def _not_too_long(seconds: float) -> float:
    if seconds > MAX_HOLD_S:
        raise ValueError(f"must be at most {MAX_HOLD_S:g}s: what is held back is in memory only")
    return seconds


HoldSeconds = Annotated[Seconds, AfterValidator(_not_too_long)]


class AttributeSet(StrEnum):
    """How many attributes a span is given."""

    CORE = "core"
    FULL = "full"


class AlreadyEnriched(StrEnum):
    """What to do about spans that carry an estimate already."""

    TRUST = "trust"
    COUNT = "count"


class AccountingPointConfig(Section):
    """Where calls count that a client and a server in between both report, by the names of services."""

    count: tuple[Name, ...] = Field(
        default=(), description='Services whose server-side GenAI spans count as calls, `"*"` for all.'
    )
    pass_through: tuple[Name, ...] = Field(
        default=(),
        description="Gateways: services whose inference spans never count, as their clients report the calls.",
    )

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if "*" in self.pass_through:
            raise ValueError("pass_through: '*' would let no call count; name the gateways")
        for service in set(self.count) & set(self.pass_through):
            raise ValueError(f"{service!r} is named both to count calls and to pass them through; keep one")
        return self


class UsageSource(StrEnum):
    """What the calls of a service are counted from."""

    SPANS = "spans"
    METRICS = "metrics"


class UsageSourceConfig(Section):
    """What calls are counted from, service by service; never from both."""

    services: dict[Name, UsageSource] = Field(
        default_factory=dict,
        description="`service.name: metrics` counts a service from its token metrics and not from its spans; "
        '`"*"` is every service that is not named.',
    )
    max_series: int = Field(
        default=10_000,
        ge=1,
        description="How many cumulative series are remembered; a forgotten one counts from its second point on.",
    )

    @property
    def reads_metrics(self) -> bool:
        """Whether any service is counted from its metrics."""
        return UsageSource.METRICS in self.services.values()


class CarbonConfig(Section):
    """Adds energy, emissions and water to inference spans, and counts them."""

    attributes: AttributeSet = Field(
        default=AttributeSet.CORE,
        description="`core`: status, energy, emissions, water and their evidence; `full`: everything known.",
    )
    already_enriched: AlreadyEnriched = Field(
        default=AlreadyEnriched.TRUST,
        description="Spans that carry `otel_carbon.status`: `trust` leaves them to the counters of their emitter, "
        "`count` books them here as well.",
    )
    tenant_attribute: str = Field(
        default="otel_carbon.tenant",
        min_length=1,
        description="Attribute of a span, or else of its resource, that names the tenant.",
    )
    regions: dict[str, str] = Field(
        default_factory=dict,
        description="Region where each provider runs, `provider: region`; it wins over what spans say.",
    )
    models: dict[Name, Name] = Field(
        default_factory=dict,
        description="Model behind the name of a deployment or alias, `name: model` or `provider/name: model`.",
    )
    strict: bool = Field(
        default=False,
        description="Whether models that are not registered themselves stay without an estimate, instead of that of "
        "their family, their size class or any model.",
    )
    accounting_point: AccountingPointConfig = Field(
        default_factory=AccountingPointConfig,
        description="Where calls count; by default where they are made.",
    )
    usage_source: UsageSourceConfig = Field(
        default_factory=UsageSourceConfig,
        description="What calls are counted from; by default spans.",
    )
    hold_s: HoldSeconds = Field(
        default=0.0,
        validation_alias="hold",
        description="How long requests wait, so that spans of one call are decided together; at most 1m, 0s is off.",
    )
    hold_size_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=1,
        description="Bound of what is held, in bytes of memory; at half of it, or of the smallest queue behind it, "
        "all that is held is decided early.",
    )
    registry: str | None = Field(
        default=None, description="Path of a compiled registry overlay, added to the bundled facts."
    )
    grid_table: str | None = Field(
        default=None,
        description="Path of a table of `otel-carbon grid refresh`; its grid intensities by the hour stand in for "
        "yearly averages where it has them. It is read once, when the collector starts.",
    )
