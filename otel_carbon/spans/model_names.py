"""Model names as spans carry them, reduced to a name that facts can be looked up by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.spans.providers import provider_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARN = "arn:"
_ARN_FIELDS = 6
_MODEL_RESOURCES = ("foundation-model", "inference-profile", "async-invoke-model")


def named_model(spelled: str) -> str:
    """The model that a span names; empty for an AWS resource that stands for one without naming it.

    Of the ARNs of Bedrock only those of foundation models and of system-defined inference profiles end in a model's id.
    """
    if not spelled.startswith(_ARN):
        return spelled.removeprefix("models/")
    resource, _, name = spelled.split(":", _ARN_FIELDS - 1)[-1].partition("/")
    return name if resource in _MODEL_RESOURCES else ""


def with_provider_names(models: Mapping[str, str]) -> dict[str, str]:
    """A user's map in which each `provider/name` is also found by the conventions' name of the provider."""
    parts = {key: key.partition("/") for key in models}
    by_convention = {f"{provider_name(part[0])}/{part[2]}": models[key] for key, part in parts.items() if part[2]}
    return {**by_convention, **models}


def mapped_model(provider: str, model: str, models: Mapping[str, str]) -> str:
    """What a user's map of deployments and aliases makes of a model's name, empty when it is not in it."""
    if not model or not models:
        return ""
    return models.get(f"{provider}/{model}") or models.get(model) or ""
