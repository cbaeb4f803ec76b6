"""LiteLLM as a library.

    pip install '.[auto]' litellm
    export OPENAI_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/litellm_sdk.py

The call is seen on the wire, whichever provider it goes to. The span is printed when the program ends.
"""

import litellm

answer = litellm.completion(
    model="openai/gpt-4o-mini",
    messages=[{"role": "user", "content": "Name a town by the sea."}],
)
print(answer.choices[0].message.content)
