"""An agent of the OpenAI Agents SDK.

    pip install '.[auto]' openai-agents
    export OPENAI_API_KEY=... OPENAI_AGENTS_DISABLE_TRACING=1
    export OTEL_TRACES_EXPORTER=console OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
    opentelemetry-instrument python docs/examples/openai_agents.py

`OPENAI_AGENTS_DISABLE_TRACING` keeps the SDK from sending its own traces to OpenAI; ours do not need them.
The call is seen on the wire, with the Responses API. The span is printed when the program ends.
"""

from agents import Agent, Runner

agent = Agent(name="Geographer", instructions="Answer in one word.", model="gpt-4o-mini")
print(Runner.run_sync(agent, "Name a town by the sea.").final_output)
