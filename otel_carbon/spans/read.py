"""A GenAI span's attributes read into token usage, whoever wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.core import reasons
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.usage import TokenUsage, check_count
from otel_carbon.errors import UsageError
from otel_carbon.spans.dialects import dialect_of, provider_name
from otel_carbon.spans.region import region_of
from otel_carbon.spans.role import Role, covered_operation, role_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_carbon.spans.dialects import Dialect
    from otel_carbon.spans.region import RegionEvidence
    from otel_carbon.spans.view import SpanView

    Lookup = Callable[[str], object | None]

MAX_TEXT_CHARACTERS = 256
"""Longer texts are cut: they become keys of ours, and no caller is to bloat those."""


@dataclass(slots=True)
class GenAiReading:
    """What a GenAI span says, normalised; absent texts are empty.

    An inference has either `usage` or the `problem` that leaves it without.
    """

    role: Role
    operation: str
    provider: str
    request_model: str
    response_model: str
    response_id: str
    usage: TokenUsage | None
    problem: Unestimated | None
    region: RegionEvidence

    @property
    def model(self) -> str:
        """The model that answered, else the one asked for."""
        return self.response_model or self.request_model


def read_span(span: SpanView) -> GenAiReading | None:
    """Read a span; `None` when it is no GenAI span."""
    dialect = dialect_of(span.scope)
    get = span.attributes.get
    operation = _text(get, dialect.operation).lower()
    provider = provider_name(_text(get, dialect.provider))
    request_model = _text(get, dialect.request_model)
    response_model = _text(get, dialect.response_model)
    input_tokens = _first(get, dialect.input_tokens)
    output_tokens = _first(get, dialect.output_tokens)
    has_counts = input_tokens is not None or output_tokens is not None
    model = response_model or request_model
    if not (operation or model or (provider and has_counts)):
        return None
    role = role_of(
        operation,
        kind=span.kind,
        rolls_up=_first(get, dialect.roll_up) is not None,
        has_counts=has_counts,
        has_model=bool(model),
    )
    usage: TokenUsage | Unestimated | None = None
    operation = covered_operation(operation) if role is Role.INFERENCE else operation
    if role is Role.INFERENCE and has_counts:
        parts = _parts(get, dialect)
        usage = _usage(provider, model, operation, (input_tokens, output_tokens, *parts))
    elif role is Role.INFERENCE:
        failed = span.failed or get("error.type") is not None
        usage = Unestimated(reasons.FAILED_NO_USAGE if failed else reasons.NO_USAGE)
    return GenAiReading(
        role,
        operation,
        provider,
        request_model,
        response_model,
        _text(get, dialect.response_id),
        usage if isinstance(usage, TokenUsage) else None,
        usage if isinstance(usage, Unestimated) else None,
        region_of(span),
    )


def _parts(get: Lookup, dialect: Dialect) -> tuple[object | None, ...]:
    return (
        _first(get, dialect.cache_read_tokens),
        _first(get, dialect.cache_write_tokens),
        _first(get, dialect.reasoning_tokens),
    )


def _usage(provider: str, model: str, operation: str, counts: tuple[object | None, ...]) -> TokenUsage | Unestimated:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    try:
        checked = [None if count is None else _count(name, count) for name, count in zip(names, counts, strict=True)]
        return TokenUsage(provider, model, *checked, operation)
    except UsageError as error:
        return Unestimated(error.code, str(error))


def _count(name: str, count: object) -> int:
    """A count as an int; some instrumentations write numbers as text."""
    if type(count) is int:
        return count if count >= 0 else check_count(name, count)
    if isinstance(count, str) and count.strip().isdecimal() and len(count) <= MAX_TEXT_CHARACTERS:
        count = int(count)
    return check_count(name, count)


def _first(get: Lookup, keys: tuple[str, ...]) -> object | None:
    for key in keys:
        found = get(key)
        if found is not None:
            return found
    return None


def _text(get: Lookup, keys: tuple[str, ...]) -> str:
    found = _first(get, keys)
    return found[:MAX_TEXT_CHARACTERS] if isinstance(found, str) else ""
