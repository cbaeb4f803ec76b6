"""The export as a `transform` processor: the official Collector then adds what our processors add by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_carbon.errors import RegistryError
from otel_carbon.exporting.energy_rows import model_table
from otel_carbon.exporting.estimating_statements import (
    days_condition,
    energy_amounts,
    energy_statements,
    other_amounts,
    place_statements,
    usage_reasons,
    written_attributes,
)
from otel_carbon.exporting.guarded_spans import guard
from otel_carbon.exporting.ottl_text import in_yaml
from otel_carbon.exporting.place_rows import place_tables
from otel_carbon.exporting.reading_statements import (
    count_statements,
    host_statements,
    model_statements,
    operation_statements,
    provider_statements,
    region_statements,
)
from otel_carbon.registry.facts import Embodied
from otel_carbon.registry.subjects import ANY_HARDWARE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_carbon.exporting.selection import Selection

PROCESSOR = "transform/otel_carbon"
_NOTES = (
    f"For the official OpenTelemetry Collector: give it as one more --config, and name {PROCESSOR} in a pipeline.",
    "Every inference span is estimated by itself: a call that two spans report is not told apart from two calls.",
    "Yearly grid averages only. Left as they came, without otel_carbon.status: spans of dialects with names or token",
    "counts of their own, models that no table lists, spans of servers, and spans of other days.",
)


def ottl_form(selection: Selection) -> str:
    """A piece of configuration, in YAML.

    Raises:
        RegistryError: the registry lacks what every estimate needs.
    """
    notes = "\n".join(f"# {line}" for line in (*selection.header(_NOTES[0]), *_NOTES[1:]))
    statements = "\n".join(f"          - {in_yaml(statement)}" for statement in _statements(selection))
    days = days_condition(place_tables(selection.registry, selection.day).days)
    return f"""{notes}
processors:
  {PROCESSOR}:
    error_mode: silent
    trace_statements:
      - context: span
        conditions:
          - {in_yaml(f"{guard()} and {days}")}
        statements:
{statements}
"""


def _statements(selection: Selection) -> Iterator[str]:
    registry, day = selection.registry, selection.day
    models = model_table(registry, day, selection.models)
    places = place_tables(registry, day)
    chosen = places.limited(selection.providers, selection.regions)
    embodied = registry.about(Embodied, ANY_HARDWARE, day)
    if embodied is None:
        msg = f"the registry has no factor for the making of hardware on {day}"
        raise RegistryError(msg)
    yield from count_statements()
    yield from operation_statements()
    yield from model_statements()
    yield from usage_reasons()
    yield from host_statements()
    yield from provider_statements(places.homes)
    yield from region_statements()
    yield from energy_statements(models)
    yield from place_statements(chosen, all_homes=not selection.providers, all_regions=not selection.regions)
    yield from energy_amounts(models.own_chips)
    yield from other_amounts(embodied.gco2e_per_it_kwh)
    yield from written_attributes(registry.version)
