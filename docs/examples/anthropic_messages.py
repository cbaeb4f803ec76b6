"""Anthropic's client.

    pip install '.[auto]' anthropic
    export ANTHROPIC_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/anthropic_messages.py

The client writes a span of its own, so the call is not captured beside it. The span is printed when the program ends.
"""

from anthropic import Anthropic

client = Anthropic()
message = client.messages.create(
    model="claude-haiku-4-5",
    max_tokens=200,
    messages=[{"role": "user", "content": "Name a town by the sea."}],
)
print(message.content[0].text)
