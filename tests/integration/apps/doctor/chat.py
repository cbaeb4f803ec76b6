"""An application that calls a model and knows nothing of OpenTelemetry: MODEL [NUMBER OF CALLS]."""

from __future__ import annotations

import sys

from openai import OpenAI

PROMPT = "canary-of-a-prompt"

if __name__ == "__main__":
    model, calls = [*sys.argv[1:], "1"][:2]
    client = OpenAI(api_key="canary-of-a-key")
    for _ in range(int(calls)):
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": PROMPT}])
        assert answer.usage is None or answer.usage.total_tokens > 0
