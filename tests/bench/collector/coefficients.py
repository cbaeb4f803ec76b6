"""What enriches beside us multiplies by: our own factors for the models of the load, as plain numbers.

An estimate is a sum of tokens times factors; asking for one call with tokens of one kind alone gives that factor.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_carbon import Registry
from otel_carbon.enricher import Enricher
from otel_carbon.otlp.any_value import key_value
from otel_carbon.otlp.traces import TracesEnricher
from tests.bench.load import MODELS, START_NS, genai_attributes
from tests.support.otlp_sink import attributes_of

if TYPE_CHECKING:
    from tests.support.otlp_sink import AttributeValue

TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens")
FACTORS_VARIABLE = "OTEL_CARBON_BENCH_FACTORS"
"""Names the file that holds these numbers, for programs that are not ours."""
_MANY = 1_000_000
_BASE = ((_MANY, 0, 0), (_MANY, _MANY, 0), (_MANY, 0, _MANY))
"""Input, output, cached: cached tokens are part of the input, and a call without any input would not be estimated."""


@dataclass(frozen=True, slots=True)
class ModelFactors:
    """What one model's spans get.

    Attributes:
        provider: `gen_ai.provider.name`.
        model: `gen_ai.response.model`.
        amounts: for each attribute its factor for a token of each of `TOKENS`, in the unit of the attribute.
        texts: attributes that are the same on each span.
    """

    provider: str
    model: str
    amounts: dict[str, tuple[float, float, float]]
    texts: dict[str, str]


def model_factors() -> list[ModelFactors]:
    """The factors for all models of the load."""
    return [_factors_of(*place) for place in MODELS]


def _factors_of(provider: str, model: str, address: str) -> ModelFactors:
    input_only, with_output, with_cached = _enriched(provider, model, address)
    amounts, texts = {}, {}
    for key, value in input_only.items():
        if key == "otel_carbon.tenant":  # the load has it already
            continue
        if isinstance(value, float):
            others = [float(each[key]) for each in (with_output, with_cached)]  # type: ignore[arg-type]  # a float too
            amounts[key] = (value / _MANY, *((other - value) / _MANY for other in others))
        else:
            texts[key] = str(value)
    return ModelFactors(provider, model, amounts, texts)  # type: ignore[arg-type]  # three each, which mypy cannot count


def _enriched(provider: str, model: str, address: str) -> list[dict[str, AttributeValue]]:
    """What our enrichment adds to one call of each of `_BASE`."""
    source = random.Random(1)
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    for counts in _BASE:
        attributes = genai_attributes(source) | dict(zip(TOKENS, counts, strict=True))
        attributes |= {"gen_ai.provider.name": provider, "server.address": address}
        attributes |= dict.fromkeys(("gen_ai.request.model", "gen_ai.response.model"), model)
        span = scope_spans.spans.add(trace_id=source.randbytes(16), span_id=source.randbytes(8), kind=3)
        span.start_time_unix_nano = span.end_time_unix_nano = START_NS
        span.attributes.extend(key_value(key, value) for key, value in attributes.items())
    body = TracesEnricher(Enricher(Registry.bundled()))(request.SerializeToString())
    spans = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    return [
        {key: value for key, value in attributes_of(span.attributes).items() if key.startswith("otel_carbon.")}
        for span in spans
    ]
