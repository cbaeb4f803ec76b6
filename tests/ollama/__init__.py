"""Clients of Ollama's APIs at a real Ollama with real weights."""
