"""The style sheet that our pages share: type, colours for light and dark screens, tables, print."""

from __future__ import annotations

from importlib import resources


def base_style() -> str:
    """The rules as CSS; what one page alone has comes after them."""
    return resources.files("otel_carbon.presentation").joinpath("data", "base.css").read_text(encoding="utf-8")
