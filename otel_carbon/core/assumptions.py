"""What an estimate had to assume, from codes to sentences."""

from __future__ import annotations

GRID_HOUR_NOT_IN_TABLE = "grid_hour_not_in_table"
GRID_OF_THE_HOUR = "grid_of_the_hour"
GRID_TABLE_STALE = "grid_table_stale"
PROVIDER_IS_DEVELOPER = "provider_is_developer"

ASSUMPTIONS = {
    "batch_guessed": "How many requests the hardware serves at once is a guess.",
    "billed_units": "The counts are billed units, fewer than the tokens that were processed.",
    "cache_added_to_input": "The input count was taken to leave out cached tokens, which were added.",
    "cache_within_input": "The input count was taken to include cached tokens.",
    "clipped_to_ceiling": "The upper bound was lowered to the energy that the list price can pay for.",
    "clipped_to_floor": "The lower bound was raised to the energy that no benchmark has come below.",
    "counts_from_wire": "The counts were read from the provider's answer, as the span does not tell them.",
    "parts_from_wire": "Cached or reasoning tokens were read from the provider's answer.",
    "details_from_twin": "Cached or reasoning tokens were taken from another span of the same call.",
    "family_taken": "The model is not registered; its family is taken, from the least to the most of its members.",
    "assessed_by_supplier": "Emissions and water are those of the supplier's life-cycle assessment, whatever the grid.",
    "generic_site": "The data centre is unknown; a typical one is taken.",
    "generic_taken": "Nothing is known of the model; the energy that any model may take is taken.",
    GRID_OF_THE_HOUR: "The grid intensity is that of the hour or day of the call, from the user's own grid table.",
    GRID_HOUR_NOT_IN_TABLE: "The grid table has no figure for the time of the call; the yearly average is taken.",
    GRID_TABLE_STALE: "The grid table ends long before the call; the yearly average is taken.",
    "hardware_guessed": "The kind of accelerator is a guess.",
    "input_not_reported": "The input tokens were not reported; the figure covers the output only.",
    "input_partly_reported": "Only a part of the input tokens is reported; the figure is too low by the rest.",
    "output_counted_high": "The instrumentation counts a few output tokens of a stream twice.",
    "output_from_total": "The output count leaves out thoughts, which were taken from the total.",
    "output_partly_reported": "Only a part of the output tokens is reported; the figure is too low by the rest.",
    "mid_clipped_to_ceiling": "The formula gives more energy than the list price can pay for; half of that is taken.",
    "outside_fit": "The model lies outside the sizes that the energy formula was fitted on.",
    "power_guessed": "The power that the hardware draws is a guess.",
    "provider_default_place": "No region is given; the provider's usual places are taken.",
    PROVIDER_IS_DEVELOPER: "No provider is given; the developer of the model is taken to run it.",
    "reasoning_added_to_output": "The output count was taken to leave out reasoning tokens, which were added.",
    "reasoning_within_output": "The output count was taken to include reasoning tokens.",
    "request_model_taken": "The model that answered is not registered; the one that was asked for is taken.",
    "size_class_taken": "Neither the model nor its family is registered; its name tells about how large it is.",
    "size_guessed": "The model's size is not published; outside guesses are taken.",
    "size_suspect": "The guessed size looks too small for what the model does; the upper bound is widened.",
    "tokens_assumed": "Nobody counted the tokens; as many as a request of the product usually takes are taken.",
    "tokens_from_characters": "Nobody counted the tokens; they follow from the number of characters.",
    "widened_by_other_method": "The bounds were widened to hold what another admissible method says.",
}
"""Code to what was assumed, in words."""


def assumption_sentence(code: str) -> str:
    """What was assumed, in words; the code itself where an overlay brings one of its own."""
    return ASSUMPTIONS.get(code, code)
