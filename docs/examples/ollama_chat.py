"""A model on a machine of your own, served by Ollama.

    pip install '.[auto]' ollama
    export OTEL_CARBON_REGION=self_hosted=FRA
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/ollama_chat.py

Where your own machines draw their power from nobody knows but you: the variable names the country, or a grid zone.
Without it the average of the world is taken.
"""

import ollama

answer = ollama.chat(model="llama3.2", messages=[{"role": "user", "content": "Name a town by the sea."}])
print(answer.message.content)
