"""A GenAI span's attributes read into token counts, whoever wrote them."""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.core.footprint import Unestimated
from otel_carbon.core.tokens import MAX_TOKENS_PER_CALL, additive_from_counts, check_count
from otel_carbon.core.usage import COUNT_NAMES
from otel_carbon.errors import UsageError
from otel_carbon.spans.dialects import dialect_of, provider_name
from otel_carbon.spans.region import SERVER_ADDRESS_KEYS, SPAN_REGION_KEY, region_of
from otel_carbon.spans.role import Role, covered_operation, role_of
from otel_carbon.spans.view import KIND_SERVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.core.tokens import AdditiveTokens
    from otel_carbon.spans.dialects import Dialect
    from otel_carbon.spans.region import RegionEvidence
    from otel_carbon.spans.view import AttributeSource, SpanView

MAX_TEXT_CHARACTERS = 256
"""Longer texts are cut: they become keys of ours, and no caller is to bloat those."""
MAX_PROFILES = 4096

Counts = tuple[int | None, int | None, int | None, int | None, int | None]
"""Checked counts in the order of `COUNT_NAMES`."""


class SpanProfile(NamedTuple):
    """What recurs from span to span of an application, normalised; absent texts are empty.

    `judged` is the status that an earlier hop wrote, empty when none did.
    """

    role: Role
    operation: str
    provider: str
    model: str
    region: RegionEvidence
    tenant: str
    failed: bool
    judged: str


class GenAiReading(NamedTuple):
    """What a GenAI span says: an inference has either `counts` with the `tokens` they make, or a `problem`.

    `response_id` is as the span stores it, encoded or not: it serves to be compared.
    """

    profile: SpanProfile
    response_id: object | None
    counts: Counts | None
    tokens: AdditiveTokens | None
    problem: Unestimated | None


def read_span(span: SpanView, tenant_key: str = ours.TENANT) -> GenAiReading | None:
    """Read a span; `None` when it is no GenAI span."""
    plan = _plan(span.scope, tenant_key)
    picked = span.attributes.pick(plan.keys)
    stored = [picked[position] for position in plan.first_counts]
    for field, position in plan.older_counts:
        if stored[field] is None:
            stored[field] = picked[position]
    has_counts = stored[0] is not None or stored[1] is not None
    profile = plan.profile(span, picked, has_counts=has_counts)
    if profile is None:
        return None
    response_id = _first(picked, plan.response_id)
    if not isinstance(response_id, _TEXT_TYPES) or response_id in _EMPTY_TEXTS:
        response_id = None
    if profile.role is not Role.INFERENCE:
        return GenAiReading(profile, response_id, None, None, None)
    if not has_counts:
        failed = profile.failed or span.failed
        problem = Unestimated(reasons.FAILED_NO_USAGE if failed else reasons.NO_USAGE)
        return GenAiReading(profile, response_id, None, None, problem)
    try:
        counts = _counts(span.attributes, stored)
        return GenAiReading(profile, response_id, counts, additive_from_counts(*counts), None)
    except UsageError as error:
        return GenAiReading(profile, response_id, None, None, Unestimated(error.code, str(error)))


_TEXT_TYPES = (str, bytes)
_EMPTY_TEXTS = ("", b"\n\x00")
"""An empty text, plain and as OTLP encodes it."""
_COMMON_KEYS = (ours.STATUS, "error.type", SPAN_REGION_KEY, *SERVER_ADDRESS_KEYS)


class _Plan:
    """Which keys to pick for a dialect: counts, the response id, then the texts that recur from span to span."""

    __slots__ = ("_fields", "_profiles", "_texts_at", "first_counts", "keys", "older_counts", "response_id")

    def __init__(self, dialect: Dialect, tenant_key: str) -> None:
        counts = (
            dialect.input_tokens,
            dialect.output_tokens,
            dialect.cache_read_tokens,
            dialect.cache_write_tokens,
            dialect.reasoning_tokens,
        )
        texts = (
            *((key,) for key in _COMMON_KEYS),
            (tenant_key,),
            dialect.operation,
            dialect.provider,
            dialect.response_model,
            dialect.request_model,
            dialect.roll_up,
        )
        at = count()
        positions = [[next(at) for _ in field] for field in counts]
        self.first_counts = tuple(field[0] for field in positions)
        self.older_counts = tuple((i, position) for i, field in enumerate(positions) for position in field[1:])
        self.response_id = tuple(next(at) for _ in dialect.response_id)
        self._texts_at = self.response_id[-1] + 1
        first_text = count()
        self._fields = tuple(tuple(next(first_text) for _ in field) for field in texts)
        self.keys = tuple(key for field in (*counts, dialect.response_id, *texts) for key in field)
        self._profiles: dict[object, SpanProfile | None] = {}

    def profile(self, span: SpanView, picked: list[Any], *, has_counts: bool) -> SpanProfile | None:
        """What the recurring texts say, worked out once for each combination; `None` for no GenAI span."""
        texts = tuple(picked[self._texts_at :])
        key = (span.kind, has_counts, texts)
        try:
            return self._profiles[key]
        except KeyError:
            found = self._worked_out(span, texts, has_counts=has_counts)
        except TypeError:  # an array or map where a text should be
            return self._worked_out(span, texts, has_counts=has_counts)
        if span.kind != KIND_SERVER and all(_is_short_text(text) for text in texts):
            # a server's region may come from its resource, which is not in the key
            if len(self._profiles) >= MAX_PROFILES:
                self._profiles.clear()
            self._profiles[key] = found
        return found

    def _worked_out(self, span: SpanView, texts: tuple[Any, ...], *, has_counts: bool) -> SpanProfile | None:
        decode = span.attributes.decode
        decoded = [decode(_first(texts, positions)) for positions in self._fields]
        status, error, region, address, old_address, tenant = decoded[:6]
        operation, provider, response_model, request_model = (_text(text) for text in decoded[6:10])
        model = response_model or request_model
        if not (operation or model or (provider and has_counts)):
            return None
        role = role_of(
            operation.lower(),
            kind=span.kind,
            rolls_up=decoded[10] is not None,
            has_counts=has_counts,
            has_model=bool(model),
        )
        return SpanProfile(
            role,
            covered_operation(operation.lower()) if role is Role.INFERENCE else operation.lower(),
            provider_name(provider),
            model,
            region_of(span, region, address or old_address),
            str(tenant)[:MAX_TEXT_CHARACTERS] if tenant is not None else "",
            error is not None,
            status if isinstance(status, str) and status in ours.STATUS_VALUES else "",
        )


@lru_cache(maxsize=1024)
def _plan(scope: str, tenant_key: str) -> _Plan:
    return _plan_of(dialect_of(scope), tenant_key)


@lru_cache(maxsize=64)
def _plan_of(dialect: Dialect, tenant_key: str) -> _Plan:
    return _Plan(dialect, tenant_key)


def _counts(attributes: AttributeSource, stored: list[Any]) -> Counts:
    """Counts as checked ints; raises `UsageError`."""
    decode = attributes.decode
    for i, found in enumerate(stored):
        if found is not None:
            number = decode(found)
            if type(number) is not int or not 0 <= number <= MAX_TOKENS_PER_CALL:
                number = check_count(COUNT_NAMES[i], _number(number))
            stored[i] = number
    return tuple(stored)


def _number(found: object) -> object:
    """A number that some instrumentations write as text."""
    if isinstance(found, str) and len(found) <= MAX_TEXT_CHARACTERS and found.strip().isdecimal():
        return int(found)
    return found


def _first(picked: Sequence[Any], positions: tuple[int, ...]) -> Any:  # noqa: ANN401 - as `pick` stores it
    for position in positions:
        if picked[position] is not None:
            return picked[position]
    return None


def _is_short_text(stored: object | None) -> bool:
    return stored is None or (isinstance(stored, _TEXT_TYPES) and len(stored) <= MAX_TEXT_CHARACTERS)


def _text(found: object | None) -> str:
    return found[:MAX_TEXT_CHARACTERS] if isinstance(found, str) else ""
