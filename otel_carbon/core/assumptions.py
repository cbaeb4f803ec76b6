"""What an estimate had to assume, from codes to sentences."""

from __future__ import annotations

PROVIDER_IS_DEVELOPER = "provider_is_developer"

ASSUMPTIONS = {
    "batch_guessed": "How many requests the hardware serves at once is a guess.",
    "generic_site": "The data centre is unknown; a typical one is taken.",
    "hardware_guessed": "The kind of accelerator is a guess.",
    "input_not_reported": "The input tokens were not reported; the figure covers the output only.",
    "outside_fit": "The model lies outside the sizes that the energy formula was fitted on.",
    "power_guessed": "The power that the hardware draws is a guess.",
    "provider_default_place": "No region is given; the provider's usual places are taken.",
    PROVIDER_IS_DEVELOPER: "No provider is given; the developer of the model is taken to run it.",
    "size_guessed": "The model's size is not published; outside guesses are taken.",
    "size_suspect": "The guessed size looks too small for what the model does; the upper bound is widened.",
}
"""Code to what was assumed, in words."""


def assumption_sentence(code: str) -> str:
    """What was assumed, in words; the code itself where an overlay brings one of its own."""
    return ASSUMPTIONS.get(code, code)
