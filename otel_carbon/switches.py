"""The switches of the environment, `OTEL_CARBON_...=true` or `false`; light, as everything that starts asks them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

SDK_DISABLED = "OTEL_SDK_DISABLED"
"""OpenTelemetry's own switch: with it there are no spans, so there is nothing for us to set up."""
DISABLED = "OTEL_CARBON_DISABLED"
CAPTURE = "OTEL_CARBON_CAPTURE"
TRUE_WORDS = ("true", "1", "yes", "on")
FALSE_WORDS = ("false", "0", "no", "off", "")


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the user switched otel-carbon off, or OpenTelemetry with it."""
    return is_on(environ, DISABLED) or environ.get(SDK_DISABLED, "").strip().lower() == "true"


def may_capture(environ: Mapping[str, str]) -> bool:
    """Whether calls may be captured on the wire: unless the user switched that, or all of otel-carbon, off."""
    return not is_disabled(environ) and is_on(environ, CAPTURE, default="true")


def is_on(environ: Mapping[str, str], variable: str, default: str = "false") -> bool:
    """Whether a switch is on; a word that is neither true nor false is logged, and the default taken."""
    word = environ.get(variable, "").strip().lower() or default
    if word not in TRUE_WORDS and word not in FALSE_WORDS:
        logger.warning("%s=%s is neither true nor false; taken as %s", variable, word, default)
        word = default
    return word in TRUE_WORDS
