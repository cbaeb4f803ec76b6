"""An agent of Pydantic AI, which writes its own spans, in an application that sets up OpenTelemetry itself.

    pip install '.[auto]' 'pydantic-ai-slim[openai]'
    export OPENAI_API_KEY=...
    python docs/examples/pydantic_ai_agent.py

`otel_carbon.instrument()` is the only line of ours. The span of the call has a footprint; the one of the agent above it
has none, as it only sums up its calls.
"""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from pydantic_ai import Agent, InstrumentationSettings

import otel_carbon

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
otel_carbon.instrument()
Agent.instrument_all(InstrumentationSettings(include_content=False))

agent = Agent("openai:gpt-4o-mini", instructions="Answer in one word.")
print(agent.run_sync("Name a town by the sea.").output)
