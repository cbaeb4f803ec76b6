"""A span as every adapter hands it over: the SDK, the byte path and JSON all fill the same view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

KIND_INTERNAL = 1
KIND_SERVER = 2
KIND_CLIENT = 3
"""Span kinds as OTLP numbers them."""


class AttributeSource(Protocol):
    """Whatever attributes can be looked up in: a dict, or a view on undecoded bytes."""

    def get(self, key: str, /) -> object | None:
        """The attribute's Python value, or `None` when absent."""


@dataclass(frozen=True, slots=True)
class ResourceView:
    """The emitter of spans: observed service and environment, and its other attributes."""

    service: str
    environment: str
    attributes: AttributeSource


@dataclass(slots=True)
class SpanView:
    """One finished span; ids are raw bytes (empty when absent), times are Unix nanoseconds."""

    attributes: AttributeSource
    scope: str
    resource: ResourceView
    trace_id: bytes = b""
    span_id: bytes = b""
    parent_span_id: bytes = b""
    kind: int = KIND_INTERNAL
    start_ns: int = 0
    end_ns: int = 0
    failed: bool = False


def resource_view(attributes: AttributeSource) -> ResourceView:
    """The resource as metrics label it; absent names are empty."""
    environment = attributes.get("deployment.environment.name") or attributes.get("deployment.environment") or ""
    return ResourceView(str(attributes.get("service.name") or ""), str(environment), attributes)
