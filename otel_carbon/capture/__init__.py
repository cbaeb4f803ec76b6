"""GenAI spans from the HTTP wire: calls of httpx and httpx2 to LLM APIs, where nothing else traces them."""
