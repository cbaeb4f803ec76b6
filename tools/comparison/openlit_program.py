"""Run by a Python that has OpenLIT: two calls under its instrumentation, one of them streamed.

The environment says where the API (`API`) and the receiver of telemetry (`SINK`) are, and names the file of prices.
What is not exported yet when it ends, the SDK exports then.
"""

from __future__ import annotations

import os
from importlib.metadata import version

import openai
import openlit
from openai.types.chat import ChatCompletionUserMessageParam

openlit.init(
    application_name="comparison",
    otlp_endpoint=os.environ["SINK"],
    pricing_json=os.environ["PRICES"],
    collect_gpu_stats=False,
)
with openai.OpenAI(base_url=f"{os.environ['API']}/v1", api_key="none") as client:
    question = [ChatCompletionUserMessageParam(role="user", content="Name a town.")]
    client.chat.completions.create(model="gpt-4o", messages=question)
    answer = client.chat.completions.create(
        model="gpt-4o", messages=question, stream=True, stream_options={"include_usage": True}
    )
    for _ in answer:
        pass
print(version("openlit"))
