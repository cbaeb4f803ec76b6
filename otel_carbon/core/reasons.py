"""Why a call has no figure, or why a span is not a call of its own: stable codes with a sentence each."""

from __future__ import annotations

NO_USAGE = "no_usage"
FAILED_NO_USAGE = "failed_no_usage"
INVALID_METERED_ENERGY = "invalid_metered_energy"
INVALID_USAGE = "invalid_usage"
ABSURD_USAGE = "absurd_usage"
PARTS_EXCEED_WHOLE = "parts_exceed_whole"
INVENTED_USAGE = "invented_usage"
MODEL_NOT_REGISTERED = "model_not_registered"
MODEL_NOT_NAMED = "model_not_named"
ZONE_UNKNOWN = "zone_unknown"
OPERATION_NOT_COVERED = "operation_not_covered"
OUTSIDE_VALIDITY = "outside_validity"
CACHE_HIT = "cache_hit"
STRICT_FALLBACK_REFUSED = "strict_fallback_refused"

SAME_RESPONSE_ID = "same_response_id"
COUNTED_ANCESTOR = "counted_ancestor"
COUNTED_DESCENDANT = "counted_descendant"
SAME_SHAPE = "same_shape"
AGGREGATE_OPERATION = "aggregate_operation"
ACCOUNTING_POINT = "accounting_point"
USAGE_FROM_METRICS = "usage_from_metrics"

SENTENCES = {
    NO_USAGE: "The span carries no token usage; a stream reports it only when the client asks for it.",
    FAILED_NO_USAGE: "The call failed and reported no token usage.",
    INVALID_METERED_ENERGY: "The metered energy is no positive number of kWh that one call can take.",
    INVALID_USAGE: "A token count is not a whole, non-negative number.",
    ABSURD_USAGE: "A token count is larger than any single call can use.",
    PARTS_EXCEED_WHOLE: "Cached or reasoning tokens exceed the total they are part of.",
    INVENTED_USAGE: "The instrumentation made the token counts up.",
    MODEL_NOT_REGISTERED: "The registry has no energy coefficient for this model.",
    MODEL_NOT_NAMED: "The span names no model.",
    ZONE_UNKNOWN: "Neither the call nor the registry says on which grid this provider runs.",
    OPERATION_NOT_COVERED: "The registry has no coefficient for this kind of operation.",
    OUTSIDE_VALIDITY: "The registry's facts do not cover the date of this call.",
    CACHE_HIT: "A cache answered, so no model ran.",
    STRICT_FALLBACK_REFUSED: "Only a fallback coefficient exists, and strict mode refuses it.",
    SAME_RESPONSE_ID: "Another span with the same provider response id is already counted.",
    COUNTED_ANCESTOR: "A parent span of the same call is already counted.",
    COUNTED_DESCENDANT: "A child span of this span is already counted.",
    SAME_SHAPE: "Another instrumentation already reported this call: same service, tokens and time.",
    AGGREGATE_OPERATION: "The span sums up other spans and is no inference itself.",
    ACCOUNTING_POINT: "The span is of a server or gateway; calls count where they are made.",
    USAGE_FROM_METRICS: "The calls of this service are counted from its metrics, as configured, not from its spans.",
}


def sentence(code: str) -> str:
    """The sentence of a reason code.

    Raises:
        KeyError: the code does not exist.
    """
    return SENTENCES[code]
