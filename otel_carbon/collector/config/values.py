"""Values that settings are made of: durations, endpoints, names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from otel_carbon.collector.config.keys import empty_of, fields_of
from otel_carbon.collector.config.modelling import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
    model_validator,
)
from otel_carbon.collector.endpoints import parse_endpoint

if TYPE_CHECKING:
    from pydantic.config import JsonDict
    from pydantic.fields import FieldInfo

MEBIBYTE = 1024 * 1024
_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+)ms)?"
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION_SCHEMA: JsonDict = {
    "type": ["string", "integer"],
    "pattern": r"^(?=.)(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+ms)?$|^0$",
    "minimum": 0,
    "maximum": 0,
    "examples": ["5s", "200ms", "1m30s"],
}


def seconds_from_duration(text: object) -> float:
    """Read `5s`, `200ms`, `1m30s` or `0` as seconds.

    Raises:
        ValueError: it is no such duration.
    """
    if str(text) == "0":
        return 0.0
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError("must be a duration with its unit, such as 5s, 200ms or 1m30s")
    return sum(float(amount) * _SECONDS[unit] for unit, amount in match.groupdict().items() if amount)


def duration_from_seconds(seconds: float) -> str:
    """Write a duration in seconds, or in milliseconds when it is shorter than one."""
    return f"{seconds * 1000:g}ms" if 0 < seconds < 1 else f"{seconds:g}s"


def is_duration(info: FieldInfo) -> bool:
    """Whether a setting is written as a duration."""
    return any(isinstance(each, BeforeValidator) and each.func is seconds_from_duration for each in info.metadata)


def _valid_endpoint(text: str) -> str:
    parse_endpoint(text)
    return text


def _valid_url(text: str) -> str:
    shown = text.rpartition("@")[2]  # what stands before may be a password
    problem = f"must be a URL such as http://backend:4318, not {shown!r}"
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(problem) from error
    if parts.scheme not in {"http", "https"} or not has_host:
        raise ValueError(problem)
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without a query; what is secret there belongs into headers")
    return text


def _sendable(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """Refuse what HTTP libraries would refuse at the first request, quoting the value in their message."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not _HEADER_VALUE.fullmatch(value.get_secret_value()):
            raise ValueError(f"the value of {name} holds a line break, or another character that no header can have")
    return headers


Name = Annotated[str, Field(min_length=1)]
_WrittenDuration = Annotated[str, WithJsonSchema(_DURATION_SCHEMA)]
Seconds = Annotated[float, BeforeValidator(seconds_from_duration, json_schema_input_type=_WrittenDuration)]
ListenEndpoint = Annotated[str, AfterValidator(_valid_endpoint)]
BackendUrl = Annotated[str, AfterValidator(_valid_url)]
Headers = Annotated[dict[str, SecretStr], AfterValidator(_sendable)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, section: object) -> object:
        """`grpc:` with nothing behind it means: with all defaults."""
        if not isinstance(section, dict):
            return section
        fields = fields_of(cls)
        return {key: empty_of(fields.get(key)) if value is None else value for key, value in section.items()}

    stability: ClassVar[Literal["alpha", "beta"]] = "alpha"
    """Of a component: whether its keys may still change with a minor version of a 0.x release."""
