"""What the recurring texts of a span say together: its part, who ran which model where, and how to take its counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.spans import dialect as terms
from otel_carbon.spans.counts import PLAIN, Basis
from otel_carbon.spans.model_names import mapped_model, named_model
from otel_carbon.spans.providers import host_of, provider_at, provider_name
from otel_carbon.spans.region import SPAN_REGION_KEY, region_of
from otel_carbon.spans.role import INFERENCE_OPERATIONS, Role, covered_operation, role_of
from otel_carbon.spans.view import KIND_NAMES, KIND_SERVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.dialect import Dialect
    from otel_carbon.spans.region import RegionEvidence
    from otel_carbon.spans.view import SpanView

MAX_TEXT_CHARACTERS = 256
"""Longer texts are cut: they become keys of ours, and no caller is to bloat those."""
ERROR_KEY = "error.type"
_WEB_KEYS = ("http.request.method", "http.method", "http.route", "rpc.system", "rpc.method")
"""What the server span of an application carries; one that has them is no model server's."""


class SpanProfile(NamedTuple):
    """What recurs from span to span of an application, normalised; absent texts are empty.

    `judged` is the status that an earlier hop wrote, empty when none did.
    `usage` says that the counts, if any, are not those of a model that ran: `none`, `invented` or `cache_hit`.
    `served` marks the span of a model server or gateway, not of its caller.
    `plain` says that counts are as the conventions want them and need no further look.
    `leaf` says that the span is one call to a model for certain, not perhaps a sum over others.
    `metered` is the boundary of the energy that a meter gave for the call; empty without one.
    """

    role: Role
    operation: str
    provider: str
    model: str
    request_model: str
    region: RegionEvidence
    tenant: str
    failed: bool
    judged: str
    dialect: str
    trust: int
    usage: str
    basis: Basis
    zeros_unknown: bool
    served: bool
    leaf: bool
    plain: bool
    assumptions: tuple[str, ...]
    metered: str = ""


@dataclass(frozen=True, slots=True)
class Sayings:
    """The decoded texts of a span under a dialect, and which counts it carries (input, output, and so on)."""

    dialect: Dialect
    scope: str
    found: Mapping[str, object | None]
    known: tuple[bool, ...]

    @property
    def has_counts(self) -> bool:
        """Whether there is an input or output count."""
        return self.known[0] or self.known[1]

    def text(self, field: str) -> str:
        """The first text among the keys of a field, cut to a bound; empty when absent."""
        for key in self.dialect.keys[field]:
            found = self.found.get(key)
            if isinstance(found, str) and found not in NO_TEXTS:
                return _unquoted(found)[:MAX_TEXT_CHARACTERS]
        return ""

    def operation(self) -> str:
        """The operation in the conventions' words, in lower case."""
        said = self.text("operation").lower()
        return self.dialect.operations.get(said, said)


NO_TEXTS = ("", "none", "None", "null")
"""What some write where there is nothing to write."""


def _unquoted(text: str) -> str:
    """A text that some write as JSON."""
    return text[1:-1] if text.startswith('"') and text.endswith('"') and len(text) > 1 else text


def profile_of(span: SpanView, said: Sayings, tenant_key: str, models: Mapping[str, str]) -> SpanProfile | None:
    """The profile of a span; `None` for no GenAI span.

    `models` maps names of deployments and aliases, alone or behind `provider/`, to models.
    """
    operation, host = said.operation(), host_of(said.text("address"))
    provider = provider_at(host) or provider_name(said.text("provider"))
    request_model = named_model(said.text("request_model"))
    model = named_model(said.text("response_model")) or request_model
    effects = _effects(span, said, provider, operation, model=model)
    provider, operation = effects.get("provider") or provider, effects.get("operation") or operation
    role = _role(span, said, effects.get("role", ""), operation, model, provider)
    if role is None:
        return None
    tenant, status = said.found.get(tenant_key), said.found.get(ours.STATUS)
    boundary = said.found.get(ours.METERED_BOUNDARY)
    names = (model, request_model, said.text("response_model"), said.text("request_model"))  # the last two may be ARNs
    mapped = next((found for name in names if (found := mapped_model(provider, name, models))), "")
    basis, assumptions, usage = _basis(effects), _assumptions(effects), effects.get("usage", "")
    return SpanProfile(
        role=role,
        operation=covered_operation(operation) if role is Role.INFERENCE else operation,
        provider=provider,
        model=mapped or model,
        request_model=request_model,
        region=region_of(span, said.found.get(SPAN_REGION_KEY), host),
        tenant=str(tenant)[:MAX_TEXT_CHARACTERS] if tenant is not None else "",
        failed=said.found.get(ERROR_KEY) is not None,
        judged=status if isinstance(status, str) and status in ours.STATUS_VALUES else "",
        dialect=said.dialect.name,
        trust=said.dialect.trust,
        usage=usage,
        basis=basis,
        zeros_unknown=effects.get("zeros") == "unknown",
        served=_is_served(span),
        leaf=effects.get("role") == "inference" or operation in INFERENCE_OPERATIONS,
        plain=basis is PLAIN and not assumptions and not usage,
        assumptions=assumptions,
        metered=boundary if isinstance(boundary, str) and boundary in ours.METERED_BOUNDARY_VALUES else "",
    )


def _assumptions(effects: Mapping[str, str]) -> tuple[str, ...]:
    return (effects["assume"],) if "assume" in effects else ()


def _effects(span: SpanView, said: Sayings, provider: str, operation: str, *, model: str) -> dict[str, str]:
    """What the rules of the dialect say of the span; the first that says something of one matter counts."""
    found: dict[str, object | None] = {
        **said.found,
        terms.KIND: KIND_NAMES.get(span.kind),
        terms.FAILED: True if span.failed or said.found.get(ERROR_KEY) is not None else None,
        terms.COUNTS: True if said.has_counts else None,
        terms.MODEL: model or None,
        terms.PROVIDER: provider or None,
        terms.OPERATION: operation or None,
        terms.VERSION: span.scope_version or None,
        terms.SCOPE: said.scope or None,
    }
    effects: dict[str, str] = {}
    for rule in said.dialect.rules:
        if rule.holds(found):
            effects = {**rule.effects, **effects}
    return effects


def _role(span: SpanView, said: Sayings, ruled: str, operation: str, model: str, provider: str) -> Role | None:
    if ruled:
        return None if ruled == "none" else Role(ruled)
    if not (operation or model or (provider and said.has_counts)):
        return None
    return role_of(operation, kind=span.kind, has_counts=said.has_counts, has_model=bool(model))


def _basis(effects: Mapping[str, str]) -> Basis:
    basis = Basis(effects.get("input", PLAIN.input), effects.get("output", PLAIN.output))
    return PLAIN if basis == PLAIN else basis


def _is_served(span: SpanView) -> bool:
    return span.kind == KIND_SERVER and all(span.attributes.get(key) is None for key in _WEB_KEYS)
