"""GenAI spans from the HTTP wire: calls of httpx, httpx2 and aiohttp to LLM APIs, where nothing else traces them."""
