"""Published figures of services, held against a typical call of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.core.footprint import Footprint
from otel_carbon.core.interval import Interval
from otel_carbon.core.units import WH_PER_KWH
from otel_carbon.core.usage import TokenUsage
from otel_carbon.estimating import estimate
from otel_carbon.methodology.tables import anchors
from otel_carbon.methods.literature_tables import disclosures

if TYPE_CHECKING:
    from datetime import date

    from otel_carbon.methodology.tables import Anchor
    from otel_carbon.registry.catalog import Registry


class AnchorCheck(NamedTuple):
    """A published figure and ours for the same call, in Wh at the facility."""

    anchor: Anchor
    published_wh: Interval
    ours_wh: Interval | None
    """`None` where the registry has no estimate for the call."""

    @property
    def is_inside(self) -> bool:
        """Whether the published figure lies between our low and high."""
        if self.ours_wh is None:
            return False
        published = self.published_wh if self.anchor.whole_range else Interval.exactly(self.published_wh.mid)
        return self.ours_wh.low <= published.low and published.high <= self.ours_wh.high


def anchor_checks(registry: Registry, day: date) -> tuple[AnchorCheck, ...]:
    """Every anchor held against the call that it names, in the provider's default place on a day."""
    return tuple(AnchorCheck(anchor, _published_wh(anchor), _ours_wh(registry, anchor, day)) for anchor in anchors())


def _published_wh(anchor: Anchor) -> Interval:
    """The published energy, brought to the call's output where the source says for how many tokens it is."""
    disclosure = disclosures()[anchor.published]
    assert disclosure.energy_wh is not None  # noqa: S101 - anchors name figures of energy, a test holds them to it
    if disclosure.output_tokens is None:
        return disclosure.energy_wh
    return disclosure.energy_wh.scaled(anchor.output_tokens / disclosure.output_tokens)


def _ours_wh(registry: Registry, anchor: Anchor, day: date) -> Interval | None:
    usage = TokenUsage(
        anchor.provider,
        anchor.model,
        input_tokens=anchor.input_tokens,
        output_tokens=anchor.output_tokens,
        at=day,
    )
    found = estimate(usage, registry=registry)
    return found.energy_kwh.scaled(WH_PER_KWH) if isinstance(found, Footprint) else None
