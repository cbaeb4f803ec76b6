"""The documents of the repository, and what stands in them."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"

_LINK = re.compile(r"\[[^\]\n]+\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="(?P<id>[^"]+)"></a>')
_CODE = re.compile(r"`(?P<text>[^`\n]+)`")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def all_pages() -> list[Path]:
    """Every Markdown page of the repository's root, `docs/`, `deploy/` and the recordings."""
    folders = (REPOSITORY.glob("*.md"), *(REPOSITORY.glob(f"{name}/**/*.md") for name in ("docs", "deploy", "tests")))
    return sorted(page for folder in folders for page in folder)


def page_name(page: Path) -> str:
    """A page as a test names it: its path in the repository."""
    return page.relative_to(REPOSITORY).as_posix()


def links_of(text: str) -> list[str]:
    """Targets of the links of a page, in order; code is left out."""
    return [found["target"] for found in _LINK.finditer(_CODE.sub("", _FENCED.sub("", text)))]


def anchors_of(text: str) -> set[str]:
    """What a link into a page may point at: headings as GitHub spells their ids, and explicit anchors."""
    prose = _FENCED.sub("", text)
    return {_slug(found["text"]) for found in _HEADING.finditer(prose)} | {m["id"] for m in _ANCHOR.finditer(prose)}


def code_of(text: str) -> list[str]:
    """The inline code of a page, outside of fenced blocks."""
    return [found["text"] for found in _CODE.finditer(_FENCED.sub("", text))]


def _slug(heading: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return plain.strip().replace(" ", "-")
