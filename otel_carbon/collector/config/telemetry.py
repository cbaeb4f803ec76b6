"""Settings of what the collector says about itself: the meaning, unit and default of every key."""

from __future__ import annotations

from typing import Annotated, Literal

from otel_carbon.collector.config.modelling import BeforeValidator, Field
from otel_carbon.collector.config.values import Section


def _lower(word: object) -> object:
    return word.lower() if isinstance(word, str) else word


_LevelInAnyCase = Literal["debug", "info", "warn", "error", "DEBUG", "INFO", "WARN", "ERROR"]
LogLevel = Annotated[
    Literal["debug", "info", "warn", "error"], BeforeValidator(_lower, json_schema_input_type=_LevelInAnyCase)
]


class LogsConfig(Section):
    """What is logged to standard error, and how."""

    level: LogLevel = Field(
        default="info", description="The least severe messages that are logged, in lower or upper case."
    )
    encoding: Literal["console", "json"] = Field(
        default="console", description="`console`: lines for people; `json`: an object a line, for programs."
    )


class TelemetryConfig(Section):
    """What the collector says about itself."""

    logs: LogsConfig = Field(default_factory=LogsConfig, description="The collector's own log.")
