"""What every tool is asked, so that the answers can stand side by side."""

from __future__ import annotations

from typing import NamedTuple

from otel_carbon.core.usage import TokenUsage

REGION = "us-east-1"
"""Where the calls run, as otel-carbon is told; EcoLogits is told the country."""
COUNTRY = "USA"

CALLS = (
    TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=300, region=REGION),
    TokenUsage("openai", "gpt-4o", input_tokens=50_000, output_tokens=300, region=REGION),
    TokenUsage("anthropic", "claude-sonnet-4-5", input_tokens=800, output_tokens=300, region=REGION),
    TokenUsage("mistral_ai", "mistral-large-latest", input_tokens=800, output_tokens=300, region=REGION),
)
"""Calls of which models and tokens are known."""

EARLIER_MODELS = (
    ("anthropic", "claude-3-5-sonnet-20241022"),
    ("anthropic", "claude-3-haiku-20240307"),
    ("openai", "gpt-4-0613"),
    ("openai", "o1-mini"),
    ("openai", "text-embedding-3-small"),
    ("gcp.gemini", "gemini-1.5-pro"),
    ("mistral_ai", "mistral-large-2411"),
    ("mistral_ai", "open-mixtral-8x7b"),
)
"""Providers and models of earlier years, and one that makes embeddings."""

PLACES = ("USA", "US", "DEU", "DE", "us-east-1", "eastus", "europe-west1")
"""Names of places: codes of countries with three letters and two, and regions of clouds."""

IN_ONE_INTERVAL = (
    TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=3_000, region=REGION),
    TokenUsage("openai", "gpt-4o", input_tokens=800, output_tokens=30, region=REGION),
)
"""Two calls between two exports of metrics, a long one and then a short one."""

CAPTURES = ("ollm-anthropic", "oi-anthropic", "genai-anthropic")
"""Recordings of Anthropic's client, which writes spans itself, under an instrumentation that writes them too."""


class Table(NamedTuple):
    """A table of answers: what it shows, its columns, and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """The table in columns of equal width, with a line end behind each row."""
        written = [self.columns, *self.rows]
        widths = [max(len(row[i]) for row in written) for i in range(len(self.columns))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in written]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join(line.rstrip() for line in (self.title, lines[0], rule, *lines[1:])) + "\n"
