"""Google's Gen AI client, with the Gemini API.

    pip install '.[auto]' google-genai
    export GEMINI_API_KEY=...
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/google_genai.py

The call is seen on the wire, thoughts included. The span is printed when the program ends.
"""

from google import genai

client = genai.Client()
answer = client.models.generate_content(model="gemini-2.5-flash", contents="Name a town by the sea.")
print(answer.text)
