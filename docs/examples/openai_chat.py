"""OpenAI's client, with no word of OpenTelemetry in the code.

    pip install '.[auto]' openai
    export OPENAI_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/openai_chat.py

Nothing instruments the client: its call is seen on the wire. The span of the call is printed when the program ends.
"""

from openai import OpenAI

client = OpenAI()
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Name a town by the sea."}],
)
print(answer.choices[0].message.content)
