"""Which evidence gives the figure, best first, and why it was the best that there was."""

from __future__ import annotations

METERED = "metered"
SUPPLIER = "supplier"
BENCHMARK = "benchmark"
PARAMETRIC = "parametric"
ASSUMED = "assumed"
FALLBACK = "fallback"

WHY = {
    METERED: "Energy that was metered of this model outranks everything else.",
    SUPPLIER: "The supplier accounted for its service in production, which gives it per token; nothing was metered.",
    BENCHMARK: "These weights were benchmarked on known hardware; no supplier's figure per token is known.",
    PARAMETRIC: "A fit over benchmarks by size; there is neither a supplier's figure per token nor a benchmark of it.",
    ASSUMED: "An argued guess; the model lies outside of every benchmark and fit.",
    FALLBACK: "The model itself is not registered; what its name tells is all that is known.",
}
"""Methods of coefficients, best evidence first, and why each was taken: none above it is known."""

OWN = "A fact of your own says so; its evidence is the one that it names."


def why_chosen(method: str) -> str:
    """Why the method of a coefficient gave the mid, in a sentence.

    Figures of other methods that may not be the mid, and why, are in `otel_carbon.comparing.compare`.
    """
    return WHY.get(method, OWN)
