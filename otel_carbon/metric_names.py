"""Names, units and descriptions of every counter that otel-carbon emits.

Generated from semconv/ by `python tools/generate_semconv.py`; do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from otel_carbon.attributes import ROOT


@dataclass(frozen=True, slots=True)
class Metric:
    """One counter; `prometheus_name` is what any way into Prometheus makes of name and unit (UCUM)."""

    name: str
    prometheus_name: str
    unit: str
    description: str


ENERGY: Final[Metric] = Metric(
    ROOT + ".energy",
    ROOT + "_energy_joules_total",
    "J",
    "Modelled facility energy (IT energy x PUE) of GenAI inference.",
)
"""In Prometheus `otel_carbon_energy_joules_total`."""

ENERGY_LOW: Final[Metric] = Metric(
    ROOT + ".energy_low",
    ROOT + "_energy_low_joules_total",
    "J",
    "Lower bound of the modelled facility energy (IT energy x PUE) of GenAI inference.",
)
"""In Prometheus `otel_carbon_energy_low_joules_total`.

Bounds are the worst case of the factors' ranges; they do not shrink with the number of calls.
"""

ENERGY_HIGH: Final[Metric] = Metric(
    ROOT + ".energy_high",
    ROOT + "_energy_high_joules_total",
    "J",
    "Upper bound of the modelled facility energy (IT energy x PUE) of GenAI inference.",
)
"""In Prometheus `otel_carbon_energy_high_joules_total`.

Bounds are the worst case of the factors' ranges; they do not shrink with the number of calls.
"""

EMISSIONS: Final[Metric] = Metric(
    ROOT + ".emissions",
    ROOT + "_emissions_grams_total",
    "g",
    "Modelled emissions of GenAI inference in CO2e, location-based operational plus embodied.",
)
"""In Prometheus `otel_carbon_emissions_grams_total`."""

EMISSIONS_LOW: Final[Metric] = Metric(
    ROOT + ".emissions_low",
    ROOT + "_emissions_low_grams_total",
    "g",
    "Lower bound of the modelled emissions of GenAI inference in CO2e, location-based operational plus embodied.",
)
"""In Prometheus `otel_carbon_emissions_low_grams_total`.

Bounds are the worst case of the factors' ranges; they do not shrink with the number of calls.
"""

EMISSIONS_HIGH: Final[Metric] = Metric(
    ROOT + ".emissions_high",
    ROOT + "_emissions_high_grams_total",
    "g",
    "Upper bound of the modelled emissions of GenAI inference in CO2e, location-based operational plus embodied.",
)
"""In Prometheus `otel_carbon_emissions_high_grams_total`.

Bounds are the worst case of the factors' ranges; they do not shrink with the number of calls.
"""

WATER: Final[Metric] = Metric(
    ROOT + ".water",
    ROOT + "_water_L_total",
    "L",
    "Modelled water consumption of GenAI inference.",
)
"""In Prometheus `otel_carbon_water_L_total`."""

WATER_LOW: Final[Metric] = Metric(
    ROOT + ".water_low",
    ROOT + "_water_low_L_total",
    "L",
    "Lower bound of the modelled water consumption of GenAI inference.",
)
"""In Prometheus `otel_carbon_water_low_L_total`.

Bounds are the worst case of the factors' ranges; they do not shrink with the number of calls.
"""

WATER_HIGH: Final[Metric] = Metric(
    ROOT + ".water_high",
    ROOT + "_water_high_L_total",
    "L",
    "Upper bound of the modelled water consumption of GenAI inference.",
)
"""In Prometheus `otel_carbon_water_high_L_total`.

Bounds are the worst case of the factors' ranges; they do not shrink with the number of calls.
"""

TOKENS: Final[Metric] = Metric(
    ROOT + ".tokens",
    ROOT + "_tokens_total",
    "{token}",
    "Tokens of GenAI inference, each token in one kind.",
)
"""In Prometheus `otel_carbon_tokens_total`."""

OPERATIONS: Final[Metric] = Metric(
    ROOT + ".operations",
    ROOT + "_operations_total",
    "{operation}",
    "GenAI inference calls, each call once.",
)
"""In Prometheus `otel_carbon_operations_total`.

Calls, not spans; twins of one call are merged.
"""

MATCHED_OPERATIONS: Final[Metric] = Metric(
    ROOT + ".matched_operations",
    ROOT + "_matched_operations_total",
    "{operation}",
    "Estimated GenAI inference calls, by how near the registry's fact is to their model.",
)
"""In Prometheus `otel_carbon_matched_operations_total`.

A part of the operations; calls whose energy was metered have no such fact and are left out.
"""

SAMPLING_UNSEEN_OPERATIONS: Final[Metric] = Metric(
    ROOT + ".sampling.unseen_operations",
    ROOT + "_sampling_unseen_operations_total",
    "{operation}",
    "Extrapolated GenAI inference calls that trace sampling dropped; no part of the operations.",
)
"""In Prometheus `otel_carbon_sampling_unseen_operations_total`.

A sampled call whose trace state names its sampling threshold stands for itself, which the operations count, and for as
many more as this adds. No series means that no threshold was named, and not that nothing was dropped.
"""

SAMPLING_UNSEEN_ENERGY: Final[Metric] = Metric(
    ROOT + ".sampling.unseen_energy",
    ROOT + "_sampling_unseen_energy_joules_total",
    "J",
    "Extrapolated facility energy of GenAI inference calls that trace sampling dropped; no part of the energy.",
)
"""In Prometheus `otel_carbon_sampling_unseen_energy_joules_total`.

The modelled energy of each sampled call, times the calls that it stands for beyond itself.
"""

SAMPLING_UNSEEN_EMISSIONS: Final[Metric] = Metric(
    ROOT + ".sampling.unseen_emissions",
    ROOT + "_sampling_unseen_emissions_grams_total",
    "g",
    "Extrapolated CO2e of GenAI inference calls that trace sampling dropped; no part of the emissions.",
)
"""In Prometheus `otel_carbon_sampling_unseen_emissions_grams_total`.

The modelled emissions of each sampled call, times the calls that it stands for beyond itself.
"""

SPANS: Final[Metric] = Metric(
    ROOT + ".spans",
    ROOT + "_spans_total",
    "{span}",
    "GenAI spans seen, by what counting decided about them.",
)
"""In Prometheus `otel_carbon_spans_total`."""

DROPPED_SERIES: Final[Metric] = Metric(
    ROOT + ".dropped_series",
    ROOT + "_dropped_series_total",
    "{series}",
    "Refusals of a new series because the label budget was spent.",
)
"""In Prometheus `otel_carbon_dropped_series_total`.

Totals stay complete, because what is refused is booked under `other`. A series refused again counts again.
"""

ALL: Final[tuple[Metric, ...]] = (
    ENERGY,
    ENERGY_LOW,
    ENERGY_HIGH,
    EMISSIONS,
    EMISSIONS_LOW,
    EMISSIONS_HIGH,
    WATER,
    WATER_LOW,
    WATER_HIGH,
    TOKENS,
    OPERATIONS,
    MATCHED_OPERATIONS,
    SAMPLING_UNSEEN_OPERATIONS,
    SAMPLING_UNSEEN_ENERGY,
    SAMPLING_UNSEEN_EMISSIONS,
    SPANS,
    DROPPED_SERIES,
)
"""Every counter, in the order of the reference."""
POINT_ATTRIBUTES: Final[tuple[str, ...]] = (
    "gen_ai.provider.name",
    "gen_ai.response.model",
    ROOT + ".region",
    ROOT + ".tier",
    ROOT + ".tenant",
    "service.name",
    "deployment.environment.name",
)
"""Attributes that every point of the amounts, tokens and operations may carry."""
