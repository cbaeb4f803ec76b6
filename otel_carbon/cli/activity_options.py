"""Options for calls whose tokens nobody counted, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_carbon.activity import Activity
from otel_carbon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from otel_carbon.core.usage import TokenUsage

    Command = Callable[..., Any]

_NAMES = ("requests", "product", "input_characters", "output_characters")
_OPTIONS = (
    click.option("--requests", type=int, metavar="N", help="Instead of tokens: how many requests there were."),
    click.option(
        "--product",
        metavar="NAME",
        help="What a request was to, which says its usual tokens: chat (taken unless given).",
    ),
    click.option("--input-characters", type=int, metavar="N", help="Instead of tokens: characters of each prompt."),
    click.option("--output-characters", type=int, metavar="N", help="Instead of tokens: characters of each answer."),
)


def activity_options(command: Command) -> Command:
    """The options, each a parameter of the name that `Activity` has for it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def taken_activity(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of all that were given; empty when none was.

    Raises:
        click.UsageError: tokens were given as well.
    """
    taken = {name: given.pop(name) for name in _NAMES}
    taken = {name: value for name, value in taken.items() if value is not None}
    counted = [name for name in given if name.endswith("_tokens") and given[name] is not None]
    if taken and counted:
        options = ", ".join("--" + name.replace("_", "-") for name in (*taken, *counted))
        msg = f"{options}: give tokens where they were counted, or requests or characters where they were not"
        raise click.UsageError(msg)
    return taken


def activity_of(usage: TokenUsage, taken: dict[str, Any]) -> Activity:
    """The activity that the options describe, of the model and place of a call.

    Raises:
        click.UsageError: a number is impossible; the message names the option.
    """
    try:
        return Activity(
            usage.provider, usage.model, operation=usage.operation, region=usage.region, at=usage.at, **taken
        )
    except UsageError as error:
        name, _, rest = str(error).partition(" ")
        msg = f"--{name.replace('_', '-')} {rest}"
        raise click.UsageError(msg) from error


def activity_words(activity: Activity) -> str:
    """How much there was, for people."""
    requests = f"{activity.requests:,} request{'' if activity.requests == 1 else 's'}"
    if activity.input_characters is None and activity.output_characters is None:
        return f"{requests} to {activity.product}"
    read, written = activity.input_characters or 0, activity.output_characters or 0
    return f"{requests} of {read:,} character{'' if read == 1 else 's'} in, {written:,} out"
