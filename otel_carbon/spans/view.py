"""A span as every adapter hands it over: the SDK, the byte path and JSON all fill the same view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KIND_INTERNAL = 1
KIND_SERVER = 2
KIND_CLIENT = 3
"""Span kinds as OTLP numbers them."""
KIND_NAMES = {KIND_INTERNAL: "internal", KIND_SERVER: "server", KIND_CLIENT: "client", 4: "producer", 5: "consumer"}


MAX_NAME_CHARACTERS = 256
"""Longer names of services and environments are cut: they become keys of ours."""


class AttributeSource(Protocol):
    """Attributes, decoded or not."""

    def get(self, key: str, /) -> object | None:
        """The attribute's Python value, or `None` when absent."""

    def keys(self) -> Iterable[str]:
        """The keys of all attributes."""

    def pick(self, keys: Sequence[str], /) -> list[Any]:
        """The values of several keys as they are stored, `None` where absent; equal values compare equal."""

    def decode(self, stored: Any, /) -> object | None:  # noqa: ANN401 - whatever `pick` returned
        """The Python value of what `pick` returned."""

    def decode_all(self, stored: list[Any], /) -> list[object | None]:
        """The Python values of several that `pick` returned."""


class MappingAttributes:
    """Attributes in a mapping of Python values."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def get(self, key: str, /) -> object | None:
        """The attribute's value, or `None` when absent."""
        return self._values.get(key)

    def keys(self) -> Iterable[str]:
        """The keys of all attributes."""
        return self._values.keys()

    def pick(self, keys: Sequence[str], /) -> list[Any]:
        """The values of several keys."""
        return list(map(self._values.get, keys))

    def decode(self, stored: Any, /) -> object | None:  # noqa: ANN401 - as in the protocol
        """The value itself."""
        return cast("object | None", stored)

    def decode_all(self, stored: list[Any], /) -> list[object | None]:
        """The values themselves."""
        return stored


@dataclass(frozen=True, slots=True)
class ResourceView:
    """The emitter of spans: observed service and environment, and its other attributes."""

    service: str
    environment: str
    attributes: AttributeSource
    emitter: str = ""
    """What tells an unnamed service from others: its instance, or host and process."""


@dataclass(slots=True)
class SpanView:
    """One finished span; ids are numbers or raw bytes (0 or empty when absent), times are Unix nanoseconds."""

    attributes: AttributeSource
    scope: str
    resource: ResourceView
    trace_id: int | bytes = 0
    span_id: int | bytes = 0
    parent_span_id: int | bytes = 0
    kind: int = KIND_INTERNAL
    start_ns: int = 0
    end_ns: int = 0
    failed: bool = False
    scope_version: str = ""
    trace_state: str = ""
    """The W3C trace state of a sampled span, as a header."""


def resource_view(attributes: AttributeSource, kept: Iterable[str] | None = None) -> ResourceView:
    """The resource as metrics label it; absent names are empty.

    With `kept` it holds these attributes only, cut to a bound, and not whatever else an emitter says of itself.
    """
    environment = attributes.get("deployment.environment.name") or attributes.get("deployment.environment") or ""
    service = cut_name(attributes.get("service.name"))
    unnamed = not service or service.startswith(_UNNAMED_SERVICE)
    emitter = "/".join(cut_name(attributes.get(key)) for key in _EMITTER_KEYS) if unnamed else ""
    if kept is not None:
        found = {key: attributes.get(key) for key in kept}
        attributes = MappingAttributes({key: _cut(value) for key, value in found.items() if value is not None})
    return ResourceView(service, cut_name(environment), attributes, emitter)


_UNNAMED_SERVICE = "unknown_service"
"""What SDKs call a service that nobody named."""
_EMITTER_KEYS = ("service.name", "service.instance.id", "host.name", "process.pid")


def _cut(value: object) -> object:
    text = str(value)
    return value if len(text) <= MAX_NAME_CHARACTERS else text[:MAX_NAME_CHARACTERS]


def cut_name(name: object | None) -> str:
    """A name as text, cut to a bound, empty when absent."""
    return "" if name is None else str(name)[:MAX_NAME_CHARACTERS]
