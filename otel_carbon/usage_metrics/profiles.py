"""Who ran which model where, as the attributes of a data point say: what profiles of spans say, without the span."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.spans.dialect import TEXT_FIELDS
from otel_carbon.spans.model_names import mapped_model, named_model
from otel_carbon.spans.profile import MAX_TEXT_CHARACTERS
from otel_carbon.spans.providers import host_of, provider_at, provider_name
from otel_carbon.spans.region import SPAN_REGION_KEY, region_of
from otel_carbon.spans.role import Role, covered_operation, role_of
from otel_carbon.spans.view import KIND_CLIENT, KIND_INTERNAL, MappingAttributes, SpanView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.spans.region import RegionEvidence
    from otel_carbon.spans.view import ResourceView
    from otel_carbon.usage_metrics.sources import Family

MAX_PROFILES = 4096
_NO_MODELS: Mapping[str, str] = {}


class UsageProfile(NamedTuple):
    """What calls that metrics report have in common, normalised; absent texts are empty."""

    provider: str
    model: str
    request_model: str
    operation: str
    region: RegionEvidence
    tenant: str


class PointProfiles:
    """Reads what points say about their calls, once for each combination of texts.

    Args:
        tenant_key: the attribute that tells tenants apart, looked for on the point, then its resource.
        models: names of deployments and aliases, alone or behind `provider/`, to the models behind them.
    """

    def __init__(self, tenant_key: str = ours.TENANT, models: Mapping[str, str] = _NO_MODELS) -> None:
        self._tenant_key = tenant_key
        self._models = models
        self._known: dict[tuple[object, ...], UsageProfile | None] = {}

    def of_point(self, family: Family, attributes: Mapping[str, object], resource: ResourceView) -> UsageProfile | None:
        """What a point says; `None` when it is about something else than inference, such as an agent's sums.

        Sums of agents repeat those of their calls, which metrics cannot tell apart as spans can.
        """
        tenant = attributes.get(self._tenant_key)
        if tenant is None:
            tenant = resource.attributes.get(self._tenant_key)
        said = tuple(map(attributes.get, family.text_keys))
        key = (family, tenant, *said)
        try:
            return self._known[key]
        except KeyError:
            found = self._profile(family, attributes, tenant, resource)
        if all(map(_is_short_text, (tenant, *said))):
            if len(self._known) >= MAX_PROFILES:
                self._known.clear()
            self._known[key] = found
        return found

    def _profile(
        self, family: Family, attributes: Mapping[str, object], tenant: object | None, resource: ResourceView
    ) -> UsageProfile | None:
        said = {field: _text(attributes, family.keys[field]) for field in TEXT_FIELDS}
        region = _text(attributes, (SPAN_REGION_KEY,))
        operation = family.operations.get(said["operation"].lower(), said["operation"].lower())
        role = role_of(operation, kind=KIND_INTERNAL, has_counts=True, has_model=True)
        if role is not Role.INFERENCE:
            return None
        spelled = said["response_model"] or said["request_model"]
        provider = (
            provider_at(host_of(said["address"]))
            or provider_name(said["provider"])
            or family.provider_by_model(spelled.lower())
        )
        request_model = named_model(said["request_model"])
        model = named_model(said["response_model"]) or request_model
        mapped = mapped_model(provider, model, self._models) or mapped_model(provider, request_model, self._models)
        call = SpanView(MappingAttributes({}), "", resource, kind=KIND_CLIENT)
        return UsageProfile(
            provider=provider,
            model=mapped or model,
            request_model=request_model,
            operation=covered_operation(operation),
            region=region_of(call, region or None, said["address"] or None),
            tenant="" if tenant is None else str(tenant)[:MAX_TEXT_CHARACTERS],
        )


def _is_short_text(found: object | None) -> bool:
    return found is None or (isinstance(found, str) and len(found) <= MAX_TEXT_CHARACTERS)


def _text(attributes: Mapping[str, object], keys: tuple[str, ...]) -> str:
    """The first text among some attributes, cut to a bound; empty when there is none."""
    found = (attributes.get(key) for key in keys)
    return next((text[:MAX_TEXT_CHARACTERS] for text in found if isinstance(text, str) and text), "")
