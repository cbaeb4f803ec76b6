"""The page itself: one HTML file with its style and script inside, the same for everybody and for every moment.

It holds no figure; the script asks for those and writes them as text, so that no label can become markup.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from string import Template
from typing import NamedTuple

from otel_carbon.presentation.style import base_style
from otel_carbon.version import VERSION

_SCRIPTS = ("text.js", "chart.js", "sections.js", "page.js")


class Shell(NamedTuple):
    """The bytes of the page, and the policy that a browser holds it to."""

    html: bytes
    content_security_policy: str


def build_shell() -> Shell:
    """Put the page together."""
    style = base_style() + _asset("page.css")
    script = "(() => {\n" + "\n".join(['"use strict";', *map(_asset, _SCRIPTS)]) + "})();\n"
    html = Template(_asset("page.html")).substitute(style=style, script=script, version=VERSION)
    policy = (
        "default-src 'none'",
        f"script-src '{_digest(script)}'",
        f"style-src '{_digest(style)}'",
        "connect-src 'self'",
        "img-src data:",  # the empty icon, without which browsers ask for one
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return Shell(html.encode(), "; ".join(policy))


def _asset(name: str) -> str:
    return resources.files("otel_carbon.collector.page").joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """As a browser works it out of what stands between the tags."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
