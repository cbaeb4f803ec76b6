"""The spellings of a model id: which parts of a name say where and how a model is served, not which model it is.

A rule takes one such part away. Rules are narrow on purpose: `gpt-4-turbo` is not `gpt-4`, `o1-preview` is not `o1`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BEDROCK_VENDORS = (
    "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen"
    "|stability|twelvelabs|writer|zai"
)
BEDROCK_GEOGRAPHY = r"[a-z]{2,8}(?:-gov)?"
"""New ones come without notice (`us`, `us-gov`, `apac`, `ca`, ...): the vendor after it tells that it is one."""

RULES: tuple[tuple[str, str, str, str], ...] = (
    ("fine-tuned", "ft:", r"^ft:([^:]+)(?::.*)?$", r"\1"),
    ("fine-tuned", "ft-", r"(?<=.)[:.]ft-.*$", ""),
    ("local-path", "models--", r"^.*models--[^/]+?--([^/]+)(?:/.*)?$", r"\1"),
    ("vendor-prefix", "/", r"^.*/(?=[^/]+$)", ""),
    (
        "bedrock-version",
        ".",
        rf"^((?:{BEDROCK_GEOGRAPHY}\.)?(?:{BEDROCK_VENDORS})\..*?)(?:-v?\d+:\d+(?::(?:\d+k|mm))?|-v\d+|:\d+)$",
        r"\1",
    ),
    ("bedrock-geography", ".", rf"^{BEDROCK_GEOGRAPHY}\.(?=(?:{BEDROCK_VENDORS})\.)", ""),
    ("bedrock-vendor", ".", r"^deepseek\.(?=[rv]\d)", "deepseek-"),
    ("bedrock-vendor", ".", rf"^(?:{BEDROCK_VENDORS})\.(?=[a-z])", ""),
    ("host-prefix", "", r"^(?:system\.ai\.|databricks-|zai-|nvidia-|labs-|cohere-)(?=[a-z])", ""),
    ("host-prefix", "", r"^(?:jumpstart-dft-)?(?:hf-llm|huggingface-llm|meta-textgeneration)-(?=[a-z])", ""),
    ("vendor-in-name", "-", r"^(?:meta-(?=llama-?\d)|qwen-(?=qwq)|ai21-(?=jamba))", ""),
    ("vendor-in-name", "_", r"^(?:meta-llama|qwen|google|mistralai|microsoft)_", ""),
    ("route-suffix", ":", r":(?:free|extended|batch|thinking|nitro|floor|online|beta)$", ""),
    ("route-suffix", ":", r"(?<!deepseek-r1)(?<!deepseek-coder-v2)(?<!qwen3-coder):latest$", ""),
    ("date", "20", r"(?:-20\d{6}|@20\d{6}|-20\d\d-\d\d-\d\d)$", ""),
    ("version", "@", r"@(?:default|\d{3})$", ""),
    ("thinking", "-thinking", r"(?<=-20\d{6})-thinking$", ""),
    ("preview", "-preview", r"(?<=^gemini-3-pro)-preview$|(?<=b)-preview$(?<!qwq-32b-preview)", ""),
    ("serving-suffix", "b-", r"(?<=b)-(?:versatile|instant|specdec|cloud|\d{4,5})$", ""),
    ("serving-suffix", "-instruct-", r"(?<=-instruct)-(?:turbo(?:-free)?|lite|basic|fast)$", ""),
    ("serving-tier", "-fast", r"^(?!grok-)(?!.*/grok-)(.+)-fast$", r"\1"),
    ("serving-tier", "", r"-(?:ultrafast|highspeed|maas|us|tput)$", ""),
    ("context-label", "", r"-(?:8k|32k|128k|1m)$|\[1m\]$", ""),
    ("file", ".gguf", r"(?:-\d{5}-of-\d{5})?\.gguf$", ""),
    ("quantised", "", r"-(?:fp4|fp8|fp16|bf16|nvfp4|mxfp4|int4|int8|awq|gptq)(?:-fast|-dynamic)?$", ""),
    ("quantised", "", r"-(?:qat|gguf|exl2|mlx)(?:-fast|-dynamic)?$", ""),
    ("quantised", "", r"-(?:unsloth-)?(?:bnb-)?[48]bit$|-(?:quantized\.)?w\d{1,2}a\d{1,2}$", ""),
    ("quantised", "", r"[-.:](?:ud-)?(?:i?q\d(?:_[a-z0-9]{1,3}){0,3}|bf16|f16)$|-q\df\d{2}_\d-mlc$", ""),
    ("tuned-for-chat", "-", r"-(?:instruct|it|hf)(?=$|-)", ""),
    ("tuned-for-chat", "b-chat", r"(?<=b)-chat(?=$|-)", ""),
)
"""How a rule is called, a sign without which it finds nothing, what it finds, what it leaves.

A rule ends where the name does, so few can apply at once.
In Ollama, `:latest` of `deepseek-r1`, `deepseek-coder-v2` and `qwen3-coder` is a smaller model than what others call by
the bare name.
"""

_NEWEST = ":latest"
MAX_FORMS = 32
"""Real ids have up to a dozen spellings; one that is made to have more is not followed further."""

_PLACES = frozenset(
    (
        *("fine-tuned", "local-path", "vendor-prefix", "bedrock-version", "bedrock-geography", "bedrock-vendor"),
        *("host-prefix", "route-suffix", "file"),
    )
)
"""The rules that say where a model is served, or whose it is."""

_SAME_SIGNS: tuple[tuple[str, str], ...] = (
    (r"@(?=20\d{6}$)", "-"),
    (r"[_:]", "-"),
    (r"(?<=\d)p(?=\d)", "."),
    (r"^llama-v(?=\d)", "llama-"),
    (r"(llama|qwen|gemma|phi|olmo|gpt|mistral-small)(?=\d)", r"\1-"),
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
    start = _trimmed(model_id)
    if not start.endswith(_NEWEST):  # `devstral:latest` of Ollama is not `devstral-latest` of Mistral
        yield same_signs(start), "signs"
    seen = {start}
    level: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    while level:
        following: list[tuple[str, tuple[str, ...]]] = []
        for form, path in level:
            for how, sign, pattern, replacement in _rules():
                shorter = pattern.sub(replacement, form, count=1) if sign in form else form
                if shorter and shorter not in seen and len(seen) <= MAX_FORMS:
                    seen.add(shorter)
                    following.append((shorter, (*path, how)))
                    if not shorter.endswith(_NEWEST):
                        yield same_signs(shorter), "+".join(dict.fromkeys((*path, how)))
        level = following


def plain_name(model_id: str) -> str:
    """The id in lower case without vendor, host and route: what patterns of families and classes are held against.

    Signs are written one way where that makes no other name of it: `llama3.1:8b` is `llama-3.1-8b`.
    """
    form = _trimmed(model_id).lstrip("~")
    for how, sign, pattern, replacement in _rules():
        if how in _PLACES and sign in form:
            form = pattern.sub(replacement, form, count=1)
    return _GLUED.sub(r"\1-", form.translate(_ONE_SIGN))


_ONE_SIGN = str.maketrans("_: ", "---")
_GLUED = re.compile(r"(?<![a-z])(llama(?=\d)|gemma(?=\d)|phi(?=\d)|gpt(?=[3-9](?![a-np-z])))")


def _trimmed(model_id: str) -> str:
    """In lower case, as a path with `/` that ends in no sign."""
    return model_id.lower().replace("\\", "/").rstrip("/")


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[str, str, re.Pattern[str], str], ...]:
    """The rules, compiled when a name first needs them: most applications call models by their own names."""
    return tuple((how, sign, re.compile(pattern), replacement) for how, sign, pattern, replacement in RULES)


@lru_cache(maxsize=1)
def _same_signs() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in _SAME_SIGNS)


MAX_SUGGESTIONS = 3
SIMILARITY = 0.5


def nearest_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known names that look most like a name, nearest first, at most three; letter case does not count."""
    from difflib import get_close_matches  # whoever writes correct names needs none of it

    spelt = {each.lower(): each for each in known}
    return tuple(spelt[each] for each in get_close_matches(name.lower(), spelt, MAX_SUGGESTIONS, SIMILARITY))
