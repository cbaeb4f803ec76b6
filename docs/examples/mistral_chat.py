"""Mistral's client.

    pip install '.[auto]' mistralai
    export MISTRAL_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/mistral_chat.py

The call is seen on the wire. The span is printed when the program ends.
"""

import os

from mistralai.client import Mistral

client = Mistral(api_key=os.environ["MISTRAL_API_KEY"], server_url=os.environ.get("MISTRAL_SERVER_URL"))
answer = client.chat.complete(
    model="mistral-small-latest",
    messages=[{"role": "user", "content": "Name a town by the sea."}],
)
print(answer.choices[0].message.content)
