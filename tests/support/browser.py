"""A real Chromium without a window, which reaches this machine only."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python
from playwright.sync_api import sync_playwright

from tests.support.components import require_component

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM_HINT = "apt-get install --no-install-recommends chromium fonts-dejavu-core"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_AXE = Path(str(axe_playwright_python.__path__[0])) / "axe.min.js"


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium as the system installed it; every name but those of this machine is unknown to it."""
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    require_component("Chromium", found=program is not None, hint=CHROMIUM_HINT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        try:
            yield browser
        finally:
            browser.close()


def accessibility_violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is: rule, impact and the elements it is about."""
    page.evaluate(_AXE.read_text(encoding="utf-8"))  # past the policy of the page, as the debugger may
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} ({each['impact']}): {[node['html'][:120] for node in each['nodes']]}"
        for each in found["violations"]
    ]
