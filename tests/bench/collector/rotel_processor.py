"""The enrichment as a Python processor of rotel, which loads this file and calls `process_spans` for each resource.

It looks up numbers that were worked out before; it knows no dialects, counts nothing and keeps no duplicates apart.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rotel_sdk.open_telemetry.common.v1 import AnyValue, KeyValue

_FACTORS = {
    (each["provider"], each["model"]): (tuple(each["amounts"].items()), tuple(each["texts"].items()))
    for each in json.loads(Path(os.environ["OTEL_CARBON_BENCH_FACTORS"]).read_text(encoding="utf-8"))
}


def process_spans(resource_spans: Any) -> None:
    """Add energy, emissions, water and their evidence to GenAI spans of known models."""
    for scope_spans in resource_spans.scope_spans:
        for span in scope_spans.spans:
            attributes = span.attributes
            read = {pair.key: pair.value.value for pair in attributes}
            provider = read.get("gen_ai.provider.name")
            if provider is None:
                continue
            factors = _FACTORS.get((provider, read["gen_ai.response.model"]))
            if factors is None:
                continue
            amounts, texts = factors
            input_tokens = read["gen_ai.usage.input_tokens"]
            output_tokens = read["gen_ai.usage.output_tokens"]
            cached_tokens = read.get("gen_ai.usage.cache_read.input_tokens", 0)
            for key, (for_input, for_output, for_cached) in amounts:
                amount = for_input * input_tokens + for_output * output_tokens + for_cached * cached_tokens
                attributes.append(KeyValue(key, AnyValue(amount)))
            for key, text in texts:
                attributes.append(KeyValue(key, AnyValue(text)))
