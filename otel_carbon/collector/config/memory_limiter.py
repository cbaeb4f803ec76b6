"""Settings of the memory limiter: the meaning, unit and default of every key."""

from __future__ import annotations

from typing import Self

from otel_carbon.collector.config.modelling import Field, model_validator
from otel_carbon.collector.config.values import MEBIBYTE, Seconds, Section

_SPIKE_PART = 0.2
_PERCENT = 100


class MemoryLimiterConfig(Section):
    """Refuses requests, for clients to try again, while the process has more memory than it should."""

    check_interval_s: Seconds = Field(
        default=1.0,
        validation_alias="check_interval",
        ge=0.01,
        description="How often memory is looked at, a duration.",
    )
    limit_mib: int = Field(default=0, ge=0, description="Hard limit in MiB; above it garbage is collected, too.")
    spike_limit_mib: int = Field(
        default=0,
        ge=0,
        description="So much below the hard limit requests are refused, in MiB; by default a fifth of it.",
    )
    limit_percentage: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Hard limit in percent of what the control group of the process allows, or else of the machine's "
        "memory; `limit_mib` wins.",
    )
    spike_limit_percentage: int = Field(
        default=0,
        ge=0,
        le=100,
        description="As `spike_limit_mib`, in percent of the same; it goes with limit_percentage.",
    )

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if not (self.limit_mib or self.limit_percentage):
            raise ValueError("set limit_mib or limit_percentage")
        if self.limit_mib and self.spike_limit_mib >= self.limit_mib:
            raise ValueError("spike_limit_mib must be below limit_mib")
        if not self.limit_mib and self.spike_limit_percentage >= self.limit_percentage:
            raise ValueError("spike_limit_percentage must be below limit_percentage")
        return self

    def hard_bytes(self, available_bytes: int) -> int:
        """The hard limit in bytes, of a process that may use `available_bytes`."""
        return self.limit_mib * MEBIBYTE or available_bytes * self.limit_percentage // _PERCENT

    def soft_bytes(self, available_bytes: int) -> int:
        """Where requests begin to be refused, in bytes."""
        hard_bytes = self.hard_bytes(available_bytes)
        if self.limit_mib:
            spike_bytes = self.spike_limit_mib * MEBIBYTE
        else:
            spike_bytes = available_bytes * self.spike_limit_percentage // _PERCENT
        return hard_bytes - (spike_bytes or int(hard_bytes * _SPIKE_PART))
