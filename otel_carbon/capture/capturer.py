"""The first look at each request: most are nobody's, and the others begin an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from otel_carbon.capture.exchange import Exchange, report
from otel_carbon.capture.recognise import Recognised, model_asked_for, recognise
from otel_carbon.capture.records import OwnSpan, SpanOfOthers
from otel_carbon.capture.surroundings import is_model_call, is_suppressed
from otel_carbon.spans.providers import provider_at
from otel_carbon.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

    from otel_carbon.capture.http_types import Request

SCOPE = "otel_carbon.capture"
_BEGUN = "otel_carbon.capture.begun"
"""The key in a context within which an exchange is under way: of clients upon one another the upper one is heard."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Capturer:
    """Begins exchanges; `tracer_provider` is where their spans go, `None` the global one, also when it is set later."""

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer(SCOPE, VERSION, tracer_provider)

    def begin(self, request: Request) -> Exchange | None:
        """Begin an exchange with an LLM API; `None` for any other request, and where nobody would see it. Never raises.

        Below the span of a model call no other is started, and none in a client that sends for another one.
        """
        try:
            found = recognise(request.method, request.url.raw_path)
            return None if found is None else self._begin(found, request)
        except Exception as error:  # nothing of ours may reach the host
            report(error)
            return None

    def _begin(self, found: Recognised, request: Request) -> Exchange | None:
        context = otel_context.get_current()
        if is_suppressed(context) or otel_context.get_value(_BEGUN, context):
            return None
        current = trace.get_current_span(context)
        context = otel_context.set_value(_BEGUN, True, context)
        if is_model_call(current):
            return Exchange(SpanOfOthers(current), found.api.shape, context)
        api, model, url = found.api, found.model, request.url
        provider = provider_at(url.host.lower())
        body = _body_of(request)
        asked = model or model_asked_for(body)
        if not (api.sure or provider or (asked is not None and api.needs in body)):
            return None
        model = asked or ""
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": api.operation,
            "gen_ai.provider.name": provider or api.provider,
            "server.address": url.host,
        }
        if model:
            attributes["gen_ai.request.model"] = model
        port = url.port or _DEFAULT_PORTS.get(url.scheme)
        if port:
            attributes["server.port"] = port
        name = f"{api.operation} {model}" if model else api.operation
        span = self._tracer.start_span(name, context, SpanKind.CLIENT, attributes)
        if not span.get_span_context().is_valid:
            return None
        return Exchange(OwnSpan(span), api.shape, trace.set_span_in_context(span, context))


def _body_of(request: Request) -> bytes:
    try:
        return request.content
    except Exception:  # a body that is a stream is the application's, and not read
        return b""
