"""What components there are, for whoever lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.collector.config.document import COMPONENT_TYPES

if TYPE_CHECKING:
    from otel_carbon.collector.config.values import Section


@dataclass(frozen=True, slots=True)
class Component:
    """One type of component.

    Attributes:
        kind: `receiver`, `processor`, `exporter` or `extension`.
        name: what stands in the file.
        older_names: other types that are read as this one.
        stability: `beta`, or `alpha` where keys may still change with a minor version.
        summary: what it does, in one sentence.
        model: its settings.
    """

    kind: str
    name: str
    older_names: tuple[str, ...]
    stability: str
    summary: str
    model: type[Section]

    def as_dict(self) -> dict[str, object]:
        """What there is to tell, without the model."""
        return {
            "kind": self.kind,
            "type": self.name,
            "older_names": list(self.older_names),
            "stability": self.stability,
            "summary": self.summary,
        }


def all_components() -> tuple[Component, ...]:
    """Every type of component, in the order of the file; types that share a model are one with older names."""
    return tuple(each for section in COMPONENT_TYPES for each in components_of(section))


def components_of(section: str) -> tuple[Component, ...]:
    """The components of one section, such as `exporters`."""
    names: dict[type[Section], list[str]] = {}
    for name, model in COMPONENT_TYPES[section].items():
        names.setdefault(model, []).append(name)
    kind = section.removesuffix("s")
    return tuple(
        Component(kind, name, tuple(older), model.stability, summary_of(model), model)
        for model, (name, *older) in names.items()
    )


def summary_of(model: type[Section]) -> str:
    """The first sentence about a section, on one line."""
    return " ".join((model.__doc__ or "").strip().partition("\n\n")[0].split())
