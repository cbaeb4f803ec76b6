"""What an export is about: a registry, a day, and a choice of providers, models and regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.spans.providers import provider_name

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.registry.catalog import Registry


@dataclass(frozen=True, slots=True)
class Selection:
    """An empty choice is all that the registry lists; names are in lower case, providers also by the conventions'."""

    registry: Registry
    day: date
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        registry: Registry,
        day: date,
        providers: tuple[str, ...] = (),
        models: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
    ) -> Selection:
        """A choice from names as users write them."""
        return cls(
            registry,
            day,
            tuple(dict.fromkeys(provider_name(name) for name in providers)),
            tuple(dict.fromkeys(name.strip().lower() for name in models)),
            tuple(dict.fromkeys(name.strip().lower() for name in regions)),
        )

    def header(self, last: str) -> tuple[str, ...]:
        """Lines that say what a file holds and where from; without comment marks."""
        choice = [
            f"{kind}: {', '.join(names)}"
            for kind, names in (("providers", self.providers), ("models", self.models), ("regions", self.regions))
            if names
        ]
        return (
            f"otel-carbon registry {self.registry.version}, sha256 {self.registry.digest}",
            f"Facts that apply on {self.day.isoformat()}; modelled amounts, made by `otel-carbon registry export`.",
            *choice,
            last,
        )
