"""Values that settings are made of: durations, endpoints, names."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from otel_carbon.collector.endpoints import parse_endpoint

MEBIBYTE = 1024 * 1024
_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+)ms)?"
)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


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


def _valid_endpoint(text: str) -> str:
    parse_endpoint(text)
    return text


def _valid_url(text: str) -> str:
    problem = f"must be a URL such as http://backend:4318, not {text!r}"
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(problem) from error
    if parts.scheme not in {"http", "https"} or not has_host:
        raise ValueError(problem)
    return text


def empty_as_defaults(section: object) -> object:
    """`grpc:` with nothing behind it means: with all defaults."""
    if isinstance(section, dict):
        return {key: {} if value is None else value for key, value in section.items()}
    return section


Name = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, BeforeValidator(seconds_from_duration)]
ListenEndpoint = Annotated[str, AfterValidator(_valid_endpoint)]
BackendUrl = Annotated[str, AfterValidator(_valid_url)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
