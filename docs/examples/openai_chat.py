"""OpenAI's client, with no word of OpenTelemetry in the code.

    pip install '.[auto]' openai
    export OPENAI_API_KEY=...
    opentelemetry-instrument --traces_exporter console --metrics_exporter none --logs_exporter none python docs/examples/openai_chat.py

Nothing instruments the client: its call is seen on the wire. The span of the call is printed when the program ends.
"""

from openai import OpenAI

client = OpenAI()
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Name a town by the sea."}],
)
print(answer.choices[0].message.content)
