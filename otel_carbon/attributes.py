"""Names and values of every attribute that otel-carbon reads or writes.

Generated from semconv/ by `python tools/generate_semconv.py`; do not edit.
"""

from __future__ import annotations

from typing import Final

ROOT: Final[str] = "otel_carbon"
"""Namespace of everything otel-carbon emits; the only place that spells it."""
SCHEMA_URL: Final[str] = "https://otel-carbon.dev/schemas/0.1.0"
"""Schema URL of our own instrumentation scope; spans keep the one of their emitter."""

STATUS: Final[str] = ROOT + ".status"
"""What the span is for the carbon account.

Only an estimated span carries amounts. An unknown amount is absent, never 0.
"""
STATUS_ESTIMATED: Final[str] = "estimated"
"""The span is one inference call and has a footprint."""
STATUS_UNESTIMATED: Final[str] = "unestimated"
"""The span is one inference call whose footprint is unknown; the reason says why."""
STATUS_AGGREGATE: Final[str] = "aggregate"
"""The span sums up calls that have spans of their own."""
STATUS_DUPLICATE: Final[str] = "duplicate"
"""The span reports a call that is counted elsewhere, on another span or from metrics."""
STATUS_VALUES: Final[tuple[str, ...]] = (
    STATUS_ESTIMATED,
    STATUS_UNESTIMATED,
    STATUS_AGGREGATE,
    STATUS_DUPLICATE,
)
"""Every value of `otel_carbon.status`."""

REASON: Final[str] = ROOT + ".reason"
"""Stable code saying why the span is unestimated, a duplicate or an aggregate.

Absent from estimated spans. New codes may be added, existing ones keep their meaning.
"""

ENERGY_KWH: Final[str] = ROOT + ".energy_kwh"
"""Modelled energy of the call at the facility (IT energy x PUE), in kWh.

Mid estimate. The bounds are the worst case of the factors' ranges, not a confidence interval.
"""

ENERGY_KWH_LOW: Final[str] = ROOT + ".energy_kwh_low"
"""Lower bound of the modelled facility energy of the call, in kWh."""

ENERGY_KWH_HIGH: Final[str] = ROOT + ".energy_kwh_high"
"""Upper bound of the modelled facility energy of the call, in kWh."""

IT_ENERGY_KWH: Final[str] = ROOT + ".it_energy_kwh"
"""Modelled IT energy of the call (accelerator, host, idle share) before PUE, in kWh."""

EMISSIONS_GCO2E: Final[str] = ROOT + ".emissions_gco2e"
"""Modelled emissions of the call, location-based operational plus embodied, in gCO2e."""

EMISSIONS_GCO2E_LOW: Final[str] = ROOT + ".emissions_gco2e_low"
"""Lower bound of the modelled emissions of the call, in gCO2e."""

EMISSIONS_GCO2E_HIGH: Final[str] = ROOT + ".emissions_gco2e_high"
"""Upper bound of the modelled emissions of the call, in gCO2e."""

EMISSIONS_OPERATIONAL_GCO2E: Final[str] = ROOT + ".emissions_operational_gco2e"
"""Part of the emissions from electricity, location-based, in gCO2e.

Facility energy x grid intensity; E x I in the terms of Software Carbon Intensity.
"""

EMISSIONS_EMBODIED_GCO2E: Final[str] = ROOT + ".emissions_embodied_gco2e"
"""Part of the emissions from making the hardware, in gCO2e.

IT energy x embodied factor, independent of the grid; M in the terms of Software Carbon Intensity.
"""

EMISSIONS_MARKET_GCO2E: Final[str] = ROOT + ".emissions_market_gco2e"
"""Modelled emissions of the call, market-based operational plus embodied, in gCO2e.

Beside the location-based figure, never added to it; absent where no market-based factor is known.
"""

WATER_L: Final[str] = ROOT + ".water_l"
"""Modelled water consumption of the call, cooling on site plus electricity, in litres."""

WATER_L_LOW: Final[str] = ROOT + ".water_l_low"
"""Lower bound of the modelled water consumption of the call, in litres."""

WATER_L_HIGH: Final[str] = ROOT + ".water_l_high"
"""Upper bound of the modelled water consumption of the call, in litres."""

METHOD: Final[str] = ROOT + ".method"
"""Name of the estimation method."""

TIER: Final[str] = ROOT + ".tier"
"""Kind of activity data behind the amounts, best first."""
TIER_METERED: Final[str] = "metered"
"""Metered energy of the call."""
TIER_TOKEN_PHYSICAL: Final[str] = "token_physical"
"""Token counts x physical energy coefficients."""
TIER_REQUEST_PHYSICAL: Final[str] = "request_physical"
"""Number of requests x physical energy coefficients."""
TIER_SEAT_ACTIVITY: Final[str] = "seat_activity"
"""Seats or active users x average activity."""
TIER_SPEND_EEIO: Final[str] = "spend_eeio"
"""Money spent x environmentally extended input-output factors."""
TIER_VALUES: Final[tuple[str, ...]] = (
    TIER_METERED,
    TIER_TOKEN_PHYSICAL,
    TIER_REQUEST_PHYSICAL,
    TIER_SEAT_ACTIVITY,
    TIER_SPEND_EEIO,
)
"""Every value of `otel_carbon.tier`."""

TIER_NUMBER: Final[str] = ROOT + ".tier_number"
"""Rank of the tier; the larger the number, the coarser the activity data."""

CONFIDENCE: Final[str] = ROOT + ".confidence"
"""How far apart the bounds of the energy are."""
CONFIDENCE_HIGH: Final[str] = "high"
"""The upper energy bound is below 2 times the lower one."""
CONFIDENCE_MEDIUM: Final[str] = "medium"
"""The upper energy bound is below 5 times the lower one."""
CONFIDENCE_LOW: Final[str] = "low"
"""The energy bounds are farther apart."""
CONFIDENCE_VALUES: Final[tuple[str, ...]] = (
    CONFIDENCE_HIGH,
    CONFIDENCE_MEDIUM,
    CONFIDENCE_LOW,
)
"""Every value of `otel_carbon.confidence`."""

COEFFICIENT_ID: Final[str] = ROOT + ".coefficient_id"
"""Id of the registry's fact that holds the model's energy coefficients."""

MATCH: Final[str] = ROOT + ".match"
"""How the model was matched to its coefficients, closest first."""
MATCH_EXACT: Final[str] = "exact"
"""The fact lists the model id itself."""
MATCH_ALIAS: Final[str] = "alias"
"""The model id is another name of a listed one."""
MATCH_FAMILY: Final[str] = "family"
"""The fact covers the model's family."""
MATCH_SIZE_CLASS: Final[str] = "size_class"
"""The fact covers models of about this size."""
MATCH_GENERIC: Final[str] = "generic"
"""Nothing is known of the model; the fact covers models in general."""
MATCH_VALUES: Final[tuple[str, ...]] = (
    MATCH_EXACT,
    MATCH_ALIAS,
    MATCH_FAMILY,
    MATCH_SIZE_CLASS,
    MATCH_GENERIC,
)
"""Every value of `otel_carbon.match`."""

GRID_ID: Final[str] = ROOT + ".grid_id"
"""Id of the registry's fact that holds the grid intensity, or `table/ZONE@VERSION` of the user's own grid table."""

SITE_ID: Final[str] = ROOT + ".site_id"
"""Id of the registry's fact that holds the data centre's PUE and water factors."""

REGION: Final[str] = ROOT + ".region"
"""Region in which the model ran, as far as known."""

REGION_EVIDENCE: Final[str] = ROOT + ".region_evidence"
"""How the region is known."""
REGION_EVIDENCE_REPORTED: Final[str] = "reported"
"""The telemetry names the region of the model."""
REGION_EVIDENCE_CONFIGURED: Final[str] = "configured"
"""The operator configured it."""
REGION_EVIDENCE_DERIVED: Final[str] = "derived"
"""It follows from a server address or model id."""
REGION_EVIDENCE_DEFAULT: Final[str] = "default"
"""It is the registry's default for the provider."""
REGION_EVIDENCE_VALUES: Final[tuple[str, ...]] = (
    REGION_EVIDENCE_REPORTED,
    REGION_EVIDENCE_CONFIGURED,
    REGION_EVIDENCE_DERIVED,
    REGION_EVIDENCE_DEFAULT,
)
"""Every value of `otel_carbon.region_evidence`."""

REGISTRY_VERSION: Final[str] = ROOT + ".registry_version"
"""Version of the fact registry and the first 12 hex digits of its digest, overlays included."""

ASSUMPTIONS: Final[str] = ROOT + ".assumptions"
"""Codes of what had to be assumed for want of facts."""

TENANT: Final[str] = ROOT + ".tenant"
"""Tenant, team or customer on whose account the call is booked.

Read from the span, then from its resource; the attribute to read is configurable. On metrics it is always present,
`none` where no tenant is named.
"""

METERED_ENERGY_KWH: Final[str] = ROOT + ".metered.energy_kwh"
"""Energy that a meter attributed to the call, in kWh, at the boundary that `otel_carbon.metered.boundary` names.

Written by the application or model server. It takes the place of the energy that follows from token counts.
"""

METERED_BOUNDARY: Final[str] = ROOT + ".metered.boundary"
"""What the metered energy covers; without it the metered energy is not used."""
METERED_BOUNDARY_ACCELERATOR: Final[str] = "accelerator"
"""The accelerators alone, as their own counters show it."""
METERED_BOUNDARY_IT: Final[str] = "it"
"""The servers with accelerators, host and idle share, before PUE."""
METERED_BOUNDARY_FACILITY: Final[str] = "facility"
"""Everything that the data centre draws, after PUE."""
METERED_BOUNDARY_VALUES: Final[tuple[str, ...]] = (
    METERED_BOUNDARY_ACCELERATOR,
    METERED_BOUNDARY_IT,
    METERED_BOUNDARY_FACILITY,
)
"""Every value of `otel_carbon.metered.boundary`."""

TOKEN_TYPE: Final[str] = ROOT + ".token.type"
"""Kind of token; no token is of two kinds."""
TOKEN_TYPE_INPUT_UNCACHED: Final[str] = "input_uncached"
"""Input tokens computed afresh."""
TOKEN_TYPE_CACHE_READ: Final[str] = "cache_read"
"""Input tokens read from a prompt cache."""
TOKEN_TYPE_CACHE_WRITE: Final[str] = "cache_write"
"""Input tokens computed and written to a prompt cache."""
TOKEN_TYPE_OUTPUT_VISIBLE: Final[str] = "output_visible"
"""Output tokens that are not reasoning."""
TOKEN_TYPE_OUTPUT_REASONING: Final[str] = "output_reasoning"
"""Output tokens of reasoning."""
TOKEN_TYPE_VALUES: Final[tuple[str, ...]] = (
    TOKEN_TYPE_INPUT_UNCACHED,
    TOKEN_TYPE_CACHE_READ,
    TOKEN_TYPE_CACHE_WRITE,
    TOKEN_TYPE_OUTPUT_VISIBLE,
    TOKEN_TYPE_OUTPUT_REASONING,
)
"""Every value of `otel_carbon.token.type`."""

OBSERVED_SCOPE: Final[str] = ROOT + ".observed_scope"
"""Name of the instrumentation scope whose spans were judged.

Not `otel.scope.name`, which on a scrape names the scope of the counter itself.
"""

DIALECT: Final[str] = ROOT + ".dialect"
"""Family of conventions that the span was read by.

A span of an instrumentation scope that no family is known for, and that is read all the same, is of `gen-ai`.
"""

VERDICT: Final[str] = ROOT + ".verdict"
"""What counting decided about a GenAI span."""
VERDICT_COUNTED: Final[str] = "counted"
"""One inference call, booked with a footprint."""
VERDICT_DUPLICATE: Final[str] = "duplicate"
"""A call that is counted elsewhere, on another span or from metrics."""
VERDICT_AGGREGATE: Final[str] = "aggregate"
"""A sum over calls that have spans of their own."""
VERDICT_UNESTIMATED: Final[str] = "unestimated"
"""One inference call without a footprint."""
VERDICT_REPEATED: Final[str] = "repeated"
"""The same span delivered again."""
VERDICT_ALREADY_ENRICHED: Final[str] = "already_enriched"
"""Judged by its emitter and forwarded untouched."""
VERDICT_GENAI_OTHER: Final[str] = "genai_other"
"""A GenAI span that is no inference, such as a tool call or a retrieval."""
VERDICT_NOT_READ: Final[str] = "not_read"
"""A span that carries names of GenAI conventions, but none that say what it is."""
VERDICT_VALUES: Final[tuple[str, ...]] = (
    VERDICT_COUNTED,
    VERDICT_DUPLICATE,
    VERDICT_AGGREGATE,
    VERDICT_UNESTIMATED,
    VERDICT_REPEATED,
    VERDICT_ALREADY_ENRICHED,
    VERDICT_GENAI_OTHER,
    VERDICT_NOT_READ,
)
"""Every value of `otel_carbon.verdict`."""

CORE_ATTRIBUTES: Final[tuple[str, ...]] = (
    STATUS,
    REASON,
    ENERGY_KWH,
    ENERGY_KWH_LOW,
    ENERGY_KWH_HIGH,
    EMISSIONS_GCO2E,
    EMISSIONS_GCO2E_LOW,
    EMISSIONS_GCO2E_HIGH,
    WATER_L,
    COEFFICIENT_ID,
    GRID_ID,
    TIER,
    CONFIDENCE,
    REGISTRY_VERSION,
)
"""Span attributes of level `core`, in the order in which they are written."""
FULL_ATTRIBUTES: Final[tuple[str, ...]] = (
    *CORE_ATTRIBUTES,
    IT_ENERGY_KWH,
    EMISSIONS_OPERATIONAL_GCO2E,
    EMISSIONS_EMBODIED_GCO2E,
    EMISSIONS_MARKET_GCO2E,
    WATER_L_LOW,
    WATER_L_HIGH,
    METHOD,
    TIER_NUMBER,
    MATCH,
    SITE_ID,
    REGION,
    REGION_EVIDENCE,
    ASSUMPTIONS,
)
"""Span attributes of level `full`: the core ones and the details."""
