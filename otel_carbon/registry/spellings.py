"""The spellings of a model id: which parts of a name say where and how a model is served, not which model it is.

A rule takes one such part away. Rules are narrow on purpose: `gpt-4-turbo` is not `gpt-4`, `o1-preview` is not `o1`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GEOGRAPHIES = "us|us-gov|eu|apac|au|jp|in|global|regional"
BEDROCK_VENDORS = (
    "ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshotai|nvidia|openai|qwen|writer|zai"
)

RULES: tuple[tuple[str, str, str], ...] = (
    ("vendor-prefix", r"^.*/(?=[^/]+$)", ""),
    ("bedrock-version", rf"^((?:(?:{GEOGRAPHIES})\.)?(?:{BEDROCK_VENDORS})\..*?)(?:-v?\d+:\d+|-v\d+|:\d+)$", r"\1"),
    ("bedrock-geography", rf"^(?:{GEOGRAPHIES})\.(?=(?:{BEDROCK_VENDORS})\.)", ""),
    ("bedrock-vendor", rf"^(?:{BEDROCK_VENDORS})\.", ""),
    ("host-prefix", r"^(?:system\.ai\.|databricks-|zai-|nvidia-|labs-)(?=[a-z])", ""),
    ("vendor-in-name", r"^meta-(?=llama)", ""),
    ("route-suffix", r":(?:free|extended|batch|thinking|nitro|floor|online)$", ""),
    ("date", r"(?:-20\d{6}|@20\d{6}|-20\d\d-\d\d-\d\d)$", ""),
    ("preview", r"(?<=^gemini-3-pro)-preview$|(?<=b)-preview$(?<!qwq-32b-preview)", ""),
    ("serving-suffix", r"(?<=b)-(?:versatile|instant|specdec|\d{4,5})$", ""),
    ("serving-suffix", r"(?<=-instruct)-(?:turbo|lite|basic|fast)$", ""),
    ("serving-tier", r"-(?:fast|ultrafast|highspeed|maas|us)$", ""),
    ("context-label", r"-(?:8k|32k|128k)$", ""),
    ("quantised", r"-(?:fp8|fp16|bf16|nvfp4|mxfp4|int4|int8|awq|gptq|gguf|[48]bit)(?:-fast)?$", ""),
    ("tuned-for-chat", r"-(?:instruct|it|hf)(?=$|-)", ""),
    ("tuned-for-chat", r"(?<=b)-chat(?=$|-)", ""),
)
"""How a rule is called, what it finds, what it leaves. A rule ends where the name does, so few can apply at once."""

_PLACES = frozenset(
    ("vendor-prefix", "bedrock-version", "bedrock-geography", "bedrock-vendor", "host-prefix", "route-suffix")
)
"""The rules that say where a model is served."""

_SAME_SIGNS: tuple[tuple[str, str], ...] = (
    (r"@(?=20\d{6}$)", "-"),
    (r"_", "-"),
    (r"(?<=\d)p(?=\d)", "."),
    (r"^llama-v(?=\d)", "llama-"),
    (r"(llama|qwen|gemma|phi|olmo|gpt)(?=\d)", r"\1-"),
    (r"^gpt-35(?=-|$)", "gpt-3.5"),
    (r"(?<=\d)\.(?=\d)", "-"),
    (r"^claude-(fable|haiku|mythos|opus|sonnet)-(\d+(?:-\d{1,2})?)(?=-|@|$)", r"claude-\2-\1"),
)
"""Signs that hosts write differently: `4.5`, `4-5`, `4p5`; `qwen3`, `qwen-3`; the tier of a Claude first or last."""


def same_signs(model_id: str) -> str:
    """The id in lower case with all signs written one way."""
    form = model_id.lower()
    for pattern, replacement in _same_signs():
        form = pattern.sub(replacement, form)
    return form


def spellings(model_id: str) -> Iterator[tuple[str, str]]:
    """All spellings of an id, nearest first, each with the rules that lead to it, `signs` for none."""
    start = model_id.lower()
    yield same_signs(start), "signs"
    seen = {start}
    level: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    while level:
        following: list[tuple[str, tuple[str, ...]]] = []
        for form, path in level:
            for how, pattern, replacement in _rules():
                shorter = pattern.sub(replacement, form, count=1)
                if shorter and shorter not in seen:
                    seen.add(shorter)
                    following.append((shorter, (*path, how)))
                    yield same_signs(shorter), "+".join(dict.fromkeys((*path, how)))
        level = following


def plain_name(model_id: str) -> str:
    """The id in lower case without vendor, host and route: what patterns of families and classes are held against."""
    form = model_id.lower().lstrip("~")
    for how, pattern, replacement in _rules():
        if how in _PLACES:
            form = pattern.sub(replacement, form, count=1)
    return form


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """The rules, compiled when a name first needs them: most applications call models by their own names."""
    return tuple((how, re.compile(pattern), replacement) for how, pattern, replacement in RULES)


@lru_cache(maxsize=1)
def _same_signs() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in _SAME_SIGNS)
