"""A streamed answer of OpenAI's.

    pip install '.[auto]' openai
    export OPENAI_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/openai_stream.py

OpenAI sends the usage of a chat stream only where it is asked to: without `include_usage` the call has no estimate.
"""

from openai import OpenAI

client = OpenAI()
stream = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Name a town by the sea."}],
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")
print()
