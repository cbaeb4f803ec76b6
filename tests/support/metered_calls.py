"""One call seen from three sides: what the API reported, what the server counted, what the span carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.client_app import CallTokens

if TYPE_CHECKING:
    from tests.support.client_app import ClientApp, ReportedCall
    from tests.support.model_server import ModelServer
    from tests.support.otlp_sink import AttributeValue, ReceivedSpan

OPENAI_SCOPE = "opentelemetry.instrumentation.genai.openai"
ANTHROPIC_SCOPE = "opentelemetry.instrumentation.genai.anthropic"
ANTHROPIC_SDK_SCOPE = "com.anthropic.sdk.python"
"""The scope of the span that the Anthropic SDK emits by itself, below the one of the instrumentation."""

OPENAI_CALLS = [
    "openai_plain",
    "openai_long_prompt",
    "openai_long_prompt",
    "openai_stream_with_usage",
    "openai_stream_without_usage",
    "openai_responses",
    "openai_refused",
]
"""Calls of every kind that yield one span each; one reports no usage and one is refused."""

ANTHROPIC_CALLS = [
    "anthropic_plain",
    "anthropic_long_prompt",
    "anthropic_long_prompt",
    "anthropic_stream",
    "anthropic_stream_manager",
    "anthropic_refused",
]
"""Calls of every kind that yield two spans each, in different scopes; one is refused."""


@dataclass(frozen=True, slots=True)
class MeteredCall:
    """What the API reported about one call, and what the model server counted while it was made."""

    reported: ReportedCall
    server_tokens: CallTokens


def make_metered_call(app: ClientApp, server: ModelServer, name: str) -> MeteredCall:
    """Make one call while nobody else uses the server, and read the server's counters around it."""
    before = server.tokens()
    reported = app.make_call(name)
    used = server.tokens() - before
    return MeteredCall(reported, CallTokens(used.input, used.cached, used.predicted))


def tokens_on(span: ReceivedSpan) -> CallTokens | None:
    """The token counts that a span of the official instrumentation carries; None when it carries none."""
    attributes = span.attributes
    if "gen_ai.usage.input_tokens" not in attributes:
        return None
    return CallTokens(
        input=_whole(attributes["gen_ai.usage.input_tokens"]),
        # The instrumentation leaves the attribute out when nothing was read from the cache.
        cache_read=_whole(attributes.get("gen_ai.usage.cache_read.input_tokens", 0)),
        output=_whole(attributes["gen_ai.usage.output_tokens"]),
    )


def _whole(value: AttributeValue) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a token count must be a whole number, not {value!r}")
    return value
