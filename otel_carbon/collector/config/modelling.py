"""What sections are written with: pydantic where a configuration is read, next to nothing where one is only used.

pydantic and the models made with it take 8 MiB, so a collector that runs has none of it; see `apart`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.collector.config import plain

if TYPE_CHECKING or not plain.are_enough:
    from pydantic import (
        AfterValidator,
        AliasChoices,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        SecretStr,
        WithJsonSchema,
        field_validator,
        model_validator,
    )
else:
    from otel_carbon.collector.config.plain import (
        AfterValidator,
        AliasChoices,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        SecretStr,
        WithJsonSchema,
        field_validator,
        model_validator,
    )

__all__ = [
    "AfterValidator",
    "AliasChoices",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "SecretStr",
    "WithJsonSchema",
    "field_validator",
    "model_validator",
]
