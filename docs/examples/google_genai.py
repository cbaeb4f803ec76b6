"""Google's Gen AI client, with the Gemini API.

    pip install '.[auto]' google-genai
    export GEMINI_API_KEY=...
    opentelemetry-instrument --traces_exporter console --metrics_exporter none --logs_exporter none python docs/examples/google_genai.py

The call is seen on the wire, thoughts included. The span is printed when the program ends.
"""

from google import genai

client = genai.Client()
answer = client.models.generate_content(model="gemini-2.5-flash", contents="Name a town by the sea.")
print(answer.text)
