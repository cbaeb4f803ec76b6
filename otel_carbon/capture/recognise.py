"""Which LLM API a request is for, told by its method, path and, where the path could be anybody's, its body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from otel_carbon.capture.usage_readers import (
    ANTHROPIC,
    BEDROCK_CONVERSE,
    BEDROCK_INVOKE,
    COHERE,
    GEMINI,
    OLLAMA,
    OPENAI,
)
from otel_carbon.capture.wire.json_picker import pick
from otel_carbon.capture.wire.json_tree import tree_of
from otel_carbon.spans.role import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from otel_carbon.capture.usage_readers import Shape

MAX_MODEL_CHARACTERS = 256
MAX_PARSED_BYTES = 262_144
"""A longer body is searched for the model that it names, and not parsed where it names several."""
_TEXT = "text_completion"
_GENERATE = "generate_content"


@dataclass(frozen=True, slots=True)
class Api:
    """One operation of one API: who it is, unless the host says otherwise, and what its answers look like.

    `sure` says that nothing else is found at such a path; if not, `needs` is what the body must hold beside a model.
    """

    provider: str
    operation: str
    shape: Shape
    sure: bool = True
    needs: bytes = b""


class Recognised(NamedTuple):
    """An API, and the model that the path names, empty when it names none."""

    api: Api
    model: str


def _path(
    pattern: str, provider: str, operation: str, shape: Shape, *, sure: bool = True, needs: bytes = b""
) -> tuple[re.Pattern[str], Api]:
    return re.compile(pattern + "$"), Api(provider, operation, shape, sure, needs)


_AZURE = r"/openai/deployments/(?P<model>[^/]+)"
_GOOGLE = r"/(?:models|tunedModels|endpoints)/(?P<model>[^/:]+):"
_CLAUDE_ON_VERTEX = r"/publishers/anthropic/models/(?P<model>[^/:]+):"
_BEDROCK = r"/model/(?P<model>[^/]+)"
_BY_LAST_PART: dict[bytes, tuple[tuple[re.Pattern[str], Api], ...]] = {
    b"completions": (
        _path(rf"{_AZURE}/chat/completions", "azure.ai.openai", CHAT, OPENAI),
        _path(rf"{_AZURE}/completions", "azure.ai.openai", _TEXT, OPENAI),
        _path(r"/chat/completions", "openai", CHAT, OPENAI),
        _path(r"/agents/completions", "mistral_ai", CHAT, OPENAI, sure=False),
        _path(r"/completions", "openai", _TEXT, OPENAI, sure=False),
    ),
    b"responses": (
        _path(r"/(?:v\d+|openai)/responses", "openai", CHAT, OPENAI, sure=False),
        _path(r"/responses", "openai", CHAT, OPENAI, sure=False, needs=b'"input"'),
    ),
    b"compact": (_path(r"/responses/compact", "openai", CHAT, OPENAI, sure=False),),
    b"embeddings": (
        _path(rf"{_AZURE}/embeddings", "azure.ai.openai", EMBEDDINGS, OPENAI),
        _path(r"/api/embeddings", "ollama", EMBEDDINGS, OLLAMA, sure=False),
        _path(r"/embeddings", "openai", EMBEDDINGS, OPENAI, sure=False),
    ),
    b"messages": (_path(r"/v1/messages", "anthropic", CHAT, ANTHROPIC, sure=False),),
    b"generateContent": (_path(rf"{_GOOGLE}generateContent", "gcp.gemini", _GENERATE, GEMINI),),
    b"streamGenerateContent": (_path(rf"{_GOOGLE}streamGenerateContent", "gcp.gemini", _GENERATE, GEMINI),),
    b"embedContent": (_path(rf"{_GOOGLE}embedContent", "gcp.gemini", EMBEDDINGS, GEMINI),),
    b"batchEmbedContents": (_path(rf"{_GOOGLE}batchEmbedContents", "gcp.gemini", EMBEDDINGS, GEMINI),),
    b"rawPredict": (_path(rf"{_CLAUDE_ON_VERTEX}rawPredict", "gcp.vertex_ai", CHAT, ANTHROPIC),),
    b"streamRawPredict": (_path(rf"{_CLAUDE_ON_VERTEX}streamRawPredict", "gcp.vertex_ai", CHAT, ANTHROPIC),),
    b"chat": (
        _path(r"/api/chat", "ollama", CHAT, OLLAMA, sure=False),
        _path(r"/v[12]/chat", "cohere", CHAT, COHERE, sure=False),
    ),
    b"generate": (_path(r"/api/generate", "ollama", _TEXT, OLLAMA, sure=False),),
    b"embed": (
        _path(r"/api/embed", "ollama", EMBEDDINGS, OLLAMA, sure=False),
        _path(r"/v[12]/embed", "cohere", EMBEDDINGS, COHERE, sure=False),
    ),
    b"invoke": (_path(rf"{_BEDROCK}/invoke", "aws.bedrock", CHAT, BEDROCK_INVOKE),),
    b"invoke-with-response-stream": (
        _path(rf"{_BEDROCK}/invoke-with-response-stream", "aws.bedrock", CHAT, BEDROCK_INVOKE),
    ),
    b"converse": (_path(rf"{_BEDROCK}/converse", "aws.bedrock", CHAT, BEDROCK_CONVERSE),),
    b"converse-stream": (_path(rf"{_BEDROCK}/converse-stream", "aws.bedrock", CHAT, BEDROCK_CONVERSE),),
}


def recognise(method: str, target: bytes) -> Recognised | None:
    """The API behind a request's method and target (path and query); `None`, at once, for nearly all others."""
    if method != "POST":
        return None
    path = target.partition(b"?")[0].rstrip(b"/")
    last_part = _last_part(path)
    return _api_at(path, last_part) if last_part in _BY_LAST_PART else None


def may_be_recognised(target: bytes) -> bool:
    """Whether `recognise` may know the end of a target, which may lack its beginning: a quick look."""
    return _last_part(target.partition(b"?")[0].rstrip(b"/")) in _BY_LAST_PART


def _last_part(path: bytes) -> bytes:
    return path[max(path.rfind(b"/"), path.rfind(b":")) + 1 :]


@lru_cache(maxsize=1024)
def _api_at(path: bytes, last_part: bytes) -> Recognised | None:
    text = path.decode("ascii", "replace")
    for pattern, api in _BY_LAST_PART[last_part]:
        found = pattern.search(text)
        if found:
            model = unquote(found.groupdict().get("model") or "")[:MAX_MODEL_CHARACTERS]
            return Recognised(_for_model(api, model), model)
    return None


def _for_model(api: Api, model: str) -> Api:
    """InvokeModel serves models of every kind under one path."""
    if api.shape is BEDROCK_INVOKE and "embed" in model:
        return Api(api.provider, EMBEDDINGS, api.shape)
    return api


_MODEL_KEY = b'"model"'
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,%d})"' % MAX_MODEL_CHARACTERS)


def model_asked_for(body: bytes) -> str | None:
    """The model that the JSON body of a request names: `None` when it names none, empty when it cannot be told which.

    The body is searched and not parsed, unless several are named, as tools may have models of their own.
    Inside a text of the user's every quote is escaped, so that none is found there.
    """
    if body[:1] != b"{":
        return None
    if body.count(_MODEL_KEY) == 1:  # as nearly always
        found = _MODEL.match(body, body.find(_MODEL_KEY))
        return found[1].decode("utf-8", "replace") if found else None
    named = {found[1] for found in _MODEL.finditer(body)}
    if len(named) > 1 and len(body) <= MAX_PARSED_BYTES:
        model = pick(body, _MODEL_TREE).get("model")
        return model[:MAX_MODEL_CHARACTERS] if isinstance(model, str) else None
    if not named:
        return None
    return named.pop().decode("utf-8", "replace") if len(named) == 1 else ""


_MODEL_TREE = tree_of("model")
